"""The book's one matplotlib style: legible on paper, on a light page and on a dark one.

A chapter calls :func:`use_style` in its set-up cell and draws as usual. Figures come out as SVG with a
transparent background; in a notebook, whose theme they cannot know, white paper lies under them. Text, axes
and everything drawn in :data:`INK` belong to the page rather than to the data: the site shows a twin of each
figure with ``INK`` exchanged for a light colour when the page is dark.

Colours carry a name (:data:`PALETTE`), so that one quantity keeps one colour through the whole book. They
begin from those of Okabe and Ito (2008), changed until each stands out from a white page as well as from a
dark one and any two can still be told apart by readers with any of the common colour deficiencies.
The order of the default cycle alternates dark and light, so neighbours stay apart on a black-and-white
printer; the default cycle changes the dashes along with the colour.
"""

import re
from pathlib import Path
from types import MappingProxyType

import matplotlib
from cycler import cycler

INK = "#1d2733"
"""Colour of text and axes; the site exchanges it on dark pages."""

FAINT = "#8a94a0"
"""Colour of grid lines and of everything that should step back; the same on light and dark pages."""

DARK_INK = "#dfe5ec"
"""What :data:`INK` becomes on a dark page."""

PALETTE = MappingProxyType(
    {
        "blue": "#0072b2",
        "orange": "#cf8000",
        "green": "#009e73",
        "vermilion": "#c04f00",
        "purple": "#b8669a",
        "sky": "#3d9bd1",
    }
)
"""Named colours: ``PALETTE["blue"]``."""

COLUMN = 6.6
"""Width of the text column in inches; :func:`size` measures in it. The letters are read at this size."""

_FONTS = Path(__file__).parent / "fonts"
_DASHES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)), (0, (8, 2)))


def size(width: float = 1.0, height: float = 0.42) -> tuple[float, float]:
    """Return ``figsize`` in inches for a width and a height given in widths of the text column.

    Parameters
    ----------
    width, height
        Fractions of the column: ``size(1, 0.5)`` fills the column and is half as high as it is wide.

    Raises
    ------
    ValueError
        If one of them is not above 0 or the width is above 1, where the page would shrink the text.

    Examples
    --------
    >>> size(1, 0.5)
    (6.6, 3.3)
    """
    if not (0 < width <= 1 and height > 0):
        raise ValueError(
            f"size() measures in text columns: expected 0 < width <= 1 and height > 0, got width={width} "
            f"and height={height}; for one figure across the page use size(1, 0.42)."
        )
    return (COLUMN * width, COLUMN * height)


def use_style() -> None:
    """Make the book's style matplotlib's default and ask the notebook for SVG.

    Outside a notebook only the style is set, so scripts and tests may call it as well.
    """
    _register_fonts()
    matplotlib.rcParams.update(_style())
    _show_svg_in_notebooks()


def dark(svg: str) -> str:
    """Return an SVG's twin for dark pages: :data:`INK` exchanged for :data:`DARK_INK`.

    Examples
    --------
    >>> dark('<path style="stroke: #1d2733"/>')
    '<path style="stroke: #dfe5ec"/>'
    """
    return re.sub(INK, DARK_INK, svg, flags=re.IGNORECASE)


def svg(figure) -> str:
    """Return a matplotlib figure as the text of an SVG file, and close the figure.

    Parameters
    ----------
    figure
        A ``matplotlib.figure.Figure``, or axes or any artist drawn in one.
    """
    import io

    from matplotlib import pyplot

    figure = figure if hasattr(figure, "savefig") else figure.get_figure(root=True)
    file = io.StringIO()
    figure.savefig(file, format="svg", metadata=_NO_METADATA)
    pyplot.close(figure)
    return file.getvalue()


PAPER = '<rect class="paper" width="100%" height="100%" fill="#ffffff"/>'
"""What lies under a figure in a notebook, whose theme it cannot know; the site takes it away."""

_NO_METADATA = MappingProxyType({"Date": None, "Creator": None, "Format": None, "Type": None})


def _register_fonts() -> None:
    """Tell matplotlib about the book's own sans-serif, once."""
    from matplotlib import font_manager

    known = {entry.fname for entry in font_manager.fontManager.ttflist}
    for file in sorted(_FONTS.glob("*.ttf")):
        if str(file) not in known:
            font_manager.fontManager.addfont(file)


def _style() -> dict:
    """Every setting that differs from matplotlib's own."""
    lines = cycler(color=list(PALETTE.values())) + cycler(linestyle=_DASHES)
    return {
        "figure.figsize": size(),
        "figure.facecolor": "none",
        "figure.constrained_layout.use": True,
        "savefig.facecolor": "none",
        "savefig.transparent": True,
        # Letters as outlines: the figure looks the same on a machine without the font.
        "svg.fonttype": "path",
        # The same drawing gives the same file, so that an unchanged figure stays in every cache.
        "svg.hashsalt": "machines with memory",
        "font.family": ["Book Sans", "DejaVu Sans"],
        "font.size": 10,
        "mathtext.fontset": "cm",
        "axes.titlesize": 11,
        "axes.titleweight": "bold",
        "axes.titlelocation": "left",
        "axes.labelsize": 10,
        "axes.prop_cycle": lines,
        "axes.facecolor": "none",
        "axes.edgecolor": INK,
        "axes.labelcolor": INK,
        "axes.titlecolor": INK,
        "axes.linewidth": 0.8,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.grid": False,
        "axes.axisbelow": True,
        "axes.unicode_minus": True,
        "grid.color": FAINT,
        "grid.alpha": 0.35,
        "grid.linewidth": 0.6,
        "text.color": INK,
        "xtick.color": INK,
        "ytick.color": INK,
        "xtick.labelsize": 9.5,
        "ytick.labelsize": 9.5,
        "xtick.major.width": 0.8,
        "ytick.major.width": 0.8,
        "lines.linewidth": 1.8,
        "lines.markersize": 5,
        "patch.edgecolor": INK,
        "hatch.color": INK,
        "boxplot.boxprops.color": INK,
        "boxplot.whiskerprops.color": INK,
        "boxplot.capprops.color": INK,
        "boxplot.flierprops.color": INK,
        "boxplot.medianprops.color": INK,
        "legend.frameon": False,
        "legend.fontsize": 9.5,
        "image.cmap": "cividis",
    }


def _show_svg_in_notebooks() -> None:
    """Switch the inline backend to SVG of the full figure size; do nothing where there is no notebook."""
    try:
        from IPython import get_ipython
    except ImportError:
        return
    shell = get_ipython()
    if shell is None or not hasattr(shell, "kernel"):
        return
    from matplotlib.figure import Figure
    from matplotlib_inline.backend_inline import set_matplotlib_formats
    from matplotlib_inline.config import InlineBackend

    set_matplotlib_formats("svg")
    shell.display_formatter.formatters["image/svg+xml"].for_type(Figure, _for_notebook)
    # The inline backend resets some settings when it starts; an empty list keeps the book's.
    InlineBackend.instance(parent=shell).rc = {}


def _for_notebook(figure) -> str | None:
    """Return a figure as SVG on white paper, which is legible in a notebook of any theme."""
    from IPython.core.pylabtools import print_figure

    # Cropping to what is drawn would give each figure its own width; the layout engine leaves no margin.
    text = print_figure(figure, "svg", bbox_inches=None, metadata=dict(_NO_METADATA))
    return text and re.sub(r"<svg\b[^>]*>", lambda tag: tag[0] + PAPER, text, count=1)
