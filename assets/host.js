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

  const start = async (box, states) => {
    const { model_id: id } = JSON.parse(box.querySelector("script").textContent);
    const state = states[id].state;
    dress(state._css);
    const { default: figure } = await load(state._esm);
    const el = document.createElement("div");
    box.append(el);
    const model = modelOf({ ...state, alt: box.dataset.alt || state.alt });
    await figure.render({ model, el });
    box.dataset.started = "";
  };

  const states = Object.assign({}, ...Array.from(read("state"), (script) => JSON.parse(script.textContent).state));
  document.querySelectorAll(".live-figure").forEach((box) => start(box, states).catch((error) => {
    box.insertAdjacentHTML("beforeend", "<p>This figure could not be started in your browser.</p>");
    throw error;
  }));
})();
