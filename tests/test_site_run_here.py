"""Run it here: which pages offer it, their cells without Jupyter and torch, and Pyodide's core in a browser.

Pyodide's core comes through npm, without NumPy, which only its own content network has. So the road from the
click to the output is tested with the core and cells in plain Python, and the pages' own cells are run by the
same runner in this Python, with real NumPy and everything out of reach that Pyodide does not bring.
"""

import contextlib
import functools
import hashlib
import http.server
import importlib.util
import json
import os
import re
import subprocess
import sys
import threading
import zipfile
from pathlib import Path

import gatedrnn
import pytest
from browsing import ROOT, SITE, page_names
from conftest import built_book

CHAPTER = "chapters/principles/01-machine-with-memory.html"
TOOLS = ROOT / "tools"
# What Pyodide 314 lists for numpy, scipy, matplotlib and traitlets, by the names that are imported.
BROUGHT = set(
    "numpy scipy matplotlib mpl_toolkits contourpy cycler fontTools kiwisolver packaging PIL pyparsing "  # noqa: SIM905
    "dateutil pytz six traitlets".split()
)


def facts(name: str) -> dict | None:
    """What a page tells its script; None where it offers nothing."""
    text = (SITE / name).read_text(encoding="utf-8")
    found = re.search(r'<script type="application/json" id="run-here-facts">(.*?)</script>', text, re.DOTALL)
    return json.loads(found[1].replace("<\\/", "</")) if found else None


OFFERING = [name for name in page_names() if facts(name)]


def load(path: Path):
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


# ---- which pages ---------------------------------------------------------------------------------------


def test_imports_are_followed_through_the_package():
    needed = load(TOOLS / "ext" / "run_here" / "imports.py").needed
    assert needed("import numpy as np\nimport json, os.path") == {"numpy"}
    assert needed("from gatedrnn import cells") == {"numpy", "scipy"}
    assert {"torch", "numpy"} <= needed("import gatedrnn.layers")
    assert "torch" in needed("def f():\n    pass\nif True:\n    from gatedrnn import layers")
    assert needed("def f():\n    import torch\n    return lambda: 1") == set()


def test_a_page_offers_it_exactly_when_its_imports_allow_it(pages):
    needed = load(TOOLS / "ext" / "run_here" / "imports.py").needed
    allowed = {"numpy", "scipy", "matplotlib", "cycler", "traitlets", "myst_nb", "IPython", "anywidget"}
    assert CHAPTER in OFFERING
    for path in sorted((SITE / "downloads").glob("*.ipynb")):
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        code = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")
        (name,) = (name for name in pages if Path(name).stem == path.stem)
        assert (name in OFFERING) == (needed(code) <= allowed), name


def test_the_page_carries_its_cells_and_names_those_that_it_shows(pages):
    for name in OFFERING:
        told = facts(name)
        notebook = built_book().read_notebook(ROOT / Path(name).with_suffix(".md"))
        code = [cell.source for cell in notebook.cells if cell.cell_type == "code"]
        assert [cell["source"] for cell in told["cells"]] == code
        by_id = {cell["id"]: cell["source"] for cell in told["cells"]}
        shown = [
            box for box in pages[name].select("div.cell[id^=code-cell-]") if box.select_one(".cell_input pre")
        ]
        assert shown
        for box in shown:
            assert box.select_one(".cell_input pre").get_text().strip() == by_id[box["id"]].strip()


