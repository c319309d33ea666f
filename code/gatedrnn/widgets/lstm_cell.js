/**
 * One LSTM unit that hears a spike train. Step through it, or take hold of the step; move the biases: the four
 * gates, the cell state, the hidden state, the numbers and the arithmetic of the step follow.
 */
import { decayTime, lstmUnit } from "./core.js";
import {
  arrange, draggable, draw, follow, html, line, number, panel, readouts, resetButton, slider, speaker, text,
} from "./kit.js";

const GATES = ["input", "forget", "candidate", "output"];
const LETTERS = { input: "i", forget: "f", candidate: "g", output: "o" };
const COLOURS = { input: "orange", forget: "green", candidate: "sky", output: "vermilion" };
const DASHES = { input: "none", forget: "8 3", candidate: "2 3", output: "8 3 2 3" };

export default { render };

function render({ model, el }) {
  const steps = model.get("steps");
  const get = (name) => model.get(name);
  const gates = gatePanel(steps);
  const cell = statePanel(steps, { title: "Cell state c", colour: "blue", from: -1.5, to: 3, ticks: [-1, 0, 1, 2, 3] });
  const hidden = statePanel(steps, { title: "Hidden state h", colour: "vermilion", from: -1.05, to: 1.05, ticks: [-1, 0, 1] });
  const states = html("div", { style: "flex: 357 1 286px; min-width: 0; max-width: 357px" }, cell.svg, hidden.svg);
  const voice = speaker();
  const values = readouts({
    input: "input i", forget: "forget f", candidate: "candidate g", output: "output o", cell: "cell c", hidden: "hidden h",
    keeps: "keeps for τ",
  });
  const go = (step) => link.set({ step: Math.max(0, Math.min(steps - 1, Math.round(step))) });
  const sliders = Object.fromEntries(GATES.map((gate) => [`bias_${gate}`, slider({
    label: `bias of ${LETTERS[gate]}, ${gate}`, min: -6, max: 6, step: 0.1, value: get(`bias_${gate}`),
    show: (value) => number(value, 1), onInput: (value) => link.set({ [`bias_${gate}`]: value }),
  })]));
  sliders.feedback = slider({
    label: "weight of h on gates", min: -4, max: 4, step: 0.1, value: get("feedback"),
    show: (value) => number(value, 1), onInput: (value) => link.set({ feedback: value }),
  });
  const button = html("button", { type: "button", class: "live-button" }, "Next step");
  button.addEventListener("click", () => go((get("step") + 1) % steps));

  const paint = () => {
    const inputs = new Float64Array(steps);
    get("spikes").forEach((t) => { inputs[t] = 1; });
    const feedback = GATES.map(() => get("feedback"));
    const trace = lstmUnit(inputs, { weights: get("weights"), feedback, biases: GATES.map((gate) => get(`bias_${gate}`)) });
    const step = get("step");
    Object.entries(sliders).forEach(([name, { set }]) => set(get(name)));
    gates.show(trace, inputs, step);
    cell.show(trace.cell, step);
    hidden.show(trace.hidden, step);
    const told = tell(trace, inputs, step);
    Object.entries(told.values).forEach(([name, words]) => values.set(name, words, told.exact[name]));
    voice.say(told.sentence);
  };
  const link = follow(model, [...Object.keys(sliders), "step", "spikes"], paint);

  gates.onTake(go);
  gates.handle.addEventListener("keydown", (event) => {
    const far = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1 }[event.key];
    if (!far) return;
    event.preventDefault();
    go(get("step") + far * (event.shiftKey ? 10 : 1));
  });

  arrange(el, {
    label: get("alt"), panels: [gates.svg, states],
    controls: [...Object.values(sliders).map(({ root }) => root), button],
    values: values.root, voice: voice.root, reset: resetButton(link.reset),
  });
  paint();
  return () => { link.stop(); voice.stop(); };
}

/** The numbers of one step, and its arithmetic in a sentence. */
function tell(trace, inputs, step) {
  const at = (name) => trace[name][step];
  const before = step ? trace.cell[step - 1] : 0;
  const tau = decayTime(at("forget"), 1);
  const n = (value) => number(value, 2);
  const signed = (value) => (value < -0.005 ? `(${n(value)})` : n(value));
  const values = Object.fromEntries([...GATES, "cell", "hidden"].map((name) => [name, number(at(name), 3)]));
  values.keeps = tau > 1e4 ? "ever" : `${number(tau, tau < 10 ? 2 : 0)} steps`;
  const heard = inputs[step] ? "a spike" : "no spike";
  const exact = Object.fromEntries([...GATES, "cell", "hidden"].map((name) => [name, at(name)]));
  return {
    values, exact: { ...exact, keeps: tau },
    sentence: `Step ${step}, ${heard}: c = f·c + i·g = ${n(at("forget"))} · ${signed(before)} + `
      + `${n(at("input"))} · ${signed(at("candidate"))} = ${n(at("cell"))}; `
      + `h = o·tanh(c) = ${n(at("output"))} · ${signed(Math.tanh(at("cell")))} = ${n(at("hidden"))}.`,
  };
}

