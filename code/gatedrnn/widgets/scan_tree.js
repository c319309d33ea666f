/**
 * A linear recurrence summed in pairs. Move through the rounds: bars show which steps are in the summary that
 * ends at each step, dots which states are known by then, and crosses how far a walk would have come.
 */
import { pulseTrain, scanRounds } from "./core.js";
import {
  arrange, draw, follow, html, line, number, panel, readouts, resetButton, slider, speaker, text,
} from "./kit.js";

const NAMES = ["doublings", "round", "keep"];

export default { render };

function render({ model, el }) {
  const [left, right] = [0, 1].map(() => html("div", { style: "display: contents" }));
  const voice = speaker();
  const values = readouts({
    done: "states known, in pairs", walked: "known, one by one", joined: "pairs joined", rounds: "rounds in all",
  });
  const controls = [
    slider({
      label: "steps, T", min: 2, max: 6, step: 1, value: model.get("doublings"), show: (d) => `${2 ** d}`,
      onInput: (doublings) => link.set({ doublings }),
    }),
    slider({
      label: "rounds done", min: 0, max: 11, step: 1, value: model.get("round"), show: (r) => `${r}`,
      onInput: (round) => link.set({ round }),
    }),
    slider({
      label: "kept per step, k", min: 0, max: 1, step: 0.05, value: model.get("keep"), show: (k) => number(k, 2),
      onInput: (keep) => link.set({ keep }),
    }),
  ];

  const paint = () => {
    const [doublings, round, keep] = NAMES.map((name) => model.get(name));
    [doublings, round, keep].forEach((value, i) => controls[i].set(value));
    const steps = 2 ** doublings;
    const told = scanRounds(Array(steps).fill(keep), pulseTrain(steps));
    const done = Math.min(round, told.length - 1);
    left.replaceChildren(spanPanel(told[done]));
    right.replaceChildren(statePanel(told[done], told.at(-1).added, Math.min(round, steps)));
    const known = told[done].first.filter((first) => first === 0).length;
    const joined = told.slice(0, done + 1).reduce((sum, one) => sum + one.joined.filter(Boolean).length, 0);
    const walked = Math.min(round, steps);
    const numbers = { done: known, walked, joined, rounds: told.length - 1 };
    Object.entries(numbers).forEach(([name, value]) => values.set(name, `${value}`, value));
    voice.say(`After ${done} of ${told.length - 1} rounds ${known} of ${steps} states are known in pairs; `
      + `one by one it would be ${walked}.`);
  };
  const link = follow(model, NAMES, paint);

  arrange(el, {
    label: model.get("alt"), panels: [left, right], controls: controls.map(({ root }) => root),
    values: values.root, voice: voice.root, reset: resetButton(link.reset),
  });
  paint();
  return () => { link.stop(); voice.stop(); };
}

/** The axis of steps, with ticks at quarters. */
function axis(steps, label) {
  return { from: 0.5, to: steps + 0.5, ticks: [1, steps / 4, steps / 2, (3 * steps) / 4, steps], label };
}

/** One bar per step, as long as its summary; a line from the bar to the one it was joined to. */
function spanPanel({ first, joined }) {
  const steps = first.length;
  const view = panel({
    width: 360, height: 316, x: axis(steps, "step"), y: { from: steps + 0.5, to: 0.5, ticks: axis(steps, "").ticks },
    title: "Steps in the summary that ends at each step",
  });
  const high = Math.abs(view.py(2) - view.py(1));
  first.forEach((start, t) => {
    const colour = start === 0 ? "var(--blue)" : "var(--orange)";
    const bar = {
      x: view.px(start + 0.5), width: view.px(t + 1.5) - view.px(start + 0.5), y: view.py(t + 1) - 0.4 * high,
      height: 0.8 * high, fill: colour, "fill-opacity": joined[t] ? 1 : 0.45,
    };
    view.back.append(draw("rect", bar));
  });
  view.free.append(
    draw("rect", { x: 200, y: 34, width: 10, height: 10, fill: "var(--blue)" }), text(214, 43, "back to the start", "start", "live-note"),
    draw("rect", { x: 200, y: 52, width: 10, height: 10, fill: "var(--orange)" }), text(214, 61, "not yet", "start", "live-note"),
  );
  return view.svg;
}

/** All states as a line; dots on those known in pairs, crosses on those known one by one. */
function statePanel({ first, added }, states, walked) {
  const steps = states.length;
  const top = Math.max(1, ...states) * 1.25;
  const view = panel({
    width: 360, height: 316, x: axis(steps, "step"), y: { from: 0, to: top, ticks: [0, 1, 2, 3, 4, 6, 8, 10, 12].filter((tick) => tick <= top) },
    title: "States that are known by now",
  });
  const [x, y] = [states.map((_, t) => view.px(t + 1)), states.map((value) => view.py(value))];
  const size = steps > 32 ? 2.4 : 4;
  view.back.append(draw("path", { d: line(x, y), fill: "none", stroke: "var(--faint)", "stroke-width": 1.4 }));
  first.forEach((start, t) => {
    if (start === 0) view.back.append(draw("circle", { cx: x[t], cy: view.py(added[t]), r: size, fill: "var(--blue)" }));
  });
  const crosses = x.slice(0, walked).map((at, t) =>
    `M${at - size} ${y[t] - size}l${2 * size} ${2 * size}m0 ${-2 * size}l${-2 * size} ${2 * size}`);
  view.back.append(draw("path", { d: crosses.join(""), fill: "none", stroke: "var(--ink)", "stroke-width": 1.2 }));
  view.free.append(
    draw("circle", { cx: 62, cy: 39, r: 4, fill: "var(--blue)" }), text(72, 43, "in pairs", "start", "live-note"),
    text(140, 43, "× one by one", "start", "live-note"),
  );
  return view.svg;
}
