/**
 * One LSTM unit at work. It steps through a spike train by itself; whoever takes hold of the step, moves the
 * slider or presses a key has it in hand, and it waits. Where less motion is wanted, it waits from the start.
 */
import { lstmUnit } from "./core.js";
import {
  arrange, draggable, draw, follow, html, line, number, panel, readouts, resetButton, slider, speaker, text, unique,
} from "./kit.js";

const GATES = ["input", "forget", "output"];
const COLOURS = { input: "orange", forget: "green", output: "vermilion" };
const PACE = 240; // milliseconds a step
const [LOWEST, HIGHEST] = [-0.9, 4]; // of the states' axis; a cell that holds more is drawn full, at its edge
const within = (value, low, high) => Math.max(low, Math.min(high, value));

export default { render };

function render({ model, el }) {
  const steps = model.get("steps");
  const get = (name) => model.get(name);
  const unit = unitPanel();
  const time = timePanel(steps);
  const voice = speaker();
  const values = readouts({ input: "input gate", forget: "forget gate", output: "output gate", cell: "cell c", hidden: "hidden h" });
  const memory = slider({
    label: "bias of the forget gate", min: -3, max: 6, step: 0.1, value: get("bias_forget"),
    show: (value) => number(value, 1), onInput: (value) => byHand({ bias_forget: value }),
  });
  memory.root.style.flexBasis = "17rem"; // on a phone a row of its own, and one for the three buttons
  const button = (words, act) => {
    const made = html("button", { type: "button", class: "live-button" }, words);
    made.addEventListener("click", act);
    return made;
  };
  const wrap = (step) => ((step % steps) + steps) % steps;
  const clock = pacemaker(el, () => link.set({ step: wrap(get("step") + 1) }), (runs) => {
    play.textContent = runs ? "Pause" : "Play";
  });
  const play = button("Play", () => clock.toggle());
  const spike = button("Spike here", () => byHand({ spikes: toggled(get("spikes"), get("step")) }));
  const byHand = (changes) => { clock.pause(); link.set(changes); };
  const go = (step) => byHand({ step: within(Math.round(step), 0, steps - 1) });

  const paint = () => {
    const inputs = new Float64Array(steps);
    get("spikes").forEach((t) => { inputs[t] = 1; });
    const biases = get("biases").map((bias, gate) => (gate === 1 ? get("bias_forget") : bias));
    const trace = lstmUnit(inputs, { weights: get("weights"), feedback: get("recurrent"), biases });
    const step = get("step");
    memory.set(get("bias_forget"));
    spike.textContent = inputs[step] ? "No spike here" : "Spike here";
    unit.show(trace, inputs, step);
    time.show(trace, inputs, step);
    [...GATES, "cell", "hidden"].forEach((name) => values.set(name, number(trace[name][step], 3), trace[name][step]));
    voice.say(tell(trace, inputs, step));
  };
  const link = follow(model, ["bias_forget", "step", "spikes"], paint);

  time.onTake(go);
  time.handle.addEventListener("keydown", (event) => {
    const far = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1 }[event.key];
    if (!far) return;
    event.preventDefault();
    go(get("step") + far * (event.shiftKey ? 10 : 1));
  });

  const root = arrange(el, {
    label: get("alt"), panels: [unit.svg, time.svg], controls: [memory.root, play, spike],
    values: values.root, voice: voice.root, reset: resetButton(() => { clock.pause(); link.reset(); }),
  });
  root.classList.add("live-breathes");
  paint();
  clock.start();
  return () => { clock.stop(); link.stop(); voice.stop(); };
}

/** The steps of the spikes, with one more or one fewer. */
function toggled(spikes, step) {
  return spikes.includes(step) ? spikes.filter((t) => t !== step) : [...spikes, step].sort((a, b) => a - b);
}

