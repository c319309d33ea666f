/**
 * What every live figure shares: panels with axes, sliders with a label, a value and a unit, a reset
 * button, and a sentence that says what changed. Plain DOM and SVG, no library.
 */

const SVG = "http://www.w3.org/2000/svg";

/** An id that is taken once in a page, however many figures of however many kinds stand in it. */
export function unique(kind) {
  globalThis.liveFigureSerial = (globalThis.liveFigureSerial ?? 0) + 1;
  return `live-${kind}-${globalThis.liveFigureSerial}`;
}

/** An HTML element with attributes and children; `null` children are left out. */
export function html(name, attributes = {}, ...children) {
  return dressed(document.createElement(name), attributes, children);
}

/** The same for SVG. */
export function draw(name, attributes = {}, ...children) {
  return dressed(document.createElementNS(SVG, name), attributes, children);
}

function dressed(node, attributes, children) {
  Object.entries(attributes).forEach(([key, value]) => node.setAttribute(key, value));
  node.append(...children.filter((child) => child !== null));
  return node;
}

/** A number in running text: fixed digits, a true minus sign. */
export function number(value, digits) {
  return value.toFixed(digits).replace(/^-0(\.0*)?$/, "0$1").replace("-", "−");
}

/** A polyline's path through the points (x[i], y[i]). */
export function line(x, y) {
  return Array.from(x, (value, i) => `${i ? "L" : "M"}${value.toFixed(2)} ${y[i].toFixed(2)}`).join("");
}

/**
 * A panel: an SVG with two axes, ticks, labels and a clipped layer to draw in.
 *
 * `x` and `y` are {from, to, ticks, label}; `width` and `height` are in CSS pixels at full size. Returned are
 * the svg, `back` and `front` (groups clipped to the data area), `free` (a group that is not) and the scales
 * `px(x)`, `py(y)` with their inverses.
 */
export function panel({ width, height, x, y, title, frame = true }) {
  const edge = { left: 46, right: 12, top: 26, bottom: 40 };
  const inner = [edge.left, width - edge.right, height - edge.bottom, edge.top];
  const scale = (from, to, low, high) => (value) => low + ((value - from) / (to - from)) * (high - low);
  const px = scale(x.from, x.to, inner[0], inner[1]);
  const py = scale(y.from, y.to, inner[2], inner[3]);
  const clip = unique("clip");
  const area = { x: inner[0], y: inner[3], width: inner[1] - inner[0], height: inner[2] - inner[3] };
  const [back, front] = [0, 1].map(() => draw("g", { "clip-path": `url(#${clip})` }));
  const free = draw("g");
  const svg = draw("svg", { class: "live-panel", viewBox: `0 0 ${width} ${height}`, role: "presentation" });
  svg.style.setProperty("--live-width", width);
  const axes = draw("g", { class: "live-axes" });
  if (frame) axes.append(draw("path", { d: `M${inner[0]} ${inner[3]}V${inner[2]}H${inner[1]}` }));
  x.ticks.forEach((tick) => axes.append(text(px(tick), inner[2] + 17, number(tick, digits(x.ticks)))));
  y.ticks.forEach((tick) => axes.append(text(inner[0] - 7, py(tick) + 4, number(tick, digits(y.ticks)), "end")));
  axes.append(text((inner[0] + inner[1]) / 2, height - 6, x.label));
  axes.append(text(inner[0] - 40, 14, title ? title : y.label, "start", title ? "live-title" : ""));
  svg.append(
    draw("defs", {}, draw("clipPath", { id: clip }, draw("rect", area))), axes, back, front, free,
  );
  return {
    svg, back, front, free, px, py,
    x: scale(inner[0], inner[1], x.from, x.to),
    y: scale(inner[2], inner[3], y.from, y.to),
  };
}

function digits(ticks) {
  return Math.max(...ticks.map((tick) => (String(Math.round(tick * 1000) / 1000).split(".")[1] || "").length));
}

/** Text in a panel, in the panel's own type. */
export function text(x, y, words, anchor = "middle", kind = "") {
  return draw("text", { x, y, "text-anchor": anchor, class: kind }, words);
}

/**
 * A slider under its label, with its value and unit beside it. `show(value)` is the text of the value,
 * `say(value)` what a screen reader hears (by default the same).
 */
export function slider({ label, min, max, step, value, show, say = show, onInput }) {
  const id = unique("slider");
  const input = html("input", { id, type: "range", min, max, step, value });
  const output = html("output", { for: id });
  const set = (next) => {
    input.value = next;
    output.textContent = show(next);
    input.setAttribute("aria-valuetext", say(next));
  };
  input.addEventListener("input", () => {
    output.textContent = show(input.valueAsNumber);
    input.setAttribute("aria-valuetext", say(input.valueAsNumber));
    onInput(input.valueAsNumber);
  });
  set(value);
  return { root: html("div", { class: "live-slider" }, html("label", { for: id }, label), output, input), set };
}

