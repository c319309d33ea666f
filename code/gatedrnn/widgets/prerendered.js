/** Pictures made in advance, one for each value of a slider: for models too heavy to run in a page. */
import { arrange, follow, html, resetButton, slider, speaker } from "./kit.js";

export default { render };

function render({ model, el }) {
  const pictures = model.get("pictures");
  const names = model.get("names");
  const alts = model.get("alts");
  const label = model.get("label");
  const image = html("img", { class: "live-frame", alt: "" });
  const voice = speaker();
  const control = slider({
    label, min: 0, max: pictures.length - 1, step: 1, value: model.get("index"), show: (index) => names[index],
    onInput: (index) => link.set({ index }),
  });

  // The picture's ink follows the colour that text has here, whatever page or notebook this is.
  const paint = () => {
    const index = model.get("index");
    control.set(index);
    const ink = getComputedStyle(root).color;
    const text = pictures[index].replaceAll(new RegExp(model.get("ink"), "gi"), ink);
    image.src = `data:image/svg+xml,${encodeURIComponent(text)}`;
    image.alt = alts[index];
    voice.say(`${label} ${names[index]}: ${alts[index]}`);
  };
  const link = follow(model, ["index"], paint);
  const root = arrange(el, {
    label: model.get("alt"), panels: [image], controls: [control.root], values: null, voice: voice.root,
    reset: resetButton(link.reset),
  });
  paint();
  const scheme = new MutationObserver(paint);
  scheme.observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme"] });
  return () => { link.stop(); voice.stop(); scheme.disconnect(); };
}