/** What happens at one step, in words short enough for two lines. */
function tell(trace, inputs, step) {
  const n = (name) => number(trace[name][step], 2);
  const heard = inputs[step] ? "a spike" : "no spike";
  return `Step ${step}, ${heard}: the unit keeps ${number(100 * trace.forget[step], 0)} % of what it held, `
    + `now holds ${n("cell")} and says ${n("hidden")}.`;
}

/**
 * A clock that calls `beat` while the figure is in sight, unless the reader has asked for less motion or has
 * paused it. `onChange(runs)` hears whether it is meant to run.
 */
function pacemaker(el, beat, onChange) {
  let timer = null;
  let [wanted, inSight] = [false, false];
  const update = () => {
    const runs = wanted && inSight;
    if (runs && timer === null) timer = setInterval(beat, PACE);
    if (!runs) { clearInterval(timer); timer = null; }
    onChange(wanted);
  };
  const sight = new IntersectionObserver((entries) => { inSight = entries.at(-1).isIntersecting; update(); });
  const want = (next) => { wanted = next; update(); };
  return {
    start: () => {
      sight.observe(el);
      want(!matchMedia("(prefers-reduced-motion: reduce)").matches);
    },
    pause: () => want(false),
    toggle: () => want(!wanted),
    stop: () => { sight.disconnect(); clearInterval(timer); },
  };
}

/** The unit: a cell between its input and its output gate, and the forget gate on the loop back to itself. */
function unitPanel() {
  const width = 300;
  const svg = draw("svg", { class: "live-panel", viewBox: `0 24 ${width} 236`, role: "presentation" });
  svg.style.setProperty("--live-width", width);
  const places = { input: [78, 190], forget: [150, 72], output: [222, 190] };
  const [cx, cy, radius] = [150, 190, 36];
  const wire = (d) => draw("path", { d, fill: "none", stroke: "var(--faint)", "stroke-width": 1.5 });
  const spike = draw("path", { stroke: "var(--ink)", "stroke-width": 4, "stroke-linecap": "round", d: "M20 176V204" });
  const level = draw("rect", { x: cx - radius, width: 2 * radius, fill: "var(--blue)", class: "live-breath" });
  const clip = draw("clipPath", { id: unique("cell") }, draw("circle", { cx, cy, r: radius }));
  const says = draw("circle", { cx: 280, cy: 190, r: 9, stroke: "var(--ink)", "stroke-width": 1.5, fill: "var(--vermilion)" });
  const discs = {};
  svg.append(draw("defs", {}, clip),
    wire(`M26 190H${cx - radius}M${cx + radius} 190H271`),
    wire(`M${cx + 26} ${cy - 26}C${cx + 84} 116 ${cx + 60} 72 ${cx} 72C${cx - 60} 72 ${cx - 84} 116 ${cx - 26} ${cy - 26}`),
    spike,
    draw("g", { "clip-path": `url(#${clip.id})` }, level),
    draw("circle", { cx, cy, r: radius, fill: "none", stroke: "var(--ink)", "stroke-width": 1.5 }),
    says,
    text(cx, cy + radius + 22, "cell c"), text(20, 230, "spike"), text(280, 230, "h"));
  GATES.forEach((gate) => {
    const [x, y] = places[gate];
    discs[gate] = draw("circle", { cx: x, cy: y, fill: `var(--${COLOURS[gate]})`, class: "live-breath" });
    svg.append(
      draw("circle", { cx: x, cy: y, r: 23, fill: "var(--ground)", stroke: "var(--ink)", "stroke-width": 1.5 }), discs[gate],
      text(x, gate === "forget" ? y - 32 : y + 40, `${gate} gate`),
    );
  });
  return {
    svg,
    show: (trace, inputs, step) => {
      // The area of a disc is how far its gate is open.
      GATES.forEach((gate) => discs[gate].setAttribute("r", (23 * Math.sqrt(trace[gate][step])).toFixed(2)));
      const held = within(trace.cell[step] / HIGHEST, 0, 1) * 2 * radius;
      level.setAttribute("y", (cy + radius - held).toFixed(2));
      level.setAttribute("height", held.toFixed(2));
      spike.setAttribute("stroke-opacity", inputs[step] ? 1 : 0.15);
      says.setAttribute("fill-opacity", Math.abs(trace.hidden[step]).toFixed(3));
    },
  };
}

