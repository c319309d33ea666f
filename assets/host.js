/**
 * Start the page's live figures. Each is a JavaScript module that the build left in the page as text, with
 * the values it starts from; it needs a model to read and write them, and an element to draw in. In a
 * notebook anywidget gives it both, here this script does. No kernel, no library, no other file.
 */
(() => {
  const read = (type) => document.querySelectorAll(`script[type="application/vnd.jupyter.widget-${type}+json"]`);

  /** The part of an anywidget model that a figure uses: get, set, on, off, save_changes. */
  const modelOf = (state) => {
    const values = { ...state };
    const listeners = new Map();
    const heard = (event) => listeners.get(event) || listeners.set(event, new Set()).get(event);
    return {
      get: (name) => values[name],
      all: () => ({ ...values }),
      set: (name, value) => {
        if (Object.is(values[name], value)) return;
        values[name] = value;
        heard(`change:${name}`).forEach((listener) => listener());
      },
      save_changes: () => {},
      on: (event, listener) => heard(event).add(listener),
      off: (event, listener) => heard(event).delete(listener),
    };
  };

  const modules = new Map();
  /** The module of a figure; figures of one kind share it. */
  const load = (source) => {
    if (!modules.has(source)) {
      const address = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
      modules.set(source, import(address).finally(() => URL.revokeObjectURL(address)));
    }
    return modules.get(source);
  };

  const styles = new Set();
  const dress = (css) => {
    if (!css || styles.has(css)) return;
    styles.add(css);
    document.head.append(Object.assign(document.createElement("style"), { textContent: css }));
  };

  /** Start a figure in a box of the page; its model stays within reach of the page's other scripts. */
  const start = async (box, state) => {
    dress(state._css);
    const { default: figure } = await load(state._esm);
    const el = document.createElement("div");
    box.append(el);
    box.model = modelOf({ ...state, alt: box.dataset.alt || state.alt });
    await figure.render({ model: box.model, el });
    box.dataset.started = "";
  };

  globalThis.startLiveFigure = (box, state) => start(box, state).catch((error) => {
    box.insertAdjacentHTML("beforeend", "<p>This figure could not be started in your browser.</p>");
    throw error;
  });

  // A figure starts when the reader comes near it, so that a long page is there at once; on paper all stand.
  const waiting = new Map();
  const begin = (box) => {
    const state = waiting.get(box);
    if (!state) return;
    waiting.delete(box);
    near.unobserve(box);
    globalThis.startLiveFigure(box, state);
  };
  const near = new IntersectionObserver((entries) =>
    entries.filter(({ isIntersecting }) => isIntersecting).forEach(({ target }) => begin(target)), { rootMargin: "600px 0px" });
  addEventListener("beforeprint", () => [...waiting.keys()].forEach(begin));

  // A module that is there already starts its figure before the page is printed; to fetch one takes too long for that.
  const idle = globalThis.requestIdleCallback ?? ((then) => setTimeout(then, 1000));
  addEventListener("load", () => idle(() => [...waiting.values()].forEach(({ _esm }) => load(_esm))));

  const states = Object.assign({}, ...Array.from(read("state"), (script) => JSON.parse(script.textContent).state));
  document.querySelectorAll(".live-figure").forEach((box) => {
    const { model_id: id } = JSON.parse(box.querySelector("script").textContent);
    waiting.set(box, states[id].state);
    near.observe(box);
  });
})();
