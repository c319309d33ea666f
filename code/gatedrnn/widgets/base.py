"""What every live figure shares on the Python side."""

import re
from pathlib import Path

import anywidget
import traitlets

FOLDER = Path(__file__).parent
_IMPORT = re.compile(r"^import\s.*?from\s+\"\./\w+\.js\";\n", re.MULTILINE | re.DOTALL)


def module(view: str) -> str:
    """Return one JavaScript module: the mathematics, the kit and a figure's view, in this order.

    A notebook and a static page each start a figure from the text of a single module, so the three files
    are joined and the imports between them left out. Each file is a module of its own as well; that is how
    the tests load ``core.js``.
    """
    parts = [(FOLDER / name).read_text(encoding="utf-8") for name in ("core.js", "kit.js", view)]
    return "\n".join(_IMPORT.sub("", part) for part in parts)


class LiveFigure(anywidget.AnyWidget):
    """A figure that answers to the reader's hand, in a notebook as on the site.

    A subclass names its view in ``view``, has its numbers as traits that are tagged ``sync=True``, and draws
    a still picture of itself in :meth:`picture` for readers without JavaScript.
    """

    view: str
    _css = FOLDER / "kit.css"

    room = traitlets.List(
        traitlets.Int(),
        default_value=[460, 720],
        help="Height in pixels that a page keeps free for the figure: across a column, and on a phone.",
    ).tag(sync=True)
    alt = traitlets.Unicode(help="What the figure shows, in words.").tag(sync=True)

    def __init_subclass__(cls, **keywords):
        if "view" in cls.__dict__:
            cls._esm = module(cls.view)
        super().__init_subclass__(**keywords)

    def numbers(self) -> dict[str, float]:
        """Return the numbers that the figure shows, unrounded, by the names of its view's readouts."""
        return {}

    def picture(self):
        """Return a matplotlib figure of the present state."""
        raise NotImplementedError(f"{type(self).__name__} must draw a still picture of itself in picture().")

    def still(self) -> str:
        """Return the text of an SVG of the present state."""
        from gatedrnn import figures

        return figures.svg(self.picture())

    def _repr_mimebundle_(self, **keywords):
        bundle = super()._repr_mimebundle_(**keywords)
        data, metadata = bundle if isinstance(bundle, tuple) else (bundle, {})
        return {**data, "text/plain": self.alt, "image/svg+xml": self.still()}, metadata
