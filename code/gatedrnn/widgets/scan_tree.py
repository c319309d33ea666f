"""A linear recurrence summed in pairs: who is done after which round."""

import numpy as np
import traitlets

from gatedrnn.widgets.base import LiveFigure

PULSES = (1, 4, 11)  # of every sixteen steps


def pulses(steps: int) -> np.ndarray:
    """Return the inputs of the figure: 1 at a few steps of every sixteen, else 0."""
    return np.isin(np.arange(steps) % 16, PULSES).astype(float)


def rounds(keep: np.ndarray, new: np.ndarray) -> list[dict[str, np.ndarray]]:
    """Return what every step's summary is after each round of `gatedrnn.scan.scan`, the start included.

    Parameters
    ----------
    keep, new : (T,) arrays
        Of h_t = keep_t h_{t−1} + new_t, with T a power of 2.

    Returns
    -------
    list of dict
        ``keep`` and ``new``, (T,): the summary that ends at each step keeps so much of the state before it
        and adds so much; ``first``: the first step that is in it; ``joined``: whether the round changed it.
        Where ``first`` is 0, ``new`` is the state itself.
    """
    steps = len(keep)
    here = {"keep": np.array(keep, float), "new": np.array(new, float), "first": np.arange(steps)}
    told = [here | {"joined": np.zeros(steps, bool)}]
    up = [(span, slice(2 * span - 1, None, 2 * span)) for span in 2 ** np.arange(steps.bit_length() - 1)]
    down = [(span, slice(3 * span - 1, None, 2 * span)) for span, _ in reversed(up[:-1])]
    for span, ends in up + down:
        after = np.arange(steps)[ends]
        before, now = after - span, {name: values.copy() for name, values in here.items()}
        now["new"][after] = here["keep"][after] * here["new"][before] + here["new"][after]
        now["keep"][after] = here["keep"][after] * here["keep"][before]
        now["first"][after] = here["first"][before]
        here = now
        told.append(here | {"joined": np.isin(np.arange(steps), after)})
    return told


class ScanTree(LiveFigure):
    """How pairs of steps become all states of a linear recurrence in 2 log₂ T − 1 rounds.

    Parameters
    ----------
    doublings : int
        log₂ T, from 2 to 6.
    round : int
        How many rounds have been done; beyond the last nothing changes.
    keep : float
        What every step keeps of the state, from 0 to 1.

    Examples
    --------
    >>> figure = ScanTree(doublings=4, round=7)
    >>> figure.numbers()["done"], figure.numbers()["walked"]
    (16.0, 7.0)
    """

    view = "scan_tree.js"
    room = traitlets.List(traitlets.Int(), default_value=[527, 973]).tag(sync=True)

    doublings = traitlets.Int(4, min=2, max=6).tag(sync=True)
    round = traitlets.Int(3, min=0, max=11).tag(sync=True)
    keep = traitlets.Float(0.8, min=0.0, max=1.0).tag(sync=True)
    alt = traitlets.Unicode(
        "Left, one bar per step that reaches back to the first step in its summary; round by round the bars "
        "double in length at every second, fourth, eighth step, then the steps between are filled in, until "
        "all reach back to the start. Right, the states: those that are known after so many rounds, in pairs "
        "and step by step, against all of them."
    ).tag(sync=True)

    def told(self) -> list[dict[str, np.ndarray]]:
        """Return the summaries after each round."""
        steps = 2**self.doublings
        return rounds(np.full(steps, self.keep), pulses(steps))

    def numbers(self) -> dict[str, float]:
        """Return how many states are known, in pairs and step by step, and how many pairs were joined."""
        told = self.told()
        done = min(self.round, len(told) - 1)
        return {
            "done": float((told[done]["first"] == 0).sum()),
            "walked": float(min(self.round, 2**self.doublings)),
            "joined": float(sum(one["joined"].sum() for one in told[: done + 1])),
            "rounds": float(len(told) - 1),
        }

    def picture(self):
        """Return spans and states as a matplotlib figure."""
        from matplotlib import pyplot

        from gatedrnn import figures

        figure, (spans, states) = pyplot.subplots(1, 2, figsize=figures.size(1, 0.42))
        told = self.told()
        now = told[min(self.round, len(told) - 1)]
        step = np.arange(len(now["first"])) + 1
        whole = now["first"] == 0
        colours = np.where(whole, figures.PALETTE["blue"], figures.PALETTE["orange"])
        spans.barh(step, step - now["first"], left=now["first"] + 0.5, color=colours, height=0.8)
        spans.set(xlabel="steps in the summary", ylabel="step at which it ends", ylim=(len(step) + 1, 0))
        states.plot(step, told[-1]["new"], "-", color=figures.FAINT, label="all states")
        states.plot(
            step[whole], now["new"][whole], "o", color=figures.PALETTE["blue"], label="known, in pairs"
        )
        walked = step[: self.round]
        states.plot(walked, told[-1]["new"][: self.round], "x", color=figures.INK, label="known, one by one")
        states.set(xlabel="step t", ylabel="state", ylim=(0, None))
        states.legend()
        return figure
