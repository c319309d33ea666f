/**
 * One GRU unit that hears a spike train. Take hold of the step, or of the point between the old state and the
 * candidate; move the biases: candidate, state, gates, the numbers and the arithmetic of the step follow.
 * Here z is how much is updated; `gruUnit`, like torch, asks how much is kept, so its update gate is turned round.
 */
import { biasOfGate, decayTime, gruUnit } from "./core.js";
import {
  arrange, draggable, draw, follow, html, line, number, panel, readouts, resetButton, slider, speaker, text,
} from "./kit.js";

const LIMIT = 6;
const within = (value, low, high) => Math.max(low, Math.min(high, value));

export default { render };

function render({ model, el }) {
  const steps = model.get("steps");
  const get = (name) => model.get(name);
  const inputs = () => {
    const train = new Float64Array(steps);
    get("spikes").forEach((t) => { train[t] = 1; });
    return train;
  };
  const states = statePanel(steps);
  const gates = gatePanel(steps);
  const between = betweenPanel();
  const right = html("div", { style: "flex: 357 1 286px; min-width: 0; max-width: 357px" }, gates.svg, between.svg);
  const voice = speaker();
  const values = readouts({
    update: "update z", reset: "reset r", before: "old state", candidate: "candidate h̃", hidden: "new state h", keeps: "keeps for τ",
  });
  const bar = (name, label, far) => slider({
    label, min: -far, max: far, step: 0.1, value: get(name),
    show: (value) => number(value, 1), onInput: (value) => link.set({ [name]: value }),
  });
  const sliders = {
    bias_update: bar("bias_update", "bias of z, update", LIMIT),
    bias_reset: bar("bias_reset", "bias of r, reset", LIMIT),
    push: bar("push", "push of a spike on z", LIMIT),
    feedback: bar("feedback", "weight u of the past", 3),
  };
  const go = (step) => link.set({ step: within(Math.round(step), 0, steps - 1) });
  const choose = (z) => {
    const bias = biasOfGate(within(z, 0.001, 0.999)) - get("push") * inputs()[get("step")];
    link.set({ bias_update: within(bias, -LIMIT, LIMIT) });
  };

  const paint = () => {
    const train = inputs();
    const trace = gruUnit(train, {
      weights: [0, -get("push"), get("input_weight")], feedback: [0, 0, get("feedback")],
      biases: [get("bias_reset"), -get("bias_update"), 0],
    });
    trace.update = trace.update.map((kept) => 1 - kept);
    const step = get("step");
    Object.entries(sliders).forEach(([name, { set }]) => set(get(name)));
    states.show(trace, train, step);
    gates.show(trace, step);
    between.show(trace.update[step], trace.before[step], trace.candidate[step], trace.hidden[step]);
    const told = tell(trace, train, step);
    Object.entries(told.values).forEach(([name, words]) => values.set(name, words, told.exact[name]));
    voice.say(told.sentence);
  };
  const link = follow(model, [...Object.keys(sliders), "step", "spikes"], paint);

  states.onTake(go);
  between.onTake(choose);
  onArrows(states.handle, (far) => go(get("step") + far));
  onArrows(between.handle, (far) => choose(between.z() + 0.01 * far));

  arrange(el, {
    label: get("alt"), panels: [states.svg, right], controls: Object.values(sliders).map(({ root }) => root),
    values: values.root, voice: voice.root, reset: resetButton(link.reset),
  });
  paint();
  return () => { link.stop(); voice.stop(); };
}

/** Call `move(±1)` for the arrow keys, ±10 with shift. */
function onArrows(handle, move) {
  handle.addEventListener("keydown", (event) => {
    const far = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1 }[event.key];
    if (!far) return;
    event.preventDefault();
    move(far * (event.shiftKey ? 10 : 1));
  });
}

/** The numbers of one step, and its arithmetic in a sentence. */
function tell(trace, inputs, step) {
  const n = (value) => number(value, 2);
  const signed = (value) => (value < -0.005 ? `(${n(value)})` : n(value));
  const [z, before, candidate] = ["update", "before", "candidate"].map((name) => trace[name][step]);
  const tau = decayTime(1 - z, 1);
  const names = ["update", "reset", "before", "candidate", "hidden"];
  const exact = Object.fromEntries(names.map((name) => [name, trace[name][step]]));
  const values = Object.fromEntries(names.map((name) => [name, number(exact[name], 3)]));
  values.keeps = `${number(tau, tau < 10 ? 2 : 0)} steps`;
  return {
    values, exact: { ...exact, keeps: tau },
    sentence: `Step ${step}, ${inputs[step] ? "a spike" : "no spike"}: h = (1 − z)·old + z·h̃ = ${n(1 - z)} · ${signed(before)}`
      + ` + ${n(z)} · ${signed(candidate)} = ${n(trace.hidden[step])}.`,
  };
}

function timeAxis(steps) {
  return { from: 0, to: steps, ticks: [0, 20, 40, 60, 80].filter((tick) => tick <= steps), label: "step" };
}

/** A value that holds through its step, as a staircase. */
function stairs(view, values) {
  const x = values.flatMap((_, t) => [view.px(t), view.px(t + 1)]);
  return line(x, values.flatMap((value) => [view.py(value), view.py(value)]));
}

function stroke(colour, dashes = "none", width = 2.2) {
  return draw("path", { fill: "none", stroke: `var(--${colour})`, "stroke-width": width, "stroke-dasharray": dashes });
}