def test_the_wheel_is_offered_and_is_the_package(pages):
    (wheel,) = (SITE / "downloads").glob("gatedrnn-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if name.startswith("gatedrnn/")}
        assert archive.read("gatedrnn/cells.py") == (ROOT / "code" / "gatedrnn" / "cells.py").read_bytes()
    assert {"gatedrnn/widgets/core.js", "gatedrnn/fonts/BookSans-Regular.ttf"} <= names
    assert f"downloads/{wheel.name}" in [link["href"] for link in pages["index.html"].select("a[href]")]


# ---- the cells, with nothing that Pyodide does not bring -----------------------------------------------


GATE = f"""
import importlib.abc, json, sys
allowed = set(sys.stdlib_module_names) | {BROUGHT!r} | {{"gatedrnn", "run_here_runner"}}

class Gate(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] not in allowed and not name.startswith("_"):
            raise ModuleNotFoundError(f"No module named {{name!r}} in the browser", name=name)

sys.meta_path.insert(0, Gate())
import matplotlib
matplotlib.use("agg")
import importlib.util
spec = importlib.util.spec_from_file_location("run_here_runner", sys.argv[1])
runner = importlib.util.module_from_spec(spec)
sys.modules["run_here_runner"] = runner
spec.loader.exec_module(runner)
for cell in json.load(sys.stdin):
    print(json.dumps(json.loads(runner.run(cell))))
"""


def run_like_pyodide(cells: list[str]) -> list[list[dict]]:
    """Run cells by the browser's runner in a process in which only Pyodide's libraries can be imported."""
    done = subprocess.run(
        [sys.executable, "-c", GATE, str(TOOLS / "ext" / "run_here" / "runner.py")],
        input=json.dumps(cells),
        capture_output=True,
        encoding="utf-8",
        timeout=300,
        env={**os.environ, "PYTHONUTF8": "1"},
    )
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.parametrize("name", OFFERING or [CHAPTER])
def test_the_cells_of_the_page_run_with_what_pyodide_brings(name):
    cells = [cell["source"] for cell in facts(name)["cells"]]
    outputs = run_like_pyodide(cells)
    assert len(outputs) == len(cells)
    kinds = [output["kind"] for cell in outputs for output in cell]
    errors = [output["text"] for cell in outputs for output in cell if output["kind"] == "error"]
    assert errors == [] and kinds
    shows_figures = "only-light" in (SITE / name).read_text("utf-8")
    assert ("picture" in kinds or "live" in kinds) or not shows_figures


def test_the_runner_shows_what_a_notebook_would():
    first, second, third, fourth, fifth = run_like_pyodide(
        [
            "import numpy as np\nx = np.arange(3)\nprint('said')\nx + 1",
            "x.sum();",
            "import matplotlib.pyplot as p\nfrom gatedrnn import figures\nfigures.use_style()\np.plot(x);",
            "from gatedrnn import widgets\nwidgets.EigenvalueEcho(radius=0.5)",
            "x[7]",
        ]
    )
    assert first == [{"kind": "text", "text": "said\n"}, {"kind": "text", "text": "array([1, 2, 3])\n"}]
    assert second == []
    (picture,) = third
    assert "#1d2733" in picture["light"] and "#1d2733" not in picture["dark"]
    (live,) = fourth
    assert live["state"]["radius"] == 0.5 and "export default" in live["state"]["_esm"]
    (error,) = fifth
    assert "IndexError" in error["text"] and "x[7]" in error["text"] and "runner.py" not in error["text"]


# ---- the button, with Pyodide's core -------------------------------------------------------------------


@pytest.fixture(scope="session")
def core(browser) -> Path:
    """The folder with Pyodide's core, through npm."""
    npm = load(TOOLS / "npm.py")
    try:
        return npm.installed("pyodide") / "pyodide"
    except npm.NotInstalledError as error:
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(str(error))


@contextlib.contextmanager
def serve(folder: Path, foreign: bool = False):
    """The site with a folder as its pyodide/, on a port of its own, and what was asked for.

    A ``foreign`` one lets pages of other hosts read its files, as content networks do.
    """
    asked = []

    class Overlay(http.server.SimpleHTTPRequestHandler):
        def translate_path(self, path):
            asked.append(path)
            place = path.split("?")[0]
            return str(folder / place[9:]) if place.startswith("/pyodide/") else super().translate_path(path)

        def end_headers(self):
            if foreign:
                self.send_header("Access-Control-Allow-Origin", "*")
            super().end_headers()

        def log_message(self, *_):
            pass

    Overlay.extensions_map = {
        **Overlay.extensions_map,
        ".mjs": "text/javascript",
        ".wasm": "application/wasm",
    }
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Overlay, directory=SITE))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/", asked
    finally:
        server.shutdown()
        server.server_close()


