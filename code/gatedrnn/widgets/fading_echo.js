/**
 * The gradient on its way back and the echo on its way forward, through the same Jacobians of two units.
 * Take hold of the horizon, or move the sliders: both panels, the numbers and the sentence follow.
 */
import { backwardNorms, kickedEcho, oneWayMatrix, swungStates, tanhJacobians } from "./core.js";
import {
  arrange, draggable, draw, follow, line, number, panel, readouts, resetButton, slider, speaker, text,
} from "./kit.js";

const LONGEST = 100;

export default { render };

function render({ model, el }) {
  const back = gradientPanel();
  const forth = echoPanel();
  const voice = speaker();
  const values = readouts({
    norm: "gain ‖W‖₂", measured: "gradient, measured", estimate: "radius alone, ρᵏ", bound: "bound, ‖W‖₂ᵏ",
  });
  const get = (name) => model.get(name);
  const put = (name) => (value) => link.set({ [name]: value });
  const controls = [
    slider({
      label: "spectral radius ρ", min: 0.5, max: 1.3, step: 0.005, value: get("radius"),
      show: (value) => number(value, 3), onInput: put("radius"),
    }),
    slider({
      label: "gain over radius ‖W‖₂/ρ", min: 1, max: 4, step: 0.01, value: get("gain"),
      show: (value) => number(value, 2), onInput: put("gain"),
    }),
    slider({
      label: "input amplitude", min: 0, max: 2, step: 0.01, value: get("drive"),
      show: (value) => number(value, 2), onInput: put("drive"),
    }),
    slider({
      label: "horizon k", min: 1, max: LONGEST, step: 1, value: get("horizon"),
      show: (value) => `${value} steps`, onInput: put("horizon"),
    }),
  ];

  const paint = () => {
    const [radius, gain, drive, horizon] = ["radius", "gain", "drive", "horizon"].map(get);
    [radius, gain, drive, horizon].forEach((value, i) => controls[i].set(value));
    const W = oneWayMatrix(radius, gain);
    const jacobians = tanhJacobians(W, swungStates(W, drive, LONGEST));
    const norms = backwardNorms(jacobians);
    back.show(norms, radius, gain, horizon);
    forth.show(kickedEcho(jacobians, horizon));
    const told = tell(norms, radius, gain, horizon);
    ["norm", "measured", "estimate", "bound"].forEach((name) => values.set(name, told[name], told.exact[name]));
    voice.say(told.sentence);
  };
  const link = follow(model, ["radius", "gain", "drive", "horizon"], paint);

  const move = (horizon) => link.set({ horizon: Math.max(1, Math.min(LONGEST, Math.round(horizon))) });
  back.onTake(move);
  back.handle.addEventListener("keydown", (event) => {
    const far = { ArrowLeft: 1, ArrowUp: 1, ArrowRight: -1, ArrowDown: -1 }[event.key];
    if (!far) return;
    event.preventDefault();
    move(get("horizon") + far * (event.shiftKey ? 10 : 1));
  });

  arrange(el, {
    label: model.get("alt"), panels: [back.svg, forth.svg], controls: controls.map(({ root }) => root),
    values: values.root, voice: voice.root, reset: resetButton(link.reset),
  });
  paint();
  return () => { link.stop(); voice.stop(); };
}

/** A factor in words and digits: per cent below 1, times above, powers of ten far out. */
function factor(value) {
  if (value === 0) return "0";
  const exponent = Math.floor(Math.log10(value));
  if (exponent < -4 || exponent > 5) {
    const digits = String(Math.abs(exponent)).split("").map((digit) => "⁰¹²³⁴⁵⁶⁷⁸⁹"[digit]).join("");
    return `${number(value / 10 ** exponent, 1)} · 10${exponent < 0 ? "⁻" : ""}${digits}`;
  }
  if (value >= 9.95) return `${number(value, 0)} times`;
  if (value >= 1.0005) return `${number(value, 2)} times`;
  return `${number(100 * value, value < 0.01 ? 2 : 1)} %`;
}

/** The numbers and the sentence for one setting. */
function tell(norms, radius, gain, horizon) {
  const measured = norms[horizon];
  const [estimate, bound] = [radius ** horizon, (radius * gain) ** horizon];
  let fate = "keeps about its size";
  if (measured < 0.5) fate = "has faded";
  else if (measured > 2) fate = "has grown";
  const off = measured / estimate;
  let why = "the spectral radius alone forecasts as much";
  if (off > 1.05) why = `the spectral radius alone forecasts ${factor(estimate)}: the one-way push adds the rest`;
  else if (off < 0.95) why = `the spectral radius alone forecasts ${factor(estimate)}: the flat parts of tanh took the rest`;
  return {
    norm: number(radius * gain, 3), measured: factor(measured), estimate: factor(estimate), bound: factor(bound),
    exact: { norm: radius * gain, measured, estimate, bound },
    sentence: `${horizon} ${horizon === 1 ? "step" : "steps"} back the gradient ${fate}, to ${factor(measured)}; ${why}.`,
  };
}

