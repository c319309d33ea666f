/**
 * A gene that switches itself on. Drag the input to and fro: rests appear and vanish in pairs, and where the
 * gene stands depends on where it came from. Input, feedback and steepness can be moved by sliders as well.
 */
import { geneFolds, geneProduction, geneRests, geneSettle, geneSteep } from "./core.js";
import {
  arrange, draggable, draw, follow, line, number, panel, readouts, resetButton, slider, speaker, text,
} from "./kit.js";

const [STRONGEST, HIGHEST] = [0.7, 3];
const LEVELS = Array.from({ length: 151 }, (_, i) => (i * HIGHEST) / 150);

export default { render };

function render({ model, el }) {
  const phase = phasePanel();
  const history = historyPanel();
  const voice = speaker();
  const values = readouts({ rests: "rests", level: "level of the gene", push: "a push dies out in" });
  const gene = () => ({ input: model.get("input"), feedback: model.get("feedback"), steepness: model.get("steepness") });
  const move = (change) => link.set({ ...change, level: geneSettle(model.get("level"), { ...gene(), ...change }) });
  const knob = (label, name, min, max, step, digits) => slider({
    label, min, max, step, value: model.get(name), show: (value) => number(value, digits),
    onInput: (value) => move({ [name]: value }),
  });
  const controls = [
    knob("input s", "input", 0, STRONGEST, 0.005, 3), knob("feedback β", "feedback", 0, 2.2, 0.05, 2),
    knob("steepness n", "steepness", 1, 6, 0.5, 1),
  ];

  const paint = () => {
    const [now, level] = [gene(), model.get("level")];
    ["input", "feedback", "steepness"].forEach((name, i) => controls[i].set(now[name]));
    const rests = geneRests(now);
    phase.show(now, level, rests);
    history.show(now, level);
    const told = tell(now, level, rests);
    ["rests", "level", "push"].forEach((name) => values.set(name, told[name], told.exact[name]));
    voice.say(told.sentence);
  };
  const link = follow(model, ["input", "feedback", "steepness", "level"], paint);
  const to = (input) => move({ input: Math.max(0, Math.min(STRONGEST, input)) });
  history.onTake(to);
  history.handle.addEventListener("keydown", (event) => {
    const way = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1 }[event.key];
    if (!way) return;
    event.preventDefault();
    to(model.get("input") + way * (event.shiftKey ? 0.05 : 0.01));
  });

  arrange(el, {
    label: model.get("alt"), panels: [phase.svg, history.svg], controls: controls.map(({ root }) => root),
    values: values.root, voice: voice.root,
    reset: resetButton(() => { history.forget(); link.reset(); }),
  });
  paint();
  return () => { link.stop(); voice.stop(); };
}

/** The numbers and the sentence for one setting. */
function tell(gene, level, rests) {
  const stable = rests.filter((rest) => rest.stable).length;
  const push = 1 / (1 - geneSteep(level, gene));
  const on = level > 1;
  const [lowest, highest] = [...geneFolds(gene).inputs].sort((a, b) => a - b);
  let ending = "There is one rest: whatever came before is forgotten.";
  if (stable === 2) {
    ending = on
      ? `It stays on until the input falls below ${number(lowest, 3)}`
        + `${lowest < 0 ? ", and no input is below 0: it cannot be switched off any more." : "."}`
      : `It stays off until the input rises above ${number(highest, 3)}.`;
  }
  return {
    rests: `${stable} stable${rests.length > stable ? ", 1 unstable" : ""}`, level: number(level, 2),
    push: push > 99.5 ? "over 99 life times" : `${number(push, 1)} life times`,
    exact: { rests: stable, level, push },
    sentence: `At an input of ${number(gene.input, 3)} the gene is ${on ? "on" : "off"}, at a level of ${number(level, 2)}. ${ending}`,
  };
}

