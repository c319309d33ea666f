"""Pictures behind a slider, for what is too heavy to run in a page."""

import re
from collections.abc import Callable, Sequence

import traitlets

from gatedrnn import figures
from gatedrnn.widgets.base import LiveFigure


class Frames(LiveFigure):
    """One picture for each value of a slider; :func:`frames` makes it."""

    view = "prerendered.js"

    pictures = traitlets.List(traitlets.Unicode(), minlen=1).tag(sync=True)
    names = traitlets.List(traitlets.Unicode()).tag(sync=True)
    alts = traitlets.List(traitlets.Unicode()).tag(sync=True)
    label = traitlets.Unicode().tag(sync=True)
    index = traitlets.Int(0, min=0).tag(sync=True)
    ink = traitlets.Unicode(figures.INK).tag(sync=True)

    def still(self) -> str:
        """Return the picture that is shown at first."""
        return self.pictures[self.index]


def frames(
    function: Callable,
    values: Sequence,
    alt: str | Callable[..., str],
    label: str = "value",
    unit: str = "",
    start: int = 0,
) -> Frames:
    """Draw ``function(value)`` for each value now and show the pictures behind a slider.

    Nothing runs in the reader's browser, so the function may train a network; the page carries one SVG for
    each value, so keep them few.

    Parameters
    ----------
    function
        Takes one value, returns a matplotlib figure or axes.
    values
        The values of the slider, in order.
    alt
        What the pictures show, in words: one text for all, or a function of the value.
    label, unit
        What the slider is called and the unit of its values.
    start
        Which picture is shown first.

    Raises
    ------
    ValueError
        If there is no value, no alt text, or ``start`` is not one of the pictures.
    """
    values = list(values)
    words = [(alt(value) if callable(alt) else alt).strip() for value in values]
    if not values:
        raise ValueError("frames() needs at least one value to draw, got none.")
    if not all(words):
        raise ValueError("frames() needs an alt text that says what each picture shows, got an empty one.")
    if not 0 <= start < len(values):
        raise ValueError(f"start picks the first of {len(values)} pictures, counted from 0; got {start}.")
    pictures = [figures.svg(function(value)) for value in values]
    return Frames(
        pictures=pictures,
        room=_room(pictures[0]),
        names=[f"{value}{' ' if unit else ''}{unit}" for value in values],
        alts=words,
        alt=words[start],
        label=label,
        index=start,
    )


def _room(picture: str) -> list[int]:
    """Return the height of picture and controls in a column 690 pixels wide and on a phone."""
    width, height = (
        float(value) for value in re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', picture).groups()
    )
    return [round(column * height / width) + 104 for column in (690, 358)]
