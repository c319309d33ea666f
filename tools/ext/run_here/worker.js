/**
 * Python in a thread of its own. It is told once where Pyodide, the page's packages and the book's package
 * are, says how far it has come, and then runs one cell after the other.
 */
let run = null;

async function start({ base, packages, wheel, runner }) {
  const say = (words) => postMessage({ kind: "progress", words });
  say("Fetching Python …");
  const { loadPyodide } = await import(`${base}pyodide.mjs`);
  const python = await loadPyodide({ indexURL: base });
  if (packages.length) {
    say(`Fetching ${packages.join(", ")} …`);
    const missing = [];
    await python.loadPackage(packages, { messageCallback: () => {}, errorCallback: (words) => missing.push(words) });
    const there = python.runPython("import importlib.util as u; lambda name: u.find_spec(name) is not None");
    const absent = packages.filter((name) => !there(name));
    if (absent.length) throw new Error(`there is no ${absent.join(", no ")} beside it. ${missing.join(" ")}`.trim());
  }
  say("Unpacking the book's package …");
  const bytes = Uint8Array.from(atob(wheel), (letter) => letter.charCodeAt(0));
  python.unpackArchive(bytes.buffer, "wheel");
  python.runPython("import os; os.environ['MPLBACKEND'] = 'agg'");
  const place = python.runPython("import site; site.getsitepackages()[0]");
  python.FS.writeFile(`${place}/run_here_runner.py`, runner);
  return python.runPython("import importlib; importlib.invalidate_caches(); from run_here_runner import run; run");
}

onmessage = async ({ data }) => {
  try {
    if (data.kind === "start") {
      run = await start(data);
      postMessage({ kind: "ready" });
    } else {
      postMessage({ kind: "done", outputs: JSON.parse(run(data.source, data.name)) });
    }
  } catch (error) {
    postMessage({ kind: "failed", words: error?.message ?? String(error) });
  }
};
