/**
 * "Run it here": fetch Python when the reader asks for it, and make the page's cells editable and alive.
 * Nothing is fetched before the click, and nothing else on the page depends on it.
 */
(() => {
  const facts = JSON.parse(document.getElementById("run-here-facts").textContent);
  const box = document.querySelector(".run-here");
  const [button, status] = [box.querySelector("button"), box.querySelector("[role=status]")];
  const root = new URL(facts.root, location.href);
  const say = (words) => { status.textContent = words; };

  const element = (name, attributes = {}, ...children) => {
    const node = document.createElement(name);
    Object.entries(attributes).forEach(([key, value]) => node.setAttribute(key, value));
    node.append(...children);
    return node;
  };

  /** The first place on the list that has Pyodide, or null. From a folder only other hosts can be asked. */
  const findBase = async () => {
    for (const place of facts.bases) {
      const base = new URL(place, root).href;
      if (base.startsWith("file:")) continue;
      const answer = await fetch(`${base}pyodide.mjs`, { method: "HEAD" }).catch(() => null);
      if (answer?.ok) return base;
    }
    return null;
  };

  const loadParts = () => new Promise((done, failed) => {
    if (globalThis.runHereParts) { done(globalThis.runHereParts); return; }
    const script = element("script", { src: facts.parts });
    script.addEventListener("load", () => done(globalThis.runHereParts));
    script.addEventListener("error", () => failed(new Error(`${facts.parts} is not there.`)));
    document.head.append(script);
  });

  const absence = () => {
    const places = facts.bases.map((place) => new URL(place, root)).map(({ protocol, host, href }) =>
      (protocol === "file:" || host === root.host ? `the folder ${href.slice(root.href.length)} of this site` : host));
    const folder = location.protocol === "file:"
      ? " A page that was opened from a folder cannot use Python from that folder: say `make serve`, or put the site on any web server." : "";
    return `Python is not to be had here: nothing answers at ${places.join(" or ")}. Connect to a network, or lay Pyodide's full `
      + `distribution into the folder pyodide beside index.html.${folder} The page's notebook can be downloaded and run in Jupyter instead.`;
  };

  /** Python in a worker: `ask(message)` resolves with its answer; `end()` stops whatever it is doing. */
  const startPython = async (base) => {
    const parts = await loadParts();
    const address = URL.createObjectURL(new Blob([parts.worker], { type: "text/javascript" }));
    const worker = new Worker(address, { type: "module" });
    let [resolve, reject] = [null, null];
    const ask = (message) => new Promise((done, failed) => {
      [resolve, reject] = [done, failed];
      worker.postMessage(message);
    });
    worker.onmessage = ({ data }) => {
      if (data.kind === "progress") say(data.words);
      else if (data.kind === "failed") reject(new Error(data.words));
      else resolve(data);
    };
    worker.onerror = (event) => { event.preventDefault(); reject(new Error(event.message || "the worker did not start.")); };
    await ask({ kind: "start", base, packages: facts.packages, wheel: parts.wheel, runner: parts.runner });
    URL.revokeObjectURL(address);
    return { ask, end: () => { worker.terminate(); reject(new Error("stopped.")); } };
  };

  let python = null;
  let busy = false;
  let ran = 0; // how many of the page's cells have run, from the first on, in this Python
  const cells = facts.cells.map(({ id, source }, place) => ({ place, source, root: document.getElementById(id) }));

  const ready = async () => {
    if (python) return true;
    const base = await findBase();
    if (!base) { say(absence()); return false; }
    try {
      python = await startPython(base);
    } catch (error) {
      say(`Python did not start: ${error.message} Pyodide was taken from ${base}`);
      return false;
    }
    return true;
  };

  const show = (cell, outputs) => {
    if (!cell.root || !(outputs.length || cell.fresh)) return;
    let place = cell.root.querySelector(".cell_output");
    if (!place) {
      place = element("div", { class: "cell_output" });
      cell.root.append(place);
    }
    const frame = place.querySelector("figure") ?? place;
    if (!cell.fresh) {
      // What the build showed makes room; the caption of a figure stays.
      [...frame.children].filter((child) => child.tagName !== "FIGCAPTION").forEach((child) => { child.hidden = true; });
      cell.fresh = element("div", { class: "run-here-output" });
      frame.prepend(cell.fresh);
    }
    cell.fresh.replaceChildren(...outputs.map(render));
  };

  const render = (output) => {
    if (output.kind === "live") {
      const figure = element("div", { class: "live-figure" });
      globalThis.startLiveFigure(figure, output.state);
      return figure;
    }
    if (output.kind === "picture") {
      const image = (svg, scheme) => element("img", {
        class: `only-${scheme}`, alt: "The figure that this cell has drawn just now.", src: `data:image/svg+xml,${encodeURIComponent(svg)}`,
      });
      return element("span", { class: "figure-scroll" }, image(output.light, "light"), image(output.dark, "dark"));
    }
    return element("pre", { class: output.kind === "error" ? "run-here-error" : "" }, output.text);
  };

  /** Run one cell; false where it raised. */
  const runOne = async (cell) => {
    const name = cell.number ? `cell ${cell.number}` : "a cell that the page does not show";
    say(`Running ${name} …`);
    const { outputs } = await python.ask({ kind: "run", source: cell.editor?.value ?? cell.source, name });
    show(cell, outputs);
    ran = Math.max(ran, cell.place + 1);
    const failed = outputs.at(-1)?.kind === "error";
    if (failed && !cell.root) show(cells.find(({ root: shown, place }) => shown && place > cell.place) ?? cell, outputs);
    return !failed;
  };

  /** Run a cell, after those before it that have not run yet. */
  const runTo = async (last, from = Math.min(ran, last)) => {
    if (busy) return;
    busy = true;
    box.classList.add("is-busy");
    button.textContent = "Stop";
    try {
      if (!await ready()) return;
      edit();
      const start = performance.now();
      for (const cell of cells.slice(from, last + 1)) {
        if (!await runOne(cell)) { say(`${cell.number ? `Cell ${cell.number}` : "A cell"} raised an error.`); return; }
      }
      say(`Done in ${((performance.now() - start) / 1000).toFixed(1)} s. Change a cell and run it again with Shift and Enter.`);
    } catch (error) {
      say(`Python ended: ${error.message} It starts afresh with the next run.`);
      python = null;
      ran = 0;
    } finally {
      busy = false;
      box.classList.remove("is-busy");
      button.textContent = python ? "Run all again" : "Run it here";
    }
  };

  /** Give each cell that is shown an editor in place of its code, and a button, once. */
  const edit = () => {
    cells.filter(({ root: shown, editor }) => shown?.querySelector(".cell_input") && !editor).forEach((cell, index) => {
      cell.number = index + 1;
      const input = cell.root.querySelector(".cell_input");
      cell.editor = element("textarea", {
        class: "run-here-editor", spellcheck: "false", autocapitalize: "off", autocomplete: "off", "aria-label": `Code of cell ${cell.number}, can be edited`,
      });
      cell.editor.value = cell.source;
      const fit = () => { cell.editor.rows = cell.editor.value.split("\n").length; };
      fit();
      cell.editor.addEventListener("input", fit);
      const go = element("button", { type: "button", class: "run-here-cell" }, `Run cell ${cell.number}`);
      go.addEventListener("click", () => runTo(cell.place, ran > cell.place ? cell.place : ran));
      cell.editor.addEventListener("keydown", (event) => {
        if (event.key !== "Enter" || !(event.shiftKey || event.ctrlKey)) return;
        event.preventDefault();
        go.click();
      });
      input.replaceChildren(cell.editor, go);
    });
  };

  button.addEventListener("click", () => {
    if (!busy) runTo(cells.length - 1, 0);
    else if (python) python.end();
    else say("Python is still on its way …");
  });
})();