/**
 * Numbers that follow the figure: a list of term and value; returns its root and a setter by name, which takes
 * the words to show and the number behind them, unrounded, for whoever wants to hold it to Python's.
 */
export function readouts(terms) {
  const values = {};
  const root = html("dl", { class: "live-readouts" });
  Object.entries(terms).forEach(([name, label]) => {
    values[name] = html("dd", { "data-readout": name });
    root.append(html("div", {}, html("dt", {}, label), values[name]));
  });
  const set = (name, words, exact) => {
    values[name].textContent = words;
    if (exact === undefined) delete values[name].dataset.exact;
    else values[name].dataset.exact = exact;
  };
  return { root, set };
}

/**
 * A sentence under the figure. It follows at once for the eye, and is announced to a screen reader when the
 * hand has rested for a moment, so that a drag is not read out number by number.
 */
export function speaker(rest = 700) {
  const seen = html("p", { class: "live-sentence", "aria-hidden": "true" });
  const heard = html("p", { class: "live-heard", role: "status", "aria-live": "polite" });
  let timer = null;
  let started = false;
  const say = (sentence) => {
    seen.textContent = sentence;
    clearTimeout(timer);
    if (started) timer = setTimeout(() => { heard.textContent = sentence; }, rest);
    else heard.textContent = sentence;
    started = true;
  };
  return { root: html("div", {}, seen, heard), say, stop: () => clearTimeout(timer) };
}

/** The button that brings the starting values back. */
export function resetButton(onClick) {
  const button = html("button", { type: "button", class: "live-button live-reset" }, "Reset");
  button.addEventListener("click", onClick);
  return button;
}

/**
 * Let `handle` be dragged with a mouse, pen or finger. `onMove(x, y)` gets the point in the svg's own
 * coordinates, shifted so that the handle does not jump to the pointer when it is taken off-centre.
 */
export function draggable(svg, handle, position, onMove) {
  let offset = null;
  const point = (event) => {
    const matrix = svg.getScreenCTM().inverse();
    const { x, y } = new DOMPoint(event.clientX, event.clientY).matrixTransform(matrix);
    return [x, y];
  };
  handle.addEventListener("pointerdown", (event) => {
    const [x, y] = point(event);
    const [hx, hy] = position();
    offset = [hx - x, hy - y];
    handle.setPointerCapture(event.pointerId);
    handle.focus({ preventScroll: true });
    event.preventDefault();
  });
  // A finger on the handle moves the handle, not the page; not every browser heeds touch-action inside an SVG.
  handle.addEventListener("touchstart", (event) => event.preventDefault(), { passive: false });
  handle.addEventListener("pointermove", (event) => {
    if (offset === null) return;
    const [x, y] = point(event);
    onMove(x + offset[0], y + offset[1]);
  });
  ["pointerup", "pointercancel", "lostpointercapture"].forEach((end) =>
    handle.addEventListener(end, () => { offset = null; }));
}

/** Call `paint` at most once per frame of the screen, however often it is asked for. */
export function once(paint) {
  let waiting = null;
  const ask = () => {
    if (waiting === null) waiting = requestAnimationFrame(() => { waiting = null; paint(); });
  };
  ask.stop = () => cancelAnimationFrame(waiting);
  return ask;
}

/**
 * Tie a figure to its model: `paint()` follows every change of the named values, wherever it comes from
 * (this figure, another view of it, Python). Returns `set(values)` for the figure's own changes, `reset()`,
 * and `stop()`, which undoes everything when the figure goes away.
 */
export function follow(model, names, paint) {
  const initial = Object.fromEntries(names.map((name) => [name, model.get(name)]));
  const ask = once(paint);
  names.forEach((name) => model.on(`change:${name}`, ask));
  const set = (values) => {
    Object.entries(values).forEach(([name, value]) => model.set(name, value));
    model.save_changes();
    ask();
  };
  return {
    set,
    reset: () => set(initial),
    stop: () => {
      ask.stop();
      names.forEach((name) => model.off(`change:${name}`, ask));
    },
  };
}

/**
 * The keys that a figure answers to are its own: a notebook around it would take an arrow as a wish to move on, and a
 * letter as a command. Out of the figure lead Escape and Tab; combinations, and what runs a cell, stay the notebook's.
 */
function keepKeys(event) {
  const runs = event.key === "Enter" && event.shiftKey;
  if (!(runs || event.ctrlKey || event.metaKey || event.altKey || event.key === "Escape")) event.stopPropagation();
}

/** Put a figure's parts into the page: panels side by side where there is room, then the controls. */
export function arrange(el, { label, panels, controls, values, voice, reset }) {
  const root = html("div", { class: "live", role: "group", "aria-label": label },
    html("div", { class: "live-panels" }, ...panels),
    html("div", { class: "live-controls" }, ...controls, reset),
    ...(values ? [values] : []), voice);
  root.addEventListener("keydown", keepKeys);
  el.replaceChildren(root);
  return root;
}