@pytest.fixture
def served(core, pages):
    """The site with Pyodide's core in its folder pyodide/."""
    with serve(core) as found:
        yield found


def open_with(browser, url: str, home: str, change=None, allowed: tuple = ()):
    """Open a page with hosts out of reach that are not allowed, and the facts for its script changed."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()

    def sort(route):
        if not route.request.url.startswith((home, "blob:", "data:", *allowed)):
            route.abort()
        elif change and route.request.resource_type == "document":
            text = (SITE / url).read_text(encoding="utf-8")
            told = json.dumps({**facts(url), **change(facts(url))}).replace("</", "<\\/")
            start = text.index(">", text.index('id="run-here-facts"')) + 1
            route.fulfill(
                body=text[:start] + told + text[text.index("</script>", start) :], content_type="text/html"
            )
        else:
            route.continue_()

    page.route("**/*", sort)
    page.goto(home + url)
    return page


def status(page, pattern: str, timeout: int = 90_000) -> str:
    """Wait until the button's status says something."""
    page.wait_for_function(
        "(said) => new RegExp(said).test(document.querySelector('.run-here [role=status]').textContent)",
        arg=pattern,
        timeout=timeout,
    )
    return page.locator(".run-here [role=status]").inner_text()


def in_plain_python(told: dict) -> dict:
    """The page's facts with cells that need no library."""
    sources = ["import gatedrnn\nx = 20", "x + 1", "print(gatedrnn.__version__)"]
    return {"packages": [], "cells": in_place_of(told, sources)}


def in_place_of(told: dict, sources: list[str]) -> list[dict]:
    """Cells of our own, where the page shows its first ones."""
    shown = [cell["id"] for cell in told["cells"]]
    return [{"id": place, "source": source} for place, source in zip(shown, sources, strict=False)]


@pytest.mark.browser
def test_cells_run_can_be_changed_raise_and_be_stopped(browser, served):
    home, asked = served
    page = open_with(browser, CHAPTER, home, in_plain_python)
    assert not [path for path in asked if "pyodide" in path or "run-here-parts" in path], (
        "nothing before the click"
    )
    page.get_by_role("button", name="Run it here").click()
    status(page, "^Done in")
    assert any("pyodide.asm.wasm" in path for path in asked)
    shown = [text.strip() for text in page.locator(".run-here-output").all_inner_texts()]
    assert shown == ["21", gatedrnn.__version__]
    editor = page.locator("textarea.run-here-editor").last
    assert re.fullmatch(r"Code of cell \d+, can be edited", editor.get_attribute("aria-label"))
    editor.fill("print(x * 2)")
    editor.press("Shift+Enter")
    page.wait_for_function(
        "[...document.querySelectorAll('.run-here-output')].some((node) => node.textContent.trim() === '40')"
    )
    status(page, "^Done in")
    editor.fill("1 / 0")
    editor.press("Shift+Enter")
    status(page, "raised an error")
    assert "ZeroDivisionError" in page.locator(".run-here-error").inner_text()
    editor.fill("while True:\n    pass")
    editor.press("Shift+Enter")
    status(page, "^Running")
    page.get_by_role("button", name="Stop").click()
    status(page, "^Stopped.*starts Python afresh")
    assert editor.input_value() == "while True:\n    pass"  # what the reader wrote stays
    page.context.close()


def fake(folder: Path, answers: str) -> dict:
    """A worker that answers as told instead of running Python, and a folder that seems to hold Pyodide."""
    folder.mkdir()
    (folder / "pyodide.mjs").write_text("")
    script = f"onmessage = ({{ data }}) => {{ {answers} }};"
    return {"worker": script, "wheel": "", "runner": ""}


