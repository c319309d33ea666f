/**
 * A moment and the evidence about it. Move the moment, the lag or the expected rate of switches: the bars show
 * who may use which evidence and how much it counts, the curves what each observer believes.
 */
import { beliefs, influence, sigmoid } from "./core.js";
import {
  arrange, draggable, draw, follow, line, number, panel, readouts, resetButton, slider, speaker, text,
} from "./kit.js";

const LOUDEST = 4.5;
const OBSERVERS = { past: ["blue", "none"], lagged: ["orange", "7 4"], both: ["green", "2 3"] };

export default { render };

function render({ model, el }) {
  const [evidence, states, width] = ["evidence", "states", "bin"].map((name) => model.get(name));
  const last = evidence.length - 1;
  const bars = evidencePanel(evidence, width);
  const curves = beliefPanel(states, width);
  const voice = speaker();
  const values = readouts({ past: "past only", lagged: "with the lag", both: "both ways", state: "in truth" });
  const seconds = (bins) => `${number((bins * width) / 1000, 2)} s`;
  const controls = [
    slider({
      label: "moment", min: 0, max: last, step: 1, value: model.get("at"), show: seconds,
      onInput: (at) => link.set({ at }),
    }),
    slider({
      label: "lag", min: 0, max: 20, step: 1, value: model.get("lag"), show: (bins) => `${bins * width} ms`,
      say: (bins) => `${bins * width} milliseconds`, onInput: (lag) => link.set({ lag }),
    }),
    slider({
      label: "chance of a switch, p", min: 0.005, max: 0.2, step: 0.005, value: model.get("switch"),
      show: (p) => number(p, 3), onInput: (p) => link.set({ switch: p }),
    }),
  ];

  const paint = () => {
    const [at, lag, p] = ["at", "lag", "switch"].map((name) => model.get(name));
    [at, lag, p].forEach((value, i) => controls[i].set(value));
    const odds = beliefs(evidence, p, lag);
    bars.show(influence(evidence, p, at), at, lag, seconds(at));
    curves.show(odds, at);
    const chance = (name) => sigmoid(odds[name][at]);
    const percent = (name) => `${number(100 * chance(name), 1)} %`;
    Object.keys(OBSERVERS).forEach((name) => values.set(name, percent(name), chance(name)));
    const truth = states[at] ? "moving" : "at rest";
    values.set("state", truth);
    voice.say(`At ${seconds(at)} the animal is ${truth}. The chance that it moves: ${percent("past")} from the past, `
      + `${percent("lagged")} after waiting ${lag * width}\u00a0ms, ${percent("both")} from the whole recording.`);
  };
  const link = follow(model, ["at", "lag", "switch"], paint);

  const move = (at) => link.set({ at: Math.max(0, Math.min(last, Math.round(at))) });
  bars.onTake(move);
  bars.handle.addEventListener("keydown", (event) => {
    const way = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1 }[event.key];
    if (!way) return;
    event.preventDefault();
    move(model.get("at") + way * (event.shiftKey ? 10 : 1));
  });

  arrange(el, {
    label: model.get("alt"), panels: [bars.svg, curves.svg], controls: controls.map(({ root }) => root),
    values: values.root, voice: voice.root, reset: resetButton(link.reset),
  });
  paint();
  return () => { link.stop(); voice.stop(); };
}

/** The axis of time that both panels share. */
function clock(bins, width) {
  return { from: (-0.5 * width) / 1000, to: ((bins - 0.5) * width) / 1000, ticks: [0, 1, 2, 3], label: "time (s)" };
}

