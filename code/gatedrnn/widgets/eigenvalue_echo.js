/**
 * A pair of eigenvalues in the complex plane and the echo it makes. Take hold of the pair, or move the
 * sliders: the plane, the echo, the numbers and the sentence follow.
 */
import { decayTime, echo, frequency } from "./core.js";
import {
  arrange, draggable, draw, follow, line, number, panel, readouts, resetButton, slider, speaker, text,
} from "./kit.js";

const LARGEST = 1.1;
const STEP = 0.01;

export default { render };

function render({ model, el }) {
  const dt = model.get("dt");
  const steps = model.get("steps");
  const plane = planePanel();
  const time = timePanel(steps, dt);
  const voice = speaker();
  const values = readouts({
    decay: "decay time τ", frequency: "frequency ν", left: `left after ${steps} steps`,
  });

  const place = (real, imaginary) => {
    const radius = Math.min(LARGEST, Math.hypot(real, imaginary));
    link.set({ radius, angle: Math.atan2(Math.max(0, imaginary), real) });
  };
  const controls = [
    slider({
      label: "radius |λ|", min: 0, max: LARGEST, step: 0.001, value: model.get("radius"),
      show: (value) => number(value, 3), onInput: (radius) => link.set({ radius }),
    }),
    slider({
      label: "angle θ", min: 0, max: 1, step: 0.002, value: model.get("angle") / Math.PI,
      show: (value) => `${number(value, 3)} π rad`, say: (value) => `${number(value, 3)} pi radians`,
      onInput: (turn) => link.set({ angle: turn * Math.PI }),
    }),
  ];

  const paint = () => {
    const [radius, angle] = [model.get("radius"), model.get("angle")];
    controls[0].set(radius);
    controls[1].set(angle / Math.PI);
    plane.show(radius, angle);
    time.show(echo(radius, angle, steps), radius);
    const told = tell(radius, angle, steps, dt);
    ["decay", "frequency", "left"].forEach((name) => values.set(name, told[name], told.exact[name]));
    voice.say(told.sentence);
  };
  const link = follow(model, ["radius", "angle"], paint);

  plane.onTake(place);
  plane.handle.addEventListener("keydown", (event) => {
    const move = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key];
    if (!move) return;
    event.preventDefault();
    const far = STEP * (event.shiftKey ? 10 : 1);
    const [radius, angle] = [model.get("radius"), model.get("angle")];
    place(radius * Math.cos(angle) + far * move[0], radius * Math.sin(angle) + far * move[1]);
  });

  arrange(el, {
    label: model.get("alt"), panels: [plane.svg, time.svg], controls: controls.map(({ root }) => root),
    values: values.root, voice: voice.root, reset: resetButton(link.reset),
  });
  paint();
  return () => { link.stop(); voice.stop(); };
}

/** The numbers and the sentence for one position of the pair. */
function tell(radius, angle, steps, dt) {
  const tau = decayTime(radius, dt);
  const hertz = frequency(angle, dt);
  const left = radius ** steps;
  const decay = radius === 0 ? "0 s" : radius > 1 ? "grows" : tau > 1e4 ? "never" : `${number(tau, 3)} s`;
  const swing = hertz < 0.005 ? "without swinging" : `while swinging at ${number(hertz, 2)} Hz`;
  let fate = `The echo falls to 1/e in ${number(tau, 3)} s`;
  if (radius > 1) fate = `The echo grows by a factor e every ${number(-tau, 3)} s`;
  else if (radius === 0) fate = "The echo is gone after one step";
  else if (tau > 1e4) fate = "The echo never fades";
  const share = left >= 10 ? `${number(left, 0)} times` : `${number(100 * left, left < 0.0995 ? 2 : 1)} %`;
  return {
    decay, frequency: `${number(hertz, 2)} Hz`, left: share, exact: { decay: tau, frequency: hertz, left },
    sentence: `${fate} ${swing}; after ${steps} steps ${share} of it ${left >= 10 ? "stand" : "is left"}.`,
  };
}

