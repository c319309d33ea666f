"""Run it here: pages whose code a browser can run carry a button that fetches Python and runs their cells.

A page qualifies when everything its cells import, through the companion package too, is among the libraries
below; the imports are read, nobody keeps a list. Such a page carries its cells as they are in its source, the
hidden ones included. What the button fetches from the site is one script, with the companion package as a
wheel and the two files of ``run_here/`` in it; where it looks for Pyodide is ``run_here_bases`` in the
configuration, one place after the other: addresses, or folders relative to the site's title page.
"""

import base64
import json
import os
import posixpath
import subprocess
import sys
from pathlib import Path

from book_notebooks import is_notebook, read
from docutils import nodes
from run_here.imports import needed

# The names of what Pyodide brings, and of what run_here/runner.py stands in for.
LIBRARIES = frozenset({"numpy", "scipy", "matplotlib", "cycler", "traitlets"})
STAND_INS = frozenset({"myst_nb", "IPython", "anywidget"})
PARTS = Path(__file__).parent / "run_here"
CODE = Path(__file__).resolve().parents[2] / "code"
SCRIPT = "downloads/run-here-parts.js"


def code_cells(app, docname: str) -> list[tuple[int, str]]:
    """Place in its notebook and source of each code cell of a page."""
    cells = enumerate(read(Path(app.env.doc2path(docname))).cells)
    return [(place, cell.source) for place, cell in cells if cell.cell_type == "code"]


def packages(app, docname: str) -> list[str] | None:
    """What Pyodide must bring for a page; None where that is not enough."""
    found = needed("\n".join(source for _, source in code_cells(app, docname)))
    return sorted(found & LIBRARIES) if found <= LIBRARIES | STAND_INS else None


def name_cells(app, doctree) -> None:
    """Give every code cell that is shown a name, so that the page's script finds it."""
    for node in doctree.findall(nodes.container):
        if node.get("nb_element") == "cell_code":
            node["ids"].append(f"code-cell-{node['cell_index']}")


def offer(app, pagename, templatename, context, doctree) -> None:
    """Put the button, the cells and the script that answers to the button into a page that qualifies."""
    if doctree is None or not is_notebook(app, pagename):
        return
    wanted = packages(app, pagename)
    if wanted is None:
        return
    up = posixpath.relpath(".", posixpath.dirname(pagename) or ".") + "/"
    facts = {
        "root": up,
        "bases": app.config.run_here_bases,
        "parts": context["pathto"](SCRIPT, 1),
        "packages": wanted,
        "cells": [
            {"id": f"code-cell-{place}", "source": source} for place, source in code_cells(app, pagename)
        ],
    }
    text = json.dumps(facts, ensure_ascii=False).replace("</", "<\\/")
    words = (
        '<div class="run-here pst-js-only">'
        '<button type="button" class="run-here-button">Run it here</button> '
        '<span class="run-here-status" role="status">Fetches Python once, some 30 MB, and runs and edits the '
        "cells of this page in your browser.</span></div>"
        f'<script type="application/json" id="run-here-facts">{text}</script>'
    )
    context["body"] = context["body"].replace("</h1>", f"</h1>\n{words}", 1)
    app.add_js_file("host.js", defer="defer")  # starts live figures that a cell makes
    app.add_js_file("run_here.js", defer="defer")


def build_wheel(folder: Path) -> Path:
    """Make the companion package's wheel; the same sources give the same file."""
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    environment = {**os.environ, "SOURCE_DATE_EPOCH": "315532800"}  # 1980, where zip's calendar begins
    done = subprocess.run(command, cwd=CODE, env=environment, capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"The wheel of {CODE} could not be built:\n{done.stdout}{done.stderr}")
    (wheel,) = folder.glob("gatedrnn-*.whl")
    return wheel


def write_parts(app, exception) -> None:
    """Write the wheel and the script beside the pages."""
    if exception is not None or app.builder.format != "html":
        return
    folder = Path(app.outdir, "downloads")
    for old in folder.glob("gatedrnn-*.whl"):
        old.unlink()
    parts = {
        "wheel": base64.b64encode(build_wheel(folder).read_bytes()).decode("ascii"),
        "worker": (PARTS / "worker.js").read_text(encoding="utf-8"),
        "runner": (PARTS / "runner.py").read_text(encoding="utf-8"),
    }
    # A script, not data: a page that was opened from a folder may load a script and nothing else.
    Path(app.outdir, SCRIPT).write_text(f"globalThis.runHereParts = {json.dumps(parts)};\n", encoding="utf-8")


def wheel_role(name, rawtext, text, line, inliner, options=None, content=()):
    """Link to the wheel of the companion package: ``{package-wheel}`text```."""
    import gatedrnn

    docname = inliner.document.settings.env.docname
    file = f"downloads/gatedrnn-{gatedrnn.__version__}-py3-none-any.whl"
    address = posixpath.relpath(file, posixpath.dirname(docname) or ".")
    return [nodes.reference(rawtext, text, refuri=address, internal=True)], []


def setup(app):
    """Register the setting, and connect to pages and the end of the build."""
    app.add_config_value("run_here_bases", [], "html", list)
    app.add_role("package-wheel", wheel_role)
    app.connect("doctree-read", name_cells)
    app.connect("html-page-context", offer, priority=400)  # before the download line takes its place
    app.connect("build-finished", write_parts)
    return {"parallel_read_safe": True, "parallel_write_safe": True, "version": "1"}
