/**
 * One alarm over many discharges. Drag the threshold, set how long the score must stay above it and what a missed
 * disruption costs: dots show the alarms, the curve what any other threshold would have cost.
 */
import { alarmOutcome } from "./core.js";
import {
  arrange, draggable, draw, follow, line, number, panel, readouts, resetButton, slider, speaker, text,
} from "./kit.js";

const [LOWEST, HIGHEST, GRID] = [0.3, 1.5, 0.02];
const COLOURS = { caught: "green", missed: "vermilion", early: "orange", false: "orange" };

export default { render };

function render({ model, el }) {
  const clock = model.get("clock");
  const shots = model.get("shots").map(({ scores, onset }) => ({ scores: scores.map((value) => value / 100), onset }));
  const limited = shots.filter(({ onset }) => onset >= 0).length;
  const traces = tracePanel(shots, clock);
  const curve = costPanel();
  const voice = speaker();
  const values = readouts({
    caught: `caught of ${limited}`, false: `false of ${shots.length}`, warning: "middle warning", cost: "cost per discharge",
    best: "cheapest threshold",
  });
  const round = (value) => Math.max(LOWEST, Math.min(HIGHEST, Math.round(value * 100) / 100));
  const controls = {
    threshold: slider({
      label: "threshold", min: LOWEST, max: HIGHEST, step: 0.01, value: model.get("threshold"),
      show: (value) => number(value, 2), onInput: (threshold) => link.set({ threshold }),
    }),
    duration: slider({
      label: "must last", min: 1, max: 12, step: 1, value: model.get("duration"),
      show: (value) => `${number(1000 * value * clock.step, 0)} ms`, say: (value) => `${number(1000 * value * clock.step, 0)} milliseconds`,
      onInput: (duration) => link.set({ duration }),
    }),
    missed: slider({
      label: "a miss costs", min: 1, max: 50, step: 1, value: model.get("missed"),
      show: (value) => `${value} false alarms`, onInput: (missed) => link.set({ missed }),
    }),
  };
  const outcome = (threshold) => alarmOutcome(
    shots, { threshold, duration: model.get("duration"), release: clock.release }, { missed: model.get("missed"), ...clock },
  );

  // The curve depends on duration and price only, so that dragging the threshold costs one outcome.
  let made = null;
  const costs = () => {
    const key = `${model.get("duration")} ${model.get("missed")}`;
    if (made === null || made.key !== key) {
      const levels = Array.from({ length: Math.round((HIGHEST - LOWEST) / GRID) + 1 }, (_, i) => Math.round(100 * (LOWEST + i * GRID)) / 100);
      made = { key, levels, prices: levels.map((level) => outcome(level).cost) };
    }
    return made;
  };

  const paint = () => {
    Object.entries(controls).forEach(([name, { set }]) => set(model.get(name)));
    const threshold = model.get("threshold");
    const { raised, fates, warnings, cost } = outcome(threshold);
    const { levels, prices } = costs();
    const count = (...names) => fates.filter((name) => names.includes(name)).length;
    const heard = warnings.filter((value) => value !== null).sort((a, b) => a - b);
    const middle = heard.length ? heard[Math.floor((heard.length - 1) / 2)] : null;
    const best = levels[prices.indexOf(Math.min(...prices))];
    traces.show(threshold, raised, fates);
    curve.show(levels, prices, threshold, cost);
    values.set("caught", String(count("caught")), count("caught"));
    values.set("false", String(count("false", "early")), count("false", "early"));
    if (middle === null) values.set("warning", "–");
    else values.set("warning", `${number(1000 * middle, 0)} ms`, middle);
    values.set("cost", number(cost, 2), cost);
    values.set("best", number(best, 2), best);
    const side = threshold > best + 0.03 ? "above" : threshold < best - 0.03 ? "below" : "at";
    voice.say(`A threshold of ${number(threshold, 2)} catches ${count("caught")} of ${limited} disruptions, misses `
      + `${count("missed")} and raises ${count("false", "early")} false alarms. It lies ${side} the cheapest one.`);
  };
  const link = follow(model, ["threshold", "duration", "missed"], paint);
  traces.onTake((value) => link.set({ threshold: round(value) }), () => model.get("threshold"));

  arrange(el, {
    label: model.get("alt"), panels: [traces.svg, curve.svg], controls: Object.values(controls).map(({ root }) => root),
    values: values.root, voice: voice.root, reset: resetButton(link.reset),
  });
  paint();
  return () => { link.stop(); voice.stop(); };
}

