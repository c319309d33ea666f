/**
 * How long should a decoder look back? Simulated cosine-tuned neurons, a linear decoder that averages the
 * last bins, and its answer against the true velocity: a short window is noisy, a long one late.
 */
import { counts, invert, rSquared, smooth, wander } from "./core.js";
import {
  arrange, draggable, draw, follow, line, number, panel, readouts, resetButton, slider, speaker, text,
} from "./kit.js";

const LONGEST = 24;

export default { render };

function render({ model, el }) {
  const dt = model.get("dt");
  const steps = model.get("steps");
  const seed = model.get("seed");
  const truth = wander(steps, dt, { seed });
  const traces = tracePanel(truth[0], dt);
  const curve = curvePanel();
  const voice = speaker();
  const values = readouts({ score: "R², mean of x and y", delay: "delay of the average", best: "best history here" });

  const whole = (label, name, min, max, show) => slider({
    label, min, max, step: 1, value: model.get(name), show, onInput: (value) => link.set({ [name]: value }),
  });
  const milliseconds = (bins) => `${number(1000 * bins * dt, 0)} ms`;
  const bins = (value) => `${value} ${value === 1 ? "bin" : "bins"} = ${milliseconds(value)}`;
  const controls = {
    window: whole("history", "window", 1, LONGEST, bins),
    neurons: whole("neurons", "neurons", 3, 60, (value) => String(value)),
    noise: slider({
      label: "added noise", min: 0, max: 3, step: 0.1, value: model.get("noise"),
      show: (value) => `${number(value, 1)} spikes per bin`, onInput: (noise) => link.set({ noise }),
    }),
  };

  // Only neurons and noise change the spikes; the window works on what was read from each bin.
  let made = null;
  const read = (neurons, noise) => {
    const key = `${neurons} ${noise}`;
    if (made === null || made.key !== key) {
      const raw = invert(counts(truth, dt, { neurons, noise, seed }), dt);
      const scores = Array.from({ length: LONGEST }, (_, i) => score(truth, raw, i + 1));
      made = { key, raw, scores };
    }
    return made;
  };

  const paint = () => {
    const [window, neurons, noise] = ["window", "neurons", "noise"].map((name) => model.get(name));
    Object.entries(controls).forEach(([name, { set }]) => set(model.get(name)));
    const { raw, scores } = read(neurons, noise);
    const best = scores.indexOf(Math.max(...scores)) + 1;
    const reached = scores[window - 1];
    traces.show(smooth(raw[0], window));
    curve.show(scores, window, `${bins(window)}, R² ${number(reached, 2)}`);
    values.set("score", number(reached, 3), reached);
    values.set("delay", milliseconds((window - 1) / 2), ((window - 1) / 2) * dt);
    values.set("best", bins(best), best);
    const verdict = window < best - 1 ? "shorter than best, so the answer is noisy"
      : window > best + 1 ? "longer than best, so the answer is late and flat" : "about the best for these neurons";
    voice.say(`With ${neurons} neurons and a history of ${bins(window)}, R² is ${number(reached, 3)}: ${verdict}.`);
  };
  const link = follow(model, ["window", "neurons", "noise"], paint);
  curve.onTake((window) => link.set({ window }));

  arrange(el, {
    label: model.get("alt"), panels: [traces.svg, curve.svg], controls: Object.values(controls).map(({ root }) => root),
    values: values.root, voice: voice.root, reset: resetButton(link.reset),
  });
  paint();
  return () => { link.stop(); voice.stop(); };
}

/** R² of a window on the bins that every window has filled, so that windows are compared on equal terms. */
export function score(truth, raw, window) {
  return rSquared(truth, raw.map((values) => smooth(values, window)), LONGEST - 1);
}

/** True and decoded velocity along x over time. */
function tracePanel(truth, dt) {
  const end = truth.length * dt;
  const view = panel({
    width: 420, height: 260, x: { from: 0, to: end, ticks: [0, end / 2, end], label: "time (s)" },
    y: { from: -35, to: 35, ticks: [-30, 0, 30] }, title: "Velocity along x (cm/s)",
  });
  const { px, py } = view;
  const times = Array.from(truth, (_, t) => px(t * dt));
  const path = (values) => line(times, Array.from(values, (value) => py(value)));
  const decoded = draw("path", { fill: "none", stroke: "var(--orange)", "stroke-width": 1.6 });
  view.front.append(draw("path", { d: path(truth), fill: "none", stroke: "var(--ink)", "stroke-width": 1.6 }), decoded);
  view.free.append(
    draw("path", { d: "M190 11h22", stroke: "var(--ink)", "stroke-width": 2 }), text(217, 15, "true", "start"),
    draw("path", { d: "M262 11h22", stroke: "var(--orange)", "stroke-width": 2 }), text(289, 15, "decoded", "start"),
  );
  return { svg: view.svg, show: (values) => decoded.setAttribute("d", path(values)) };
}

/** R² against the length of the history; the point can be dragged along the curve. */
function curvePanel() {
  const view = panel({
    width: 280, height: 260, x: { from: 0, to: LONGEST + 1, ticks: [1, 8, 16, 24], label: "history (bins)" },
    y: { from: 0, to: 1, ticks: [0, 0.5, 1] }, title: "R²",
  });
  const { px, py } = view;
  const path = draw("path", { fill: "none", stroke: "var(--blue)", "stroke-width": 2 });
  const handle = draw("g", {
    class: "live-handle", tabindex: 0, role: "slider", "aria-label": "history, in bins",
    "aria-valuemin": 1, "aria-valuemax": LONGEST,
  }, draw("circle", { class: "live-ring", r: 22 }), draw("circle", { class: "live-dot", r: 7, fill: "var(--blue)" }));
  view.front.append(path);
  view.free.append(handle);
  let at = [0, 0];
  let bins = 1;
  return {
    svg: view.svg,
    onTake: (choose) => {
      const within = (value) => choose(Math.max(1, Math.min(LONGEST, Math.round(value))));
      draggable(view.svg, handle, () => at, (x) => within(view.x(x)));
      handle.addEventListener("keydown", (event) => {
        const move = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1, Home: -LONGEST, End: LONGEST }[event.key];
        if (!move) return;
        event.preventDefault();
        within(bins + move);
      });
    },
    show: (scores, window, words) => {
      bins = window;
      at = [px(window), py(Math.max(0, scores[window - 1]))];
      path.setAttribute("d", line(scores.map((_, i) => px(i + 1)), scores.map((value) => py(Math.max(-1, value)))));
      handle.setAttribute("transform", `translate(${at[0]} ${at[1]})`);
      handle.setAttribute("aria-valuenow", window);
      handle.setAttribute("aria-valuetext", words);
    },
  };
}