@pytest.mark.browser
def test_the_fetching_can_be_stopped_and_begun_again(browser, pages, tmp_path):
    parts = fake(tmp_path / "pyodide", "postMessage({ kind: 'progress', words: 'Fetching …' })")
    with serve(tmp_path / "pyodide") as (home, _):
        page = open_with(browser, CHAPTER, home, in_plain_python)
        page.evaluate("(parts) => { globalThis.runHereParts = parts; }", parts)
        for _ in range(2):
            page.get_by_role("button", name="Run it here").click()
            status(page, "^Fetching")
            page.get_by_role("button", name="Stop").click()
            status(page, "^Stopped")
        page.context.close()


@pytest.mark.browser
def test_a_server_that_answers_every_address_with_its_title_page_has_no_python(browser, pages, tmp_path):
    (tmp_path / "pyodide").mkdir()
    with serve(tmp_path / "pyodide") as (home, _):
        page = open_with(browser, CHAPTER, home)
        page.route("**/pyodide/*", lambda route: route.fulfill(body="<p>Welcome", content_type="text/html"))
        page.get_by_role("button", name="Run it here").click()
        status(page, "not to be had")
        page.context.close()


@pytest.mark.browser
def test_a_page_from_a_folder_takes_python_from_the_network(browser, pages, tmp_path):
    """The worker is a module, which a browser starts and lets fetch by other rules on such a page."""
    parts = fake(
        tmp_path / "pyodide",
        "const done = () => postMessage({ outputs: [{ kind: 'text', text: 'came' }] });"
        "const failed = ({ message }) => postMessage({ kind: 'failed', words: message });"
        "if (data.kind === 'start') import(`${data.base}pyodide.mjs`).then(done, failed); else done();",
    )
    with serve(tmp_path / "pyodide", foreign=True) as (network, asked):
        for home, bases in (
            (SITE.as_uri() + "/", ["pyodide/", f"{network}pyodide/"]),
            (network, ["pyodide/"]),
        ):

            def change(told, bases=bases):
                return {**in_plain_python(told), "bases": bases}

            page = open_with(browser, CHAPTER, home, change, allowed=(network,))
            page.evaluate("(parts) => { globalThis.runHereParts = parts; }", parts)
            page.get_by_role("button", name="Run it here").click()
            status(page, "^Done in")
            assert page.locator(".run-here-output").first.inner_text() == "came"
            page.context.close()
    assert asked.count("/pyodide/pyodide.mjs") >= 2


@pytest.mark.browser
def test_what_the_chapter_shows_takes_the_place_of_what_the_build_showed(browser, pages, tmp_path):
    """All cells of the chapter, with the outputs that their runner gives here, in the reader's page."""
    cells = [cell["source"] for cell in facts(CHAPTER)["cells"]]
    outputs = json.dumps(dict(zip(cells, run_like_pyodide(cells), strict=True)))
    parts = fake(
        tmp_path / "pyodide",
        f"postMessage(data.kind === 'start' ? {{}} : {{ outputs: {outputs}[data.source] ?? [] }})",
    )
    with serve(tmp_path / "pyodide") as (home, _):
        page = open_with(browser, CHAPTER, home)
        alts = "(all) => all.map((image) => image.alt)"
        built = page.locator("div.cell .cell_output img.only-light").evaluate_all(alts)
        page.evaluate("(parts) => { globalThis.runHereParts = parts; }", parts)
        page.get_by_role("button", name="Run it here").click()
        status(page, "^Done in")
        fresh = page.locator(".run-here-output img.only-light")
        assert fresh.evaluate_all(alts) == built
        assert all(fresh.evaluate_all("(all) => all.map((i) => i.complete && i.naturalWidth > 0)"))
        page.locator(".run-here-output .live-figure[data-started]").first.wait_for(timeout=10_000)
        assert page.locator(".cell_output .live-figure:not(.run-here-output *)").evaluate_all(
            "(all) => all.every((box) => box.hidden || box.closest('[hidden]'))"
        )
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        editor = page.locator("textarea.run-here-editor").first
        editor.fill("'nothing that the runner knows'")
        editor.press("Shift+Enter")
        status(page, "^Done in")
        page.get_by_role("button", name="Run all again").click()
        status(page, "^Done in")
        assert all("with changed code" in alt for alt in fresh.evaluate_all(alts))
        page.context.close()


