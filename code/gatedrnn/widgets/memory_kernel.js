/**
 * A forget gate and its memory kernel in milliseconds. Take hold of the gate on its curve, or move the
 * sliders: bias, gate, kernel, numbers and sentence follow each other.
 */
import { biasOfGate, decayTime, memoryKernel, sigmoid } from "./core.js";
import {
  arrange, draggable, draw, follow, line, number, panel, readouts, resetButton, slider, speaker, text,
} from "./kit.js";

const [LOWEST, HIGHEST] = [-3, 8];
const SPAN = 1000;

export default { render };

function render({ model, el }) {
  const time = kernelPanel();
  const curve = curvePanel();
  const voice = speaker();
  const values = readouts({ steps: "τ in steps", tau: "τ in time", left: "left after 1 s" });
  const controls = [
    slider({
      label: "forget bias b", min: LOWEST, max: HIGHEST, step: 0.01, value: model.get("bias"),
      show: (value) => number(value, 2), onInput: (bias) => link.set({ bias }),
    }),
    slider({
      label: "forget gate f", min: 0.05, max: 0.9995, step: 0.0005, value: sigmoid(model.get("bias")),
      show: (value) => number(value, 4), onInput: (f) => link.set({ bias: biasOfGate(f) }),
    }),
    slider({
      label: "length of a step Δt", min: 1, max: 50, step: 1, value: model.get("dt"),
      show: (value) => `${number(value, 0)} ms`, say: (value) => `${number(value, 0)} milliseconds`,
      onInput: (dt) => link.set({ dt }),
    }),
  ];

  const paint = () => {
    const [bias, dt] = [model.get("bias"), model.get("dt")];
    const f = sigmoid(bias);
    [bias, f, dt].forEach((value, i) => controls[i].set(value));
    time.show(f, dt);
    curve.show(bias, dt);
    const told = tell(bias, f, dt);
    ["steps", "tau", "left"].forEach((name) => values.set(name, told[name], told.exact[name]));
    voice.say(told.sentence);
  };
  const link = follow(model, ["bias", "dt"], paint);

  const move = (bias) => link.set({ bias: Math.max(LOWEST, Math.min(HIGHEST, bias)) });
  curve.onTake(move);
  curve.handle.addEventListener("keydown", (event) => {
    const way = {
      ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1, Home: -Infinity, End: Infinity,
    }[event.key];
    if (!way) return;
    event.preventDefault();
    move(model.get("bias") + way * (event.shiftKey ? 1 : 0.1));
  });

  arrange(el, {
    label: model.get("alt"), panels: [curve.svg, time.svg], controls: controls.map(({ root }) => root),
    values: values.root, voice: voice.root, reset: resetButton(link.reset),
  });
  paint();
  return () => { link.stop(); voice.stop(); };
}

/** Milliseconds, or seconds where there are many. */
function duration(ms) {
  if (ms >= 9999.5) return `${number(ms / 1000, 1)} s`;
  return `${number(ms, ms < 99.95 ? 1 : 0)} ms`;
}

/** The numbers and the sentence for one setting. */
function tell(bias, f, dt) {
  const steps = decayTime(f, 1);
  const left = 100 * f ** (SPAN / dt);
  const share = left < 0.01 ? "less than 0.01 %" : `${number(left, left < 9.95 ? 2 : 1)} %`;
  const tau = duration(steps * dt);
  return {
    steps: number(steps, steps < 99.95 ? 2 : 0), tau, left: share,
    exact: { steps, tau: steps * dt, left: left / 100 },
    sentence: `A bias of ${number(bias, 2)} keeps ${number(100 * f, 2)} % in each step of ${number(dt, 0)} ms: `
      + `what was written falls to 1/e in ${tau}, and after one second ${share} of it is left.`,
  };
}