/** The complex plane with the unit circle, rings of equal decay, and the pair. */
function planePanel() {
  const axis = { from: -1.15, to: 1.15, ticks: [-1, 0, 1] };
  const view = panel({
    width: 300, height: 316, x: { ...axis, label: "real part" }, y: { ...axis },
    title: "Eigenvalues λ, λ̄", frame: false,
  });
  const { px, py } = view;
  const unit = px(1) - px(0);
  const tall = py(0) - py(1);
  const ring = (radius, extra) => draw("ellipse", {
    cx: px(0), cy: py(0), rx: radius * unit, ry: radius * tall, fill: "none", stroke: "var(--line)", ...extra,
  });
  view.back.append(
    ring(0.5), ring(0.9),
    ring(1, { stroke: "var(--ink)", "stroke-width": 1.4, fill: "color-mix(in srgb, var(--blue) 7%, transparent)" }),
    draw("path", { d: `M${px(-1.15)} ${py(0)}H${px(1.15)}M${px(0)} ${py(-1.15)}V${py(1.15)}`, stroke: "var(--line)" }),
  );
  view.free.append(text(px(0.5) - 4, py(0) + 14, "0.5", "end", "live-note"), text(px(0.9) - 4, py(0) + 14, "0.9", "end", "live-note"));
  const ray = draw("path", { stroke: "var(--blue)", "stroke-width": 1.5, "stroke-dasharray": "4 3" });
  const mirror = draw("circle", { r: 6, fill: "var(--ground)", stroke: "var(--blue)", "stroke-width": 2 });
  const handle = draw("g", {
    class: "live-handle", tabindex: 0, role: "slider", "aria-label": "eigenvalue λ, moved in the plane by the arrow keys",
    "aria-valuemin": 0, "aria-valuemax": LARGEST,
  }, draw("circle", { class: "live-ring", r: 22 }), draw("circle", { class: "live-dot", r: 7, fill: "var(--blue)" }));
  view.free.append(ray, mirror, handle);
  let at = [px(0), py(0)];
  return {
    svg: view.svg, handle,
    onTake: (place) => {
      const move = (x, y) => place(view.x(x), view.y(y));
      draggable(view.svg, handle, () => at, move);
    },
    show: (radius, angle) => {
      const [real, imaginary] = [radius * Math.cos(angle), radius * Math.sin(angle)];
      at = [px(real), py(imaginary)];
      ray.setAttribute("d", `M${px(0)} ${py(0)}L${at[0]} ${at[1]}`);
      handle.setAttribute("transform", `translate(${at[0]} ${at[1]})`);
      mirror.setAttribute("cx", at[0]);
      mirror.setAttribute("cy", py(-imaginary));
      handle.setAttribute("aria-valuenow", radius.toFixed(3));
      handle.setAttribute("aria-valuetext", `radius ${number(radius, 3)}, angle ${number(angle / Math.PI, 3)} pi`);
    },
  };
}

/** The echo over time with its envelope. */
function timePanel(steps, dt) {
  const end = steps * dt;
  const ticks = [0, 0.25, 0.5, 0.75, 1].map((part) => Math.round(part * end * 1000) / 1000);
  const view = panel({
    width: 400, height: 316, x: { from: 0, to: end, ticks, label: "time after the pulse (s)" },
    y: { from: -1.3, to: 1.3, ticks: [-1, -0.5, 0, 0.5, 1] }, title: "Echo of one pulse",
  });
  const { px, py } = view;
  const times = Array.from({ length: steps + 1 }, (_, t) => px(t * dt));
  const envelope = draw("path", { fill: "none", stroke: "var(--faint)", "stroke-dasharray": "5 4" });
  const stems = draw("path", { fill: "none", stroke: "var(--orange)", "stroke-width": 1.5, "stroke-opacity": 0.55 });
  const dots = draw("path", { fill: "none", stroke: "var(--orange)", "stroke-width": 5, "stroke-linecap": "round" });
  view.back.append(draw("path", { d: `M${px(0)} ${py(0)}H${px(end)}`, stroke: "var(--line)" }), envelope);
  view.front.append(stems, dots);
  return {
    svg: view.svg,
    show: (values, radius) => {
      // Far outside the panel nothing is seen, and huge coordinates upset some browsers.
      const clamp = (value) => py(Math.max(-9, Math.min(9, value)));
      const heights = Array.from(values, clamp);
      const bound = [1, -1].map((sign) => line(times, times.map((_, t) => clamp(sign * radius ** t))));
      envelope.setAttribute("d", bound.join(""));
      stems.setAttribute("d", times.map((x, t) => `M${x} ${py(0)}V${heights[t]}`).join(""));
      dots.setAttribute("d", times.map((x, t) => `M${x} ${heights[t]}h0`).join(""));
    },
  };
}
