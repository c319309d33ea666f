/**
 * Spikes from light: a deconvolution takes a decay for granted. Change the decay, the noise and the price of a
 * spike; the calcium, its jumps and the correlations with the true spikes follow.
 */
import { blurred, correlated, deconvolve, rises } from "./core.js";
import { arrange, draw, follow, line, number, panel, readouts, resetButton, slider, speaker, text } from "./kit.js";

const FLOOR = -0.45;

export default { render };

function render({ model, el }) {
  const [clean, grain, spikes] = ["clean", "grain", "spikes"].map((name) => model.get(name));
  const [rate, widths] = [model.get("rate"), model.get("widths")];
  const keep = (decay) => Math.exp(-1000 / (rate * decay));
  const sum = (values) => values.reduce((total, value) => total + value, 0);
  const whole = sum(deconvolve(clean, keep(model.get("true_decay")), 0).jumps);
  const wanted = widths.map((width) => blurred(spikes, (width * rate) / 1000));
  const judge = (read) => widths.map((width, k) => correlated(blurred(read, (width * rate) / 1000), wanted[k]));
  const trace = tracePanel(spikes, rate);
  const curve = curvePanel(widths);
  const voice = speaker();
  const values = readouts({ jumps: "r of the jumps, 200 ms", rise: "r of the derivative, 200 ms", ratio: "rate ratio of the jumps" });
  const one = (label, name, min, max, step, show, say) => slider({
    label, min, max, step, value: model.get(name), show, say, onInput: (value) => link.set({ [name]: value }),
  });
  const controls = {
    assumed: one("assumed decay", "assumed", 50, 2000, 10, (ms) => `${number(ms, 0)} ms`, (ms) => `${number(ms, 0)} milliseconds`),
    noise: one("noise", "noise", 0, 0.3, 0.005, (value) => `${number(value, 3)} ΔF/F`),
    price: one("price of a spike λ", "price", 0, 2, 0.02, (value) => number(value, 2)),
  };

  // Only the noise changes the light, and with it the derivative.
  let seen = null;
  const look = (noise) => {
    if (seen === null || seen.noise !== noise) {
      const light = clean.map((value, t) => value + noise * grain[t]);
      seen = { noise, light, derivative: judge(rises(light)) };
    }
    return seen;
  };

  const at = widths.indexOf(200);
  const paint = () => {
    const [assumed, noise, price] = ["assumed", "noise", "price"].map((name) => model.get(name));
    Object.entries(controls).forEach(([name, { set }]) => set(model.get(name)));
    const { light, derivative } = look(noise);
    const { calcium, jumps } = deconvolve(light, keep(assumed), price);
    const scores = judge(jumps);
    const ratio = sum(jumps) / whole;
    trace.show(light, calcium, jumps);
    curve.show(scores, derivative);
    values.set("jumps", number(scores[at], 3), scores[at]);
    values.set("rise", number(derivative[at], 3), derivative[at]);
    values.set("ratio", number(ratio, 2), ratio);
    const better = scores[at] >= derivative[at] ? "better" : "worse";
    voice.say(`With a decay of ${number(assumed, 0)} ms, a noise of ${number(noise, 3)} and a price of ${number(price, 2)}, `
      + `the jumps correlate ${number(scores[at], 2)} with the true spikes at 200 ms, ${better} than the derivative's `
      + `${number(derivative[at], 2)}; in size they are ${number(ratio, 2)} times what the spikes give.`);
  };
  const link = follow(model, ["assumed", "noise", "price"], paint);

  arrange(el, {
    label: model.get("alt"), panels: [trace.svg, curve.svg], controls: Object.values(controls).map(({ root }) => root),
    values: values.root, voice: voice.root, reset: resetButton(link.reset),
  });
  paint();
  return () => { link.stop(); voice.stop(); };
}

/** The light, the calcium in its place, its jumps below and the true spikes above. */
function tracePanel(spikes, rate) {
  const seconds = spikes.length / rate;
  const view = panel({
    width: 460, height: 330, x: { from: 0, to: seconds, ticks: [0, 5, 10, 15, 20], label: "time (s)" },
    y: { from: FLOOR, to: 1.35, ticks: [0, 0.5, 1] }, title: "Light and calcium (ΔF/F)",
  });
  const { px, py } = view;
  const times = spikes.map((_, t) => px(t / rate));
  const path = (colour, width) => draw("path", { fill: "none", stroke: `var(--${colour})`, "stroke-width": width });
  const [light, calcium, jumps, truth] = [path("faint", 1), path("blue", 1.8), path("orange", 1.8), path("vermilion", 1.6)];
  truth.setAttribute("d", spikes.map((count, t) => (count ? `M${times[t].toFixed(2)} ${py(1.16)}V${py(1.26)}` : "")).join(""));
  view.back.append(light);
  view.front.append(jumps, calcium, truth);
  const legend = [["light", "faint", 190], ["calcium", "blue", 246], ["jumps", "orange", 318], ["spikes", "vermilion", 380]];
  legend.forEach(([words, colour, x]) => {
    view.free.append(draw("path", { d: `M${x} 10h16`, stroke: `var(--${colour})`, "stroke-width": 2.4 }),
      text(x + 20, 14, words, "start", "live-note"));
  });
  return {
    svg: view.svg,
    show: (seen, explained, found) => {
      light.setAttribute("d", line(times, seen.map(py)));
      calcium.setAttribute("d", line(times, explained.map(py)));
      jumps.setAttribute("d", found.map((jump, t) =>
        (jump > 1e-3 ? `M${times[t].toFixed(2)} ${py(FLOOR).toFixed(2)}V${py(FLOOR + jump).toFixed(2)}` : "")).join(""));
    },
  };
}

/** Correlation against the smoothing width, on a logarithmic axis, one tick per doubling or so. */
function curvePanel(widths) {
  const view = panel({
    width: 300, height: 330, x: { from: Math.log10(28), to: Math.log10(1150), ticks: [], label: "smoothing width (ms)" },
    y: { from: 0, to: 1.02, ticks: [0, 0.25, 0.5, 0.75, 1] }, title: "Correlation",
  });
  const { px, py } = view;
  [50, 200, 1000].forEach((width) => {
    view.free.append(text(px(Math.log10(width)), 330 - 23, String(width), "middle", "live-tick"));
  });
  const places = widths.map((width) => px(Math.log10(width)));
  const [jumps, rise] = [["blue", "none"], ["green", "7 4"]].map(([colour, dashes]) => draw("path", {
    fill: "none", stroke: `var(--${colour})`, "stroke-width": 2.4, "stroke-dasharray": dashes,
  }));
  view.front.append(jumps, rise);
  [[jumps, "jumps", 0.2], [rise, "derivative", 0.1]].forEach(([path, words, y]) => {
    const sample = path.cloneNode();
    sample.setAttribute("d", `M${px(2.35)} ${py(y)}h24`);
    view.free.append(sample, text(px(2.35) + 30, py(y) + 4, words, "start", "live-note"));
  });
  return {
    svg: view.svg,
    show: (scores, derivative) => {
      jumps.setAttribute("d", line(places, scores.map((score) => py(Math.max(0, score)))));
      rise.setAttribute("d", line(places, derivative.map((score) => py(Math.max(0, score)))));
    },
  };
}