/** τ against the bias, with the gate as a handle on the curve; one power of ten of τ per tick. */
function curvePanel() {
  const view = panel({
    width: 320, height: 316, x: { from: LOWEST, to: HIGHEST, ticks: [-2, 0, 2, 4, 6, 8], label: "forget bias b" },
    y: { from: -0.6, to: 5.4, ticks: [0, 1, 2, 3, 4, 5] }, title: "log₁₀ of τ in ms",
  });
  const { px, py } = view;
  const biases = Array.from({ length: 111 }, (_, i) => LOWEST + i / 10);
  const height = (bias, dt) => py(Math.log10(decayTime(sigmoid(bias), dt)));
  const path = draw("path", { fill: "none", stroke: "var(--blue)", "stroke-width": 2.4 });
  const rule = draw("path", { fill: "none", stroke: "var(--faint)", "stroke-dasharray": "3 3" });
  const handle = draw("g", {
    class: "live-handle", tabindex: 0, role: "slider", "aria-label": "forget bias, moved by the arrow keys",
    "aria-valuemin": LOWEST, "aria-valuemax": HIGHEST,
  }, draw("circle", { class: "live-ring", r: 22 }), draw("circle", { class: "live-dot", r: 7, fill: "var(--blue)" }));
  view.back.append(rule);
  view.front.append(path);
  view.free.append(handle);
  let at = [px(0), py(0)];
  return {
    svg: view.svg, handle,
    onTake: (move) => draggable(view.svg, handle, () => at, (x) => move(view.x(x))),
    show: (bias, dt) => {
      path.setAttribute("d", line(biases.map(px), biases.map((value) => height(value, dt))));
      at = [px(bias), height(bias, dt)];
      rule.setAttribute("d", `M${px(LOWEST)} ${at[1]}H${at[0]}V${py(-0.6)}`);
      handle.setAttribute("transform", `translate(${at[0]} ${at[1]})`);
      handle.setAttribute("aria-valuenow", bias.toFixed(2));
      handle.setAttribute("aria-valuetext",
        `bias ${number(bias, 2)}, time constant ${duration(decayTime(sigmoid(bias), dt))}`);
    },
  };
}

/** The kernel over one second, with those of bias 0 and 1 behind it and a mark at τ. */
function kernelPanel() {
  const view = panel({
    width: 400, height: 316, x: { from: 0, to: SPAN, ticks: [0, 250, 500, 750, 1000], label: "time since it was written (ms)" },
    y: { from: 0, to: 1.05, ticks: [0, 0.25, 0.5, 0.75, 1] }, title: "What is left: the memory kernel fᵏ",
  });
  const { px, py } = view;
  const curve = (colour, width, dashes) => draw("path", {
    fill: "none", stroke: `var(--${colour})`, "stroke-width": width, "stroke-dasharray": dashes,
  });
  const [zero, one, kernel] = [curve("faint", 1.6, "2 3"), curve("green", 1.6, "7 4"), curve("orange", 2.4, "none")];
  const mark = draw("path", { stroke: "var(--ink)", "stroke-dasharray": "3 3", fill: "none" });
  [[kernel, "this gate"], [one, "bias 1"], [zero, "bias 0"]].forEach(([path, words], row) => {
    const sample = path.cloneNode();
    sample.setAttribute("d", `M${px(700)} ${py(1 - 0.075 * row)}H${px(780)}`);
    view.free.append(sample, text(px(795), py(1 - 0.075 * row) + 4, words, "start", "live-note"));
  });
  view.back.append(zero, one, mark);
  view.front.append(kernel);
  const stairs = (f, dt) => {
    const left = memoryKernel(f, Math.ceil(SPAN / dt));
    return Array.from(left, (value, k) => `${k ? "H" : "M"}${px(k * dt).toFixed(2)}${k ? "V" : " "}${py(value).toFixed(2)}`).join("");
  };
  return {
    svg: view.svg,
    show: (f, dt) => {
      kernel.setAttribute("d", stairs(f, dt));
      one.setAttribute("d", stairs(sigmoid(1), dt));
      zero.setAttribute("d", stairs(0.5, dt));
      const tau = Math.min(decayTime(f, dt), 2 * SPAN);
      mark.setAttribute("d", `M${px(0)} ${py(1 / Math.E)}H${px(tau)}V${py(0)}`);
    },
  };
}
