"""A gene that switches itself on: rests that appear and vanish, and a level that depends on its past."""

from itertools import pairwise

import numpy as np
import traitlets

from gatedrnn.switches import GeneSwitch
from gatedrnn.widgets.base import LiveFigure


class GeneMemory(LiveFigure):
    """Production against loss of a protein, and its rests against the input, with the way that was taken.

    Time is in life times of the protein. When the input, the feedback or the steepness moves, the level goes
    to the stable rest to which the gene would run.

    Parameters
    ----------
    input, feedback, steepness : float
        s from 0 to 0.7, β from 0 to 2.2, n from 1 to 6: see `gatedrnn.switches.GeneSwitch`.
    level : float
        Where the gene stands.

    Examples
    --------
    >>> [round(GeneMemory(input=0.2, level=level).settled(), 2) for level in (0.2, 1.2)]
    [0.2, 1.58]
    """

    view = "gene_memory.js"

    room = traitlets.List(traitlets.Int(), default_value=[529, 985]).tag(sync=True)
    input = traitlets.Float(0.2, min=0.0, max=0.7).tag(sync=True)
    feedback = traitlets.Float(1.6, min=0.0, max=2.2).tag(sync=True)
    steepness = traitlets.Float(4.0, min=1.0, max=6.0).tag(sync=True)
    level = traitlets.Float(0.2017, min=0.0).tag(sync=True)
    alt = traitlets.Unicode(
        "Left, how fast a protein is made and lost against its level: an S-shaped curve and a straight line"
        " that meet in one or three points, the rests. Right, the level of the rests against the input, "
        "a curve folded like an S whose middle part is unstable; a handle moves the input, and the gene "
        "jumps from one branch to the other at the two folds, at a higher input on the way up than on the "
        "way down."
    ).tag(sync=True)

    def switch(self) -> GeneSwitch:
        """Return the gene."""
        return GeneSwitch(self.feedback, self.steepness)

    def settled(self) -> float:
        """Return the stable rest to which the gene runs from its level."""
        switch = self.switch()
        levels, stable = switch.rests(self.input)
        up = switch.rate(self.level, self.input) >= 0
        near = levels[stable & (levels >= self.level - 1e-9 if up else levels <= self.level + 1e-9)]
        return float(near.min() if up else near.max())

    def numbers(self) -> dict[str, float]:
        """Return how many rests are stable, the level of the gene, and the life times that a push lasts."""
        level = self.settled()
        return {
            "rests": int(self.switch().rests(self.input)[1].sum()),
            "level": level,
            "push": float(self.switch().return_time(level)),
        }

    def picture(self):
        """Return production and loss, and the folded curve of rests, as a matplotlib figure."""
        from matplotlib import pyplot

        from gatedrnn import figures

        figure, (phase, history) = pyplot.subplots(1, 2, figsize=figures.size(1, 0.42))
        switch, x = self.switch(), np.linspace(0, 3, 301)
        phase.plot(x, switch.production(x, self.input), "-", color=figures.PALETTE["orange"], label="made")
        phase.plot(x, x, "--", color=figures.PALETTE["blue"], label="lost")
        levels, stable = switch.rests(self.input)
        for level, holds in zip(levels, stable, strict=True):
            phase.plot(level, level, "o", color=figures.INK, mfc=None if holds else "none")
        phase.set(xlabel="level x", ylabel="per life time", xlim=(0, 3), ylim=(0, 3))
        phase.legend()
        edges = [0, *switch.folds()[0], 3]
        for k, (low, high) in enumerate(pairwise(edges)):
            part = np.linspace(low, high, 100)
            style = ":" if k % 2 else "-"
            history.plot(switch.input_at(part), part, style, color=figures.PALETTE["green"])
        history.plot(self.input, self.level, "o", color=figures.PALETTE["orange"], markersize=8)
        history.set(xlabel="input s", ylabel="level of the rests", xlim=(0, 0.7), ylim=(0, 3))
        return figure