/** A sample of a line and what it stands for. */
function legend(view, x, y, curve, words) {
  const sample = curve.cloneNode();
  sample.setAttribute("d", `M${x} ${y - 4}h22`);
  view.free.append(sample, text(x + 27, y, words, "start", "live-note"));
}

function takeable(label, low, high) {
  return draw("g", {
    class: "live-handle", tabindex: 0, role: "slider", "aria-label": label, "aria-valuemin": low, "aria-valuemax": high,
  }, draw("circle", { class: "live-ring", r: 22 }), draw("circle", { class: "live-dot", r: 7, fill: "var(--blue)" }));
}

/** Spikes, candidate and state over time, with the handle of the step. */
function statePanel(steps) {
  const view = panel({
    width: 357, height: 350, x: timeAxis(steps), y: { from: -1.3, to: 1.75, ticks: [-1, 0, 1] }, title: "Spikes, candidate, state",
  });
  const { px, py } = view;
  const [candidate, hidden, ticks] = [stroke("orange", "2 3"), stroke("blue"), stroke("ink", "none", 2)];
  const rule = stroke("faint", "3 3", 1);
  const grid = [-1, 0, 1].map((y) => `M${px(0)} ${py(y)}H${px(steps)}`).join("");
  view.back.append(draw("path", { d: grid, stroke: "var(--line)" }), rule, ticks);
  view.front.append(candidate, hidden);
  legend(view, px(4), py(-1.18), candidate, "candidate h̃");
  legend(view, px(42), py(-1.18), hidden, "state h");
  const handle = takeable("step, moved by the arrow keys", 0, steps - 1);
  view.free.append(handle);
  let at = [px(0), py(1.6)];
  return {
    svg: view.svg, handle,
    onTake: (go) => draggable(view.svg, handle, () => at, (x) => go(view.x(x) - 0.5)),
    show: (trace, inputs, step) => {
      candidate.setAttribute("d", stairs(view, trace.candidate));
      hidden.setAttribute("d", stairs(view, trace.hidden));
      ticks.setAttribute("d", Array.from(inputs, (x, t) => (x ? `M${px(t + 0.5)} ${py(1.12)}V${py(1.42)}` : "")).join(""));
      at = [px(step + 0.5), py(1.6)];
      rule.setAttribute("d", `M${at[0]} ${py(-1.3)}V${py(1.75)}`);
      handle.setAttribute("transform", `translate(${at[0]} ${at[1]})`);
      handle.setAttribute("aria-valuenow", step);
      handle.setAttribute("aria-valuetext", `step ${step}, ${inputs[step] ? "a spike" : "no spike"}`);
    },
  };
}

/** Both gates over time. */
function gatePanel(steps) {
  const view = panel({
    width: 357, height: 150, x: timeAxis(steps), y: { from: -0.05, to: 1.05, ticks: [0, 1] }, title: "Gates",
  });
  const { px, py } = view;
  const [update, reset, rule] = [stroke("vermilion"), stroke("green", "8 3"), stroke("faint", "3 3", 1)];
  view.back.append(rule);
  view.front.append(reset, update);
  legend(view, 150, 15, update, "update z");
  legend(view, 252, 15, reset, "reset r");
  return {
    svg: view.svg,
    show: (trace, step) => {
      update.setAttribute("d", stairs(view, trace.update));
      reset.setAttribute("d", stairs(view, trace.reset));
      rule.setAttribute("d", `M${px(step + 0.5)} ${py(-0.05)}V${py(1.05)}`);
    },
  };
}

/** One step: the straight line from the old state (z = 0) to the candidate (z = 1), and the point on it. */
function betweenPanel() {
  const view = panel({
    width: 357, height: 200, x: { from: 0, to: 1, ticks: [0, 0.5, 1], label: "update z" },
    y: { from: -1.1, to: 1.1, ticks: [-1, 0, 1] }, title: "This step: from old to candidate",
  });
  const { px, py } = view;
  const path = stroke("ink", "none", 1.6);
  const drop = stroke("faint", "3 3", 1);
  const [old, fresh] = ["ink", "orange"].map((colour) => draw("circle", { r: 5, fill: `var(--${colour})` }));
  const handle = takeable("update z at this step, moved by the arrow keys", 0, 1);
  const zero = draw("path", { d: `M${px(0)} ${py(0)}H${px(1)}`, stroke: "var(--line)" });
  view.back.append(zero, drop, path);
  view.free.append(old, fresh, handle);
  let at = [px(0), py(0)];
  let chosen = 0;
  return {
    svg: view.svg, handle, z: () => chosen,
    onTake: (choose) => draggable(view.svg, handle, () => at, (x) => choose(view.x(x))),
    show: (z, before, candidate, hidden) => {
      chosen = z;
      at = [px(z), py(hidden)];
      path.setAttribute("d", line([px(0), px(1)], [py(before), py(candidate)]));
      drop.setAttribute("d", `M${at[0]} ${at[1]}V${py(-1.1)}`);
      [[old, 0, before], [fresh, 1, candidate]].forEach(([dot, x, y]) => {
        dot.setAttribute("cx", px(x));
        dot.setAttribute("cy", py(y));
      });
      handle.setAttribute("transform", `translate(${at[0]} ${at[1]})`);
      handle.setAttribute("aria-valuenow", z.toFixed(3));
      handle.setAttribute("aria-valuetext", `z ${number(z, 2)}, new state ${number(hidden, 2)}`);
    },
  };
}