/** Spikes, cell state and hidden state over time, with the handle of the step. */
function timePanel(steps) {
  const view = panel({
    width: 414, height: 300, x: { from: 0, to: steps, ticks: [0, 20, 40, 60, 80].filter((tick) => tick <= steps), label: "step" },
    y: { from: LOWEST, to: HIGHEST + 1.3, ticks: [0, 1, 2, 3, 4] }, title: "What it hears, holds and says",
  });
  const { px, py } = view;
  const curve = (colour, dashes) => draw("path", {
    fill: "none", stroke: `var(--${colour})`, "stroke-width": 2.4, "stroke-dasharray": dashes, "stroke-linejoin": "round",
  });
  const [cell, hidden] = [curve("blue", "none"), curve("vermilion", "7 3")];
  const ticks = draw("path", { fill: "none", stroke: "var(--ink)", "stroke-width": 2 });
  const rule = draw("path", { stroke: "var(--ink)", "stroke-width": 1.2 });
  const later = draw("rect", { y: py(HIGHEST + 1.3), height: py(LOWEST) - py(HIGHEST + 1.3), fill: "var(--ground)", "fill-opacity": 0.62 });
  const dots = ["blue", "vermilion"].map((colour) => draw("circle", { r: 5, fill: `var(--${colour})` }));
  view.back.append(draw("path", { d: `M${px(0)} ${py(0)}H${px(steps)}`, stroke: "var(--line)" }), ticks);
  view.front.append(cell, hidden, later, rule, ...dots);
  [["cell c", cell, 34], ["hidden h", hidden, 56]].forEach(([words, sample, t]) => {
    const key = sample.cloneNode();
    key.setAttribute("d", `M${px(t)} ${py(-0.5)}h22`);
    view.free.append(key, text(px(t) + 27, py(-0.5) + 4, words, "start", "live-note"));
  });
  const handle = draw("g", {
    class: "live-handle", tabindex: 0, role: "slider", "aria-label": "step, moved by the arrow keys",
    "aria-valuemin": 0, "aria-valuemax": steps - 1,
  }, draw("circle", { class: "live-ring", r: 22 }), draw("circle", { class: "live-dot", r: 7, fill: "var(--blue)" }));
  view.free.append(handle);
  let at = [px(0), py(HIGHEST + 0.95)];
  const edge = (value) => py(within(value, LOWEST, HIGHEST));
  return {
    svg: view.svg, handle,
    onTake: (go) => draggable(view.svg, handle, () => at, (x) => go(view.x(x) - 0.5)),
    show: (trace, inputs, step) => {
      const middles = trace.cell.map((_, t) => px(t + 0.5));
      cell.setAttribute("d", line(middles, trace.cell.map(edge)));
      hidden.setAttribute("d", line(middles, trace.hidden.map(edge)));
      const heard = Array.from(inputs, (x, t) => (x ? `M${px(t + 0.5)} ${py(HIGHEST + 0.1)}V${py(HIGHEST + 0.6)}` : ""));
      ticks.setAttribute("d", heard.join(""));
      at = [px(step + 0.5), at[1]];
      rule.setAttribute("d", `M${at[0]} ${at[1]}V${py(LOWEST)}`);
      later.setAttribute("x", at[0]);
      later.setAttribute("width", px(steps) - at[0]);
      dots.forEach((dot, i) => {
        dot.setAttribute("cx", at[0]);
        dot.setAttribute("cy", edge((i ? trace.hidden : trace.cell)[step]));
      });
      handle.setAttribute("transform", `translate(${at[0]} ${at[1]})`);
      handle.setAttribute("aria-valuenow", step);
      handle.setAttribute("aria-valuetext", `step ${step}, ${inputs[step] ? "a spike" : "no spike"}`);
    },
  };
}
