/**
 * How far to trust a measurement that grows old. Left, the share γ that is still believed, yours and the best
 * one; right, the error of four guesses. The reader looks for the slope and the offset that reach the best.
 */
import { bestFactor, staleError, staleFactor, typicalError } from "./core.js";
import { arrange, draw, follow, line, number, panel, readouts, resetButton, slider, speaker, text } from "./kit.js";

const LONGEST = 48;
const AGES = Array.from({ length: LONGEST + 1 }, (_, hour) => hour);
const GUESSES = [
  { name: "last", words: "last value", colour: "blue", dashes: "8 3 2 3" },
  { name: "mean", words: "mean", colour: "green", dashes: "2 3" },
  { name: "yours", words: "yours", colour: "orange", dashes: "none" },
  { name: "best", words: "best", colour: "ink", dashes: "6 4" },
];

export default { render };

function render({ model, el }) {
  const trust = curves("Share still believed, γ", { to: 1.05, ticks: [0, 0.5, 1] }, GUESSES.slice(2));
  const cost = curves("Typical error (SD)", { to: 1.8, ticks: [0, 0.5, 1, 1.5] }, GUESSES);
  const voice = speaker();
  const values = readouts(Object.fromEntries(GUESSES.map(({ name, words }) => [name, `error, ${words}`])));
  const hours = (value) => `${number(value, 0)} h`;
  const control = (label, name, min, max, step, show, say = show) => slider({
    label, min, max, step, value: model.get(name), show, say, onInput: (value) => link.set({ [name]: value }),
  });
  const controls = {
    slope: control("slope w", "slope", 0, 0.4, 0.005, (value) => `${number(value, 3)} per hour`),
    offset: control("offset b", "offset", -0.5, 1.5, 0.01, (value) => number(value, 2)),
    tau: control("time constant τ", "tau", 2, 48, 1, hours, (value) => `${number(value, 0)} hours`),
    noise: control("noise ν", "noise", 0, 1, 0.05, (value) => `${number(value, 2)} SD`),
  };
  const names = Object.keys(controls);

  const paint = () => {
    const [slope, offset, tau, noise] = names.map((name) => model.get(name));
    names.forEach((name) => controls[name].set(model.get(name)));
    const factors = {
      last: AGES.map(() => 1), mean: AGES.map(() => 0),
      yours: staleFactor(AGES, slope, offset), best: bestFactor(AGES, tau, noise),
    };
    const errors = Object.fromEntries(GUESSES.map(({ name }) => [name, staleError(AGES, factors[name], tau, noise)]));
    trust.show(factors);
    cost.show(errors);
    const typical = Object.fromEntries(GUESSES.map(({ name }) => [name, typicalError(errors[name])]));
    GUESSES.forEach(({ name }) => values.set(name, `${number(typical[name], 3)} SD`, typical[name]));
    voice.say(tell(typical));
  };
  const link = follow(model, names, paint);

  arrange(el, {
    label: model.get("alt"), panels: [trust.svg, cost.svg], controls: Object.values(controls).map(({ root }) => root),
    values: values.root, voice: voice.root, reset: resetButton(link.reset),
  });
  paint();
  return () => { link.stop(); voice.stop(); };
}

/** What the four errors over two days say. */
function tell({ last, mean, yours, best }) {
  const naive = last < mean ? "the last value" : "the mean";
  const verdict = yours <= best * 1.005 ? "as good as it can be"
    : yours < Math.min(last, mean) ? "better than the last value and than the mean" : `no better than ${naive}`;
  return `Over ages up to ${LONGEST} hours your guess errs by ${number(yours, 3)} standard deviations, ${verdict}; `
    + `the best errs by ${number(best, 3)}.`;
}

/** A panel with one curve for each of the guesses against age. */
function curves(title, { to, ticks }, guesses) {
  const view = panel({
    width: 360, height: 270, x: { from: 0, to: LONGEST, ticks: [0, 12, 24, 36, 48], label: "age of the measurement (h)" },
    y: { from: 0, to, ticks }, title,
  });
  const { px, py } = view;
  const paths = Object.fromEntries(guesses.map(({ name, words, colour, dashes }, row) => {
    const look = { fill: "none", stroke: `var(--${colour})`, "stroke-width": name === "best" ? 1.6 : 2.2, "stroke-dasharray": dashes };
    const path = draw("path", look);
    const [x, y] = [px(22) + (row % 2) * 98, 36 + 16 * Math.floor(row / 2)];
    view.front.append(path);
    view.free.append(draw("path", { ...look, d: `M${x} ${y}h24` }), text(x + 29, y + 4, words, "start", "live-note"));
    return [name, path];
  }));
  return {
    svg: view.svg,
    show: (values) => Object.entries(paths).forEach(([name, path]) => {
      path.setAttribute("d", line(AGES.map(px), values[name].map((value) => py(value))));
    }),
  };
}