/** All traces against the time before the end, the threshold as a line with a handle, a dot for each alarm. */
function tracePanel(shots, clock) {
  const view = panel({
    width: 420, height: 320, x: { from: -1, to: 0, ticks: [-1, -0.5, 0], label: "time before the end (s)" },
    y: { from: 0, to: 1.8, ticks: [0, 0.5, 1, 1.5] }, title: "Greenwald fraction",
  });
  const { px, py } = view;
  const at = (shot, sample) => px((sample - shot.scores.length + 1) * clock.step);
  const trace = (shot) => draw("path", {
    d: line(shot.scores.map((_, t) => at(shot, t)), shot.scores.map(py)), fill: "none",
    stroke: shot.onset < 0 ? "var(--blue)" : "var(--vermilion)", "stroke-opacity": shot.onset < 0 ? 0.35 : 0.7,
    "stroke-dasharray": shot.onset < 0 ? "3 2" : "none",
  });
  const dots = shots.map(() => draw("circle", { r: 3.5, stroke: "var(--ground)" }));
  const level = draw("path", { stroke: "var(--ink)", "stroke-width": 1.5, "stroke-dasharray": "6 4" });
  const handle = draw("g", {
    class: "live-handle", tabindex: 0, role: "slider", "aria-label": "threshold, moved by the arrow keys",
    "aria-orientation": "vertical", "aria-valuemin": LOWEST, "aria-valuemax": HIGHEST,
  }, draw("circle", { class: "live-ring", r: 22 }), draw("circle", { class: "live-dot", r: 7, fill: "var(--ink)" }));
  view.back.append(...shots.map(trace));
  view.front.append(level, ...dots);
  view.free.append(
    draw("path", { d: "M176 11h22", stroke: "var(--vermilion)", "stroke-width": 2 }), text(203, 15, "reaches the limit", "start", "live-note"),
    draw("path", { d: "M308 11h22", stroke: "var(--blue)", "stroke-width": 2, "stroke-dasharray": "3 2" }), text(335, 15, "does not", "start", "live-note"),
    handle,
  );
  const place = px(-0.94);
  let height = 0;
  return {
    svg: view.svg,
    onTake: (move, now) => {
      draggable(view.svg, handle, () => [place, height], (_, y) => move(view.y(y)));
      handle.addEventListener("keydown", (event) => {
        const way = { ArrowUp: 1, ArrowRight: 1, ArrowDown: -1, ArrowLeft: -1 }[event.key];
        if (!way) return;
        event.preventDefault();
        move(now() + way * (event.shiftKey ? 0.1 : 0.01));
      });
    },
    show: (threshold, raised, fates) => {
      height = py(threshold);
      level.setAttribute("d", `M${px(-1)} ${height}H${px(0)}`);
      handle.setAttribute("transform", `translate(${place} ${height})`);
      handle.setAttribute("aria-valuenow", threshold);
      handle.setAttribute("aria-valuetext", number(threshold, 2));
      dots.forEach((dot, i) => {
        const never = raised[i] < 0;
        dot.setAttribute("visibility", never ? "hidden" : "visible");
        if (never) return;
        dot.setAttribute("cx", at(shots[i], raised[i]));
        dot.setAttribute("cy", py(shots[i].scores[raised[i]]));
        dot.setAttribute("fill", `var(--${COLOURS[fates[i]]})`);
      });
    },
  };
}

/** Cost against the threshold, with a dot at the present one. */
function costPanel() {
  const view = panel({
    width: 280, height: 320, x: { from: LOWEST, to: HIGHEST, ticks: [0.5, 1, 1.5], label: "threshold" },
    y: { from: 0, to: 3, ticks: [0, 1, 2, 3] }, title: "Cost per discharge",
  });
  const path = draw("path", { fill: "none", stroke: "var(--blue)", "stroke-width": 2 });
  const dot = draw("circle", { r: 6, fill: "var(--ink)" });
  view.front.append(path, dot);
  return {
    svg: view.svg,
    show: (levels, prices, threshold, cost) => {
      path.setAttribute("d", line(levels.map(view.px), prices.map(view.py)));
      dot.setAttribute("cx", view.px(threshold));
      dot.setAttribute("cy", view.py(Math.min(cost, 3)));
    },
  };
}