function timeAxis(steps) {
  return { from: 0, to: steps, ticks: [0, 20, 40, 60, 80].filter((tick) => tick <= steps), label: "step" };
}

/** A value that holds through its step, as a staircase. */
function staircase(view, values, low, high) {
  const x = [];
  const y = [];
  // Far outside the panel nothing is seen, and huge coordinates upset some browsers.
  values.forEach((value, t) => {
    const height = view.py(Math.max(low, Math.min(high, value)));
    x.push(view.px(t), view.px(t + 1));
    y.push(height, height);
  });
  return line(x, y);
}

/** The spikes and the four gates, with the handle of the step. */
function gatePanel(steps) {
  const view = panel({
    width: 357, height: 320, x: timeAxis(steps), y: { from: -1.1, to: 1.75, ticks: [-1, 0, 1] }, title: "Spikes and gates",
  });
  const { px, py } = view;
  const curve = (gate) => draw("path", {
    fill: "none", stroke: `var(--${COLOURS[gate]})`, "stroke-width": 2.2, "stroke-dasharray": DASHES[gate],
  });
  const curves = Object.fromEntries(GATES.map((gate) => [gate, curve(gate)]));
  const ticks = draw("path", { fill: "none", stroke: "var(--ink)", "stroke-width": 2 });
  const rule = draw("path", { stroke: "var(--faint)", "stroke-dasharray": "3 3" });
  view.back.append(
    draw("path", { d: `M${px(0)} ${py(0)}H${px(steps)}M${px(0)} ${py(1)}H${px(steps)}`, stroke: "var(--line)" }), rule, ticks,
  );
  view.front.append(...Object.values(curves));
  GATES.forEach((gate, place) => {
    const sample = curves[gate].cloneNode();
    const [x, y] = [px(4 + 38 * (place % 2)), py(-0.62) + 19 * Math.floor(place / 2)];
    sample.setAttribute("d", `M${x} ${y - 4}h22`);
    view.free.append(sample, text(x + 27, y, `${LETTERS[gate]}, ${gate}`, "start", "live-note"));
  });
  const handle = draw("g", {
    class: "live-handle", tabindex: 0, role: "slider", "aria-label": "step, moved by the arrow keys",
    "aria-valuemin": 0, "aria-valuemax": steps - 1,
  }, draw("circle", { class: "live-ring", r: 22 }), draw("circle", { class: "live-dot", r: 7, fill: "var(--blue)" }));
  view.free.append(handle);
  let at = [px(0), py(1.6)];
  return {
    svg: view.svg, handle,
    onTake: (go) => draggable(view.svg, handle, () => at, (x) => go(view.x(x) - 0.5)),
    show: (trace, inputs, step) => {
      GATES.forEach((gate) => curves[gate].setAttribute("d", staircase(view, trace[gate], -2, 2)));
      const spikes = Array.from(inputs, (x, t) => (x ? `M${px(t + 0.5)} ${py(1.12)}V${py(1.42)}` : ""));
      ticks.setAttribute("d", spikes.join(""));
      at = [px(step + 0.5), py(1.6)];
      rule.setAttribute("d", `M${at[0]} ${py(-1.1)}V${py(1.75)}`);
      handle.setAttribute("transform", `translate(${at[0]} ${at[1]})`);
      handle.setAttribute("aria-valuenow", step);
      handle.setAttribute("aria-valuetext", `step ${step}, ${inputs[step] ? "a spike" : "no spike"}`);
    },
  };
}

/** One state over time, with a dot on the step. */
function statePanel(steps, { title, colour, from, to, ticks }) {
  const view = panel({ width: 357, height: 160, x: timeAxis(steps), y: { from, to, ticks }, title });
  const { px, py } = view;
  const curve = draw("path", { fill: "none", stroke: `var(--${colour})`, "stroke-width": 2.2 });
  const dot = draw("circle", { r: 5, fill: `var(--${colour})` });
  const rule = draw("path", { stroke: "var(--faint)", "stroke-dasharray": "3 3" });
  view.back.append(draw("path", { d: `M${px(0)} ${py(0)}H${px(steps)}`, stroke: "var(--line)" }), rule);
  view.front.append(curve, dot);
  return {
    svg: view.svg,
    show: (values, step) => {
      const span = to - from;
      curve.setAttribute("d", staircase(view, values, from - span, to + span));
      const x = px(step + 0.5);
      rule.setAttribute("d", `M${x} ${py(from)}V${py(to)}`);
      dot.setAttribute("cx", x);
      dot.setAttribute("cy", py(Math.max(from - span, Math.min(to + span, values[step]))));
    },
  };
}
