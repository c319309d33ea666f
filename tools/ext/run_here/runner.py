"""Run a page's cells one after the other where there is no Jupyter: in the reader's browser.

``run(source)`` runs one cell in the page's namespace and returns, as JSON, what it shows. Three libraries
that the cells use only to show things have stand-ins here: Jupyter's display, the glue that puts numbers into
the page's text, and the base class of the live figures.
"""

import ast
import contextlib
import io
import json
import linecache
import sys
import traceback
import types

namespace = {"__name__": "__main__"}
shown = []


class Shown:
    """What Jupyter's display classes hold: something to be shown as its text."""

    def __init__(self, data=None, **_):
        self.data = data

    def __repr__(self):
        return str(self.data)


def display(*things, **_):
    """Show things in the order in which a cell asks for it."""
    shown.extend(filter(None, map(look, things)))


def glue(name, value, display=True):
    """Show a value where a cell wants it shown; the page's text keeps the number it was built with."""
    if display:
        shown.append(look(value))


def look(thing):
    """One thing as a page can show it."""
    if hasattr(thing, "live_state"):
        return {"kind": "live", "state": thing.live_state(), "alt": thing.alt}
    if hasattr(thing, "savefig"):
        return picture(thing)
    return {"kind": "text", "text": f"{thing!r}\n"}


def picture(figure):
    """A matplotlib figure for a light and for a dark page; None for one without a drawing."""
    from gatedrnn import figures

    if not figure.axes:
        return None
    drawn = figures.svg(figure).replace(figures.PAPER, "")
    return {"kind": "picture", "light": drawn, "dark": figures.dark(drawn)}


def module(name, **contents):
    """Put a stand-in where an import will find it."""
    made = types.ModuleType(name)
    vars(made).update(contents)
    sys.modules[name] = made
    return made


def stand_ins():
    """Install the stand-ins; the live figures' one only where traitlets is at hand."""
    module("myst_nb", glue=glue)
    showing = module(
        "IPython.display", display=display, **dict.fromkeys(("Markdown", "HTML", "Image", "Math"), Shown)
    )
    # matplotlib asks for the version, and leaves a new one alone.
    module("IPython", get_ipython=lambda: None, display=showing, version_info=(9, 0, 0), __path__=[])
    with contextlib.suppress(ImportError):
        import traitlets

        class AnyWidget(traitlets.HasTraits):
            """The values of a live figure, without Jupyter's channel to it."""

            def _repr_mimebundle_(self, **_):
                return {}

            def live_state(self):
                """Return what the page needs to start the figure."""
                kind = type(self)
                state = {name: getattr(self, name) for name in self.trait_names(sync=True)}
                return {**state, "_esm": str(kind._esm), "_css": kind._css.read_text(encoding="utf-8")}

        module("anywidget", AnyWidget=AnyWidget)


def open_figures():
    """What a cell has drawn with pyplot and left open, as Jupyter shows it at the end of the cell."""
    pyplot = sys.modules.get("matplotlib.pyplot")
    drawn = [pyplot.figure(number) for number in pyplot.get_fignums()] if pyplot else []
    made = [picture(figure) for figure in drawn]
    if pyplot:
        pyplot.close("all")
    return list(filter(None, made))


def execute(source, name):
    """Run the statements; return the value of the last one if it is an expression that is to be shown."""
    linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
    tree = ast.parse(source, name)
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, name, "exec"), namespace)
    if last is None:
        return None
    value = eval(compile(ast.Expression(last.value), name, "eval"), namespace)
    return None if source.rstrip().endswith(";") else value


def run(source, name="cell"):
    """Run one cell; return a JSON list of what it shows, in order, with an error as the last of it."""
    shown.clear()
    said = io.StringIO()
    failed = None
    try:
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
            value = execute(source, f"<{name}>")
            if value is not None:
                display(value)
    except BaseException as error:
        # The frames of this file say nothing to the reader.
        inner = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename != __file__]
        words = "".join(traceback.format_list(inner) + traceback.format_exception_only(error))
        failed = {"kind": "error", "text": words}
    text = [{"kind": "text", "text": said.getvalue()}] if said.getvalue() else []
    outputs = text + shown + open_figures() + ([failed] if failed else [])
    return json.dumps(outputs)


stand_ins()