def lay_beside(core: Path, folder: Path, says: str) -> None:
    """A folder with the core and one package more, as Pyodide's full distribution has packages."""
    folder.mkdir()
    for path in core.iterdir():
        (folder / path.name).symlink_to(path)
    wheel = folder / "lies_beside-1.0-py3-none-any.whl"
    about = {"METADATA": "Metadata-Version: 2.1\nName: lies-beside\nVersion: 1.0\n", "RECORD": ""}
    about["WHEEL"] = "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("lies_beside/__init__.py", f"says = {says!r}\n")
        for name, text in about.items():
            archive.writestr(f"lies_beside-1.0.dist-info/{name}", text)
    lock = json.loads((core / "pyodide-lock.json").read_text(encoding="utf-8"))
    lock["packages"]["lies-beside"] = {
        **lock["packages"]["cycler"],
        "name": "lies_beside",
        "version": "1.0",
        "file_name": wheel.name,
        "sha256": hashlib.sha256(wheel.read_bytes()).hexdigest(),
        "imports": ["lies_beside"],
        "depends": [],
    }
    (folder / "pyodide-lock.json").unlink()
    (folder / "pyodide-lock.json").write_text(json.dumps(lock), encoding="utf-8")


@pytest.mark.browser
def test_packages_come_from_the_folder_and_a_damaged_one_is_refused(browser, core, pages, tmp_path):
    lay_beside(core, tmp_path / "pyodide", "found")

    def change(told: dict) -> dict:
        return {
            "packages": ["lies_beside"],
            "cells": in_place_of(told, ["import lies_beside", "lies_beside.says"]),
        }

    with serve(tmp_path / "pyodide") as (home, _):
        page = open_with(browser, CHAPTER, home, change)
        page.get_by_role("button", name="Run it here").click()
        status(page, "^Done in")
        assert page.locator(".run-here-output").all_inner_texts() == ["'found'\n"]
        page.context.close()
        (tmp_path / "pyodide" / "lies_beside-1.0-py3-none-any.whl").write_bytes(b"damaged")
        page = open_with(browser, CHAPTER, home, change)
        page.get_by_role("button", name="Run it here").click()
        assert "there is no lies_beside beside it" in status(page, "did not start")
        page.context.close()


@pytest.mark.browser
def test_a_core_without_numpy_says_what_is_missing(browser, served):
    home, asked = served
    page = open_with(browser, CHAPTER, home)
    page.get_by_role("button", name="Run it here").click()
    sentence = status(page, "did not start")
    assert "there is no" in sentence and "numpy" in sentence
    assert any(re.search(r"/pyodide/numpy-.*\.whl", path) for path in asked), (
        "it was looked for beside the core"
    )
    page.context.close()


@pytest.mark.browser
def test_with_neither_a_folder_nor_a_network_the_button_explains_itself(browser, address):
    page = open_with(browser, CHAPTER, address)
    page.get_by_role("button", name="Run it here").click()
    sentence = status(page, "not to be had")
    assert "the folder pyodide/ of this site" in sentence and "cdn.jsdelivr.net" in sentence
    assert page.get_by_role("button", name="Run it here").is_enabled()
    page.context.close()


@pytest.mark.browser
def test_from_a_folder_the_button_explains_itself(browser, pages):
    page = open_with(browser, CHAPTER, SITE.as_uri() + "/")
    page.get_by_role("button", name="Run it here").click()
    assert "python3 -m http.server" in status(page, "not to be had")
    page.context.close()