/** What is made and what is lost at each level; where the two meet, the gene can rest. */
function phasePanel() {
  const view = panel({
    width: 340, height: 316, x: { from: 0, to: HIGHEST, ticks: [0, 1, 2, 3], label: "level x" },
    y: { from: 0, to: 3, ticks: [0, 1, 2, 3] }, title: "Made and lost per life time",
  });
  const { px, py } = view;
  const [made, lost] = ["orange", "blue"].map((colour) => draw("path", {
    fill: "none", stroke: `var(--${colour})`, "stroke-width": 2.4, "stroke-dasharray": colour === "blue" ? "7 4" : "none",
  }));
  lost.setAttribute("d", `M${px(0)} ${py(0)}L${px(3)} ${py(3)}`);
  const dots = draw("g");
  const here = draw("path", { stroke: "var(--ink)", "stroke-dasharray": "3 3", fill: "none" });
  const legend = { x: px(0.1), y: py(3), width: px(0.95) - px(0.1), height: py(2.4) - py(3) };
  view.free.append(draw("rect", { ...legend, fill: "var(--ground)" })); // the dashed line passes behind the legend
  [[made, "made", 0], [lost, "lost", 1]].forEach(([path, words, row]) => {
    const sample = path.cloneNode();
    sample.setAttribute("d", `M${px(0.15)} ${py(2.8 - 0.24 * row)}H${px(0.5)}`);
    view.free.append(sample, text(px(0.58), py(2.8 - 0.24 * row) + 4, words, "start", "live-note"));
  });
  view.back.append(here);
  view.front.append(made, lost);
  view.free.append(dots);
  return {
    svg: view.svg,
    show: (gene, level, rests) => {
      made.setAttribute("d", line(LEVELS.map(px), LEVELS.map((x) => py(geneProduction(x, gene)))));
      here.setAttribute("d", `M${px(level)} ${py(0)}V${py(3)}`);
      dots.replaceChildren(...rests.map((rest) => draw("circle", {
        cx: px(rest.level), cy: py(rest.level), r: 5.5, stroke: "var(--ink)", "stroke-width": 2,
        fill: rest.stable ? "var(--ink)" : "var(--pst-color-background, var(--jp-layout-color0, #fff))",
      })));
    },
  };
}

/** Rests against the input, stable ones drawn through, with the gene on its way and a handle to move it. */
function historyPanel() {
  const view = panel({
    width: 380, height: 316, x: { from: 0, to: STRONGEST, ticks: [0, 0.2, 0.4, 0.6], label: "input s" },
    y: { from: 0, to: HIGHEST, ticks: [0, 1, 2, 3] }, title: "Rests for each input, and the way taken",
  });
  const { px, py } = view;
  const branch = (dashes) => draw("path", { fill: "none", stroke: "var(--green)", "stroke-width": 2.4, "stroke-dasharray": dashes });
  const [off, between, on] = [branch("none"), branch("3 4"), branch("none")];
  const way = draw("path", { fill: "none", stroke: "var(--ink)", "stroke-width": 1.6, opacity: 0.65 });
  const handle = draw("g", {
    class: "live-handle", tabindex: 0, role: "slider", "aria-label": "input to the gene, moved by the arrow keys",
    "aria-valuemin": 0, "aria-valuemax": STRONGEST,
  }, draw("circle", { class: "live-ring", r: 22 }), draw("circle", { class: "live-dot", r: 7, fill: "var(--orange)" }));
  view.back.append(off, between, on);
  view.front.append(way);
  view.free.append(handle);
  let [at, taken, shape] = [[px(0), py(0)], [], ""];
  const stretch = (gene, from, to) => {
    const levels = Array.from({ length: 61 }, (_, i) => from + ((to - from) * i) / 60);
    return line(levels.map((x) => px(x - geneProduction(x, { ...gene, input: 0 }))), levels.map(py));
  };
  return {
    svg: view.svg, handle,
    forget: () => { taken = []; },
    onTake: (move) => draggable(view.svg, handle, () => at, (x) => move(view.x(x))),
    show: (gene, level) => {
      const folds = geneFolds(gene).levels;
      const [low, high] = folds.length ? folds : [HIGHEST, HIGHEST];
      off.setAttribute("d", stretch(gene, 0, low));
      between.setAttribute("d", folds.length ? stretch(gene, low, high) : "");
      on.setAttribute("d", folds.length ? stretch(gene, high, HIGHEST) : "");
      const named = `${gene.feedback} ${gene.steepness}`;
      if (named !== shape) [shape, taken] = [named, []]; // another gene has taken another way
      at = [px(gene.input), py(level)];
      const last = taken.at(-1);
      if (last && Math.abs(at[1] - last[1]) > 40) taken.push([at[0], last[1]]); // a jump goes straight up or down
      taken = [...taken.slice(-400), at];
      way.setAttribute("d", line(taken.map(([x]) => x), taken.map(([, y]) => y)));
      handle.setAttribute("transform", `translate(${at[0]} ${at[1]})`);
      handle.setAttribute("aria-valuenow", gene.input.toFixed(3));
      handle.setAttribute("aria-valuetext", `input ${number(gene.input, 3)}, level ${number(level, 2)}`);
    },
  };
}
