/**
 * "Run it here": fetch Python when the reader asks for it, and make the page's cells editable and alive.
 * Nothing is fetched before the click, and nothing else on the page depends on it.
 */
(() => {
  const facts = JSON.parse(document.getElementById("run-here-facts").textContent);
  const box = document.querySelector(".run-here");
  const [button, status] = [box.querySelector("button"), box.querySelector("[role=status]")];
  const root = new URL(facts.root, location.href);
  const PATIENCE = 15_000; // ms for a host to say whether it has Pyodide
  const LONG = 1_000; // ms after which a cell is worth a word; to hear of every one would drown the others
  const say = (words) => { status.textContent = words; };

  const element = (name, attributes = {}, ...children) => {
    const node = document.createElement(name);
    Object.entries(attributes).forEach(([key, value]) => node.setAttribute(key, value));
    node.append(...children);
    return node;
  };

  /** The first place on the list that has Pyodide, or null. From a folder only other hosts can be asked. */
  const findBase = async (stopped) => {
    for (const place of facts.bases) {
      const base = new URL(place, root).href;
      if (base.startsWith("file:")) continue;
      const late = new AbortController();
      const clock = setTimeout(() => late.abort(), PATIENCE);
      stopped.addEventListener("abort", () => late.abort());
      const answer = await fetch(`${base}pyodide.mjs`, { method: "HEAD", signal: late.signal }).catch(() => null);
      clearTimeout(clock);
      stopped.throwIfAborted();
      // Some servers answer every address with their title page.
      if (answer?.ok && /script/.test(answer.headers.get("content-type"))) return base;
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
      ? " A page that was opened from a folder cannot use Python from that folder: say `python3 -m http.server` in the folder of index.html, and open http://localhost:8000." : "";
    return `Python is not to be had here: nothing answers at ${places.join(" or ")}. Connect to a network, or lay Pyodide's full `
      + `distribution into the folder pyodide beside index.html.${folder} The page's notebook can be downloaded and run in Jupyter instead.`;
  };

  /** Python in a worker: `ready` resolves when it can be asked, `ask(message)` with its answer; `end()` stops whatever it is doing. */
  const startPython = (parts, base) => {
    // Pyodide asks for a module. On a page from a folder a browser takes one from a data address only; elsewhere such a
    // one would count as foreign, and be refused Pyodide's files on this very site.
    const address = location.protocol === "file:" ? `data:text/javascript,${encodeURIComponent(parts.worker)}`
      : URL.createObjectURL(new Blob([parts.worker], { type: "text/javascript" }));
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
    const ready = ask({ kind: "start", base, packages: facts.packages, wheel: parts.wheel, runner: parts.runner })
      .finally(() => URL.revokeObjectURL(address));
    return { ask, ready, end: () => { worker.terminate(); reject(new Error("stopped.")); } };
  };

  let python = null;
  let work = null; // what is going on now: an AbortController, whose signal ends it
  let ran = 0; // how many of the page's cells have run, from the first on, in this Python
  const cells = facts.cells.map(({ id, source }, place) => ({ place, source, root: document.getElementById(id) }));

  const ready = async (stopped) => {
    if (python) return true;
    say("Looking for Python …");
    const base = await findBase(stopped);
    if (!base) { say(absence()); return false; }
    try {
      const parts = await loadParts();
      stopped.throwIfAborted();
      python = startPython(parts, base);
      await python.ready;
    } catch (error) {
      python?.end();
      python = null;
      stopped.throwIfAborted();
      say(`Python did not start: ${error.message} Pyodide was taken from ${base}`);
      return false;
    }
    return true;
  };

  const show = (cell, outputs) => {
    let place = cell.root?.querySelector(".cell_output");
    if (!cell.root || !(outputs.length || place)) return;
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
    cell.fresh.replaceChildren(...outputs.map((output) => render(output, cell)));
  };

  /** What a picture shows: as the build described it while no cell is changed, else only where it comes from. */
  const describe = (cell) => {
    const built = cell.root.querySelector(".cell_output img[alt]:not(.run-here-output img)");
    const changed = cells.some(({ editor, source }) => editor && editor.value !== source);
    return built && !changed ? built.alt : `What ${cell.number ? `cell ${cell.number}` : "a cell"} has drawn just now${changed ? ", with changed code" : ""}.`;
  };

  const render = (output, cell) => {
    if (output.kind === "live") {
      const figure = element("div", { class: "live-figure" });
      globalThis.startLiveFigure(figure, output.state);
      return figure;
    }
    if (output.kind === "picture") {
      const image = (svg, scheme) => element("img", {
        class: `only-${scheme}`, alt: describe(cell), src: `data:image/svg+xml,${encodeURIComponent(svg)}`,
      });
      const [, width] = /<svg[^>]* width="([\d.]+)pt"/.exec(output.light) ?? [];
      return element("span", { class: "figure-scroll", style: width ? `--natural: ${Math.round(width * 4 / 3)}px` : "" },
        image(output.light, "light"), image(output.dark, "dark"));
    }
    return element("pre", { class: output.kind === "error" ? "run-here-error" : "" }, output.text);
  };

  /** Run one cell; false where it raised. */
  const runOne = async (cell) => {
    const name = cell.number ? `cell ${cell.number}` : "a cell that the page does not show";
    const clock = setTimeout(() => say(`Running ${name} …`), LONG);
    const { outputs } = await python.ask({ kind: "run", source: cell.editor?.value ?? cell.source, name })
      .finally(() => clearTimeout(clock));
    show(cell, outputs);
    ran = Math.max(ran, cell.place + 1);
    const failed = outputs.at(-1)?.kind === "error";
    if (failed && !cell.root) show(cells.find(({ root: shown, place }) => shown && place > cell.place) ?? cell, outputs);
    return !failed;
  };

  /** Run a cell, after those before it that have not run yet. */
  const runTo = async (last, from = Math.min(ran, last)) => {
    if (work) { say("Python is still at work. The button Stop ends it."); return; }
    work = new AbortController();
    const stopped = work.signal;
    stopped.addEventListener("abort", () => python?.end());
    button.textContent = "Stop";
    try {
      if (!await ready(stopped)) return;
      edit();
      say("Running …");
      const start = performance.now();
      for (const cell of cells.slice(from, last + 1)) {
        if (!await runOne(cell)) { say(`${cell.number ? `Cell ${cell.number}` : "A cell that the page does not show"} raised an error.`); return; }
      }
      say(`Done in ${((performance.now() - start) / 1000).toFixed(1)} s. Change a cell and run it again with Shift and Enter.`);
    } catch (error) {
      say(stopped.aborted ? "Stopped. The next run starts Python afresh and runs from the first cell on; what you wrote stays."
        : `Python ended: ${error.message} The next run starts it afresh and runs from the first cell on.`);
      python?.end();
      python = null;
      ran = 0;
    } finally {
      work = null;
      document.dispatchEvent(new Event("toggle")); // scrolls.js looks anew for what scrolls
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
        "aria-keyshortcuts": "Shift+Enter",
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
    if (work) work.abort();
    else runTo(cells.length - 1, 0);
  });
})();