const BEFORE = { from: LONGEST, to: 0, ticks: [100, 75, 50, 25, 0], label: "steps before the end" };

/** The gradient against steps back, on a logarithmic scale, with its bound, its estimate and the horizon. */
function gradientPanel() {
  const view = panel({
    width: 370, height: 316, x: BEFORE, y: { from: -6, to: 6, ticks: [-6, -3, 0, 3, 6] },
    title: "log₁₀ of the gradient’s size",
  });
  const { px, py } = view;
  const steps = Array.from({ length: LONGEST + 1 }, (_, k) => px(k));
  const curve = (colour, width, dashes) => draw("path", {
    fill: "none", stroke: `var(--${colour})`, "stroke-width": width, "stroke-dasharray": dashes,
  });
  const [bound, radiusOnly, measured] = [curve("orange", 1.6, "7 4"), curve("green", 1.8, "2 3"), curve("blue", 2.4, "none")];
  const rule = draw("path", { stroke: "var(--faint)", "stroke-dasharray": "3 3" });
  const key = (curve, words, row) => {
    const sample = curve.cloneNode();
    sample.setAttribute("d", `M${px(97)} ${py(5.4 - row)}H${px(86)}`);
    view.free.append(sample, text(px(84), py(5.4 - row) + 4, words, "start", "live-note"));
  };
  key(bound, "bound ‖W‖₂ᵏ", 0);
  key(radiusOnly, "estimate ρᵏ", 0.95);
  key(measured, "measured", 1.9);
  view.back.append(draw("path", { d: `M${px(LONGEST)} ${py(0)}H${px(0)}`, stroke: "var(--line)" }), rule);
  view.front.append(bound, radiusOnly, measured);
  const handle = draw("g", {
    class: "live-handle", tabindex: 0, role: "slider", "aria-label": "horizon, moved by the arrow keys",
    "aria-valuemin": 1, "aria-valuemax": LONGEST,
  }, draw("circle", { class: "live-ring", r: 22 }), draw("circle", { class: "live-dot", r: 7, fill: "var(--blue)" }));
  view.free.append(handle);
  let at = [px(0), py(0)];
  // Far outside the panel nothing is seen, and infinite coordinates upset a browser.
  const height = (value, edge = 60) => py(Math.max(-edge, Math.min(edge, Math.log10(value))));
  return {
    svg: view.svg, handle,
    onTake: (move) => draggable(view.svg, handle, () => at, (x) => move(view.x(x))),
    show: (norms, radius, gain, horizon) => {
      measured.setAttribute("d", line(steps, norms.map((value) => height(value))));
      radiusOnly.setAttribute("d", line(steps, norms.map((_, k) => height(radius ** k))));
      bound.setAttribute("d", line(steps, norms.map((_, k) => height((radius * gain) ** k))));
      rule.setAttribute("d", `M${px(horizon)} ${py(-6)}V${py(6)}`);
      at = [px(horizon), height(norms[horizon], 6)];
      handle.setAttribute("transform", `translate(${at[0]} ${at[1]})`);
      handle.setAttribute("aria-valuenow", horizon);
      handle.setAttribute("aria-valuetext", `${horizon} steps before the end, gradient ${factor(norms[horizon])}`);
    },
  };
}

/** The echo of a kick to unit 2 at the horizon, in both units, up to the end. */
function echoPanel() {
  const view = panel({
    width: 370, height: 316, x: BEFORE, y: { from: -2, to: 6, ticks: [-2, 0, 2, 4, 6] },
    title: "Echo of a kick to unit 2",
  });
  const { px, py } = view;
  const curve = (colour, dashes) => draw("path", {
    fill: "none", stroke: `var(--${colour})`, "stroke-width": 2.2, "stroke-dasharray": dashes,
  });
  const units = [curve("vermilion", "none"), curve("sky", "6 4")];
  const rule = draw("path", { stroke: "var(--faint)", "stroke-dasharray": "3 3" });
  ["unit 1, pushed by 2", "unit 2, kicked"].forEach((words, row) => {
    const sample = units[row].cloneNode();
    sample.setAttribute("d", `M${px(97)} ${py(5.6 - 0.64 * row)}H${px(86)}`);
    view.free.append(sample, text(px(84), py(5.6 - 0.64 * row) + 4, words, "start", "live-note"));
  });
  view.back.append(draw("path", { d: `M${px(LONGEST)} ${py(0)}H${px(0)}`, stroke: "var(--line)" }), rule);
  view.front.append(...units);
  const clamp = (value) => py(Math.max(-9, Math.min(9, value)));
  return {
    svg: view.svg,
    show: (echoes) => {
      const horizon = echoes.length - 1;
      const places = echoes.map((_, t) => px(horizon - t));
      units.forEach((unit, i) => unit.setAttribute("d", line(places, echoes.map((both) => clamp(both[i])))));
      rule.setAttribute("d", `M${px(horizon)} ${py(-2)}V${py(6)}`);
    },
  };
}
