"""What the figures of one unit that hears a spike train have in common."""

import numpy as np
import traitlets

from gatedrnn.widgets.base import LiveFigure

# Two bursts with a pause between them, and a single spike late.
SPIKES = (5, 7, 8, 11, 12, 14, 34, 36, 37, 39, 58)
STEPS = 80


class SpikeTrainFigure(LiveFigure):
    """A live figure whose unit hears one train of spikes, 80 steps long.

    Parameters
    ----------
    step : int
        Step that the figure spells out, from 0 to 79.
    spikes : list of int
        Steps, from 0 to 79, at which a spike comes.
    """

    step = traitlets.Int(0, min=0, max=STEPS - 1).tag(sync=True)
    spikes = traitlets.List(traitlets.Int(min=0, max=STEPS - 1), list(SPIKES)).tag(sync=True)
    steps = traitlets.Int(STEPS, read_only=True).tag(sync=True)

    def inputs(self) -> np.ndarray:
        """Return the spike train, (80, 1), 1 where there is a spike."""
        train = np.zeros((STEPS, 1))
        train[list(self.spikes)] = 1
        return train