/** One bar per bin; colour says whose it is, depth how much it counts. */
function evidencePanel(evidence, width) {
  const view = panel({
    width: 360, height: 316, x: clock(evidence.length, width),
    y: { from: -LOUDEST, to: LOUDEST, ticks: [-4, -2, 0, 2, 4] }, title: "What each bin says: rest (−) or move (+)",
  });
  const at = (t) => view.px((t * width) / 1000);
  const broad = 0.8 * (at(1) - at(0));
  const bars = evidence.map((value, t) => draw("rect", {
    x: at(t) - broad / 2, width: broad, y: view.py(Math.max(value, 0)), height: Math.abs(view.py(value) - view.py(0)),
  }));
  view.back.append(...bars, draw("path", { d: `M${at(-1)} ${view.py(0)}H${at(evidence.length)}`, stroke: "var(--faint)" }));
  const [now, until] = ["var(--ink)", "var(--orange)"].map((stroke) =>
    draw("path", { fill: "none", stroke, "stroke-width": 1.4, "stroke-dasharray": "4 3" }));
  const handle = draw("g", {
    class: "live-handle", tabindex: 0, role: "slider", "aria-label": "moment decided about, moved by the arrow keys",
    "aria-valuemin": 0, "aria-valuemax": evidence.length - 1,
  }, draw("circle", { class: "live-ring", r: 22 }), draw("circle", { class: "live-dot", r: 7, fill: "var(--blue)" }));
  const whose = [["blue", "for all"], ["orange", "if one waits"], ["green", "in hindsight"]];
  whose.forEach(([colour, words], i) => view.free.append(
    draw("rect", { x: 52 + 100 * i, y: 262, width: 10, height: 10, fill: `var(--${colour})` }),
    text(66 + 100 * i, 271, words, "start", "live-note"),
  ));
  view.front.append(now, until);
  view.free.append(handle);
  const high = view.py(3.6);
  let place = at(0);
  return {
    svg: view.svg, handle,
    onTake: (move) => draggable(view.svg, handle, () => [place, high], (x) => move((view.x(x) * 1000) / width)),
    show: (weights, moment, lag, words) => {
      bars.forEach((bar, t) => {
        const colour = t <= moment ? "blue" : t <= moment + lag ? "orange" : "green";
        bar.setAttribute("fill", `var(--${colour})`);
        bar.setAttribute("fill-opacity", (0.15 + 0.85 * weights[t]).toFixed(3));
      });
      place = at(moment);
      now.setAttribute("d", `M${place} ${view.py(-3.7)}V${high}`);
      until.setAttribute("d", `M${at(moment + lag + 0.5)} ${view.py(-3.7)}V${view.py(LOUDEST)}`);
      handle.setAttribute("transform", `translate(${place} ${high})`);
      handle.setAttribute("aria-valuenow", moment);
      handle.setAttribute("aria-valuetext", words);
    },
  };
}

/** What each observer believes in every bin, before the true state. */
function beliefPanel(states, width) {
  const view = panel({
    width: 360, height: 316, x: clock(states.length, width),
    y: { from: -0.2, to: 1.05, ticks: [0, 0.25, 0.5, 0.75, 1] }, title: "Believed chance that it moves",
  });
  const times = states.map((_, t) => view.px((t * width) / 1000));
  const half = (times[1] - times[0]) / 2;
  const truth = states.map((state, t) => `${t ? "V" : "M"}${t ? "" : `${times[0] - half} `}${view.py(state)}H${times[t] + half}`);
  view.back.append(draw("path", {
    d: truth.join(""), fill: "none", stroke: "var(--faint)", "stroke-width": 6, "stroke-opacity": 0.4,
  }));
  const paths = Object.fromEntries(Object.entries(OBSERVERS).map(([name, [colour, dashes]], i) => {
    const path = draw("path", { fill: "none", stroke: `var(--${colour})`, "stroke-width": 2.2, "stroke-dasharray": dashes });
    const sample = path.cloneNode();
    sample.setAttribute("d", `M${56 + 98 * i} ${view.py(-0.12)}h26`);
    view.free.append(sample, text(88 + 98 * i, view.py(-0.12) + 4, { past: "past", lagged: "lag", both: "both" }[name], "start", "live-note"));
    return [name, path];
  }));
  const now = draw("path", { fill: "none", stroke: "var(--ink)", "stroke-width": 1.4, "stroke-dasharray": "4 3" });
  view.front.append(...Object.values(paths), now);
  return {
    svg: view.svg,
    show: (odds, at) => {
      Object.entries(paths).forEach(([name, path]) =>
        path.setAttribute("d", line(times, odds[name].map((value) => view.py(sigmoid(value))))));
      now.setAttribute("d", `M${times[at]} ${view.py(0)}V${view.py(1.05)}`);
    },
  };
}
