"""A moment, and the evidence about it that lies before and after."""

import numpy as np
import traitlets

from gatedrnn.decoders import hidden_markov
from gatedrnn.widgets.base import LiveFigure

STEPS = 80
BIN = 50  # ms
RATES = np.array([[0.3] * 3 + [0.6] * 3, [0.6] * 3 + [0.3] * 3])  # spikes per bin


class BothWays(LiveFigure):
    """What six cells say about a hidden state in each bin, and who may use it to decide about one of them.

    Parameters
    ----------
    at : int
        The bin that is decided about, from 0 to 79.
    lag : int
        How many bins a patient observer waits, from 0 to 20.
    switch : float
        p, with which all observers expect the state to switch from bin to bin, from 0.005 to 0.2.
    evidence : list of float
        ℓ of each bin, log P(counts | state 1) − log P(counts | state 0).
    states : list of int
        The state behind each bin.

    Examples
    --------
    >>> odds = BothWays(at=28).odds()  # two bins before the state switches
    >>> sorted(odds)
    ['both', 'lagged', 'past']
    """

    view = "both_ways.js"
    room = traitlets.List(traitlets.Int(), default_value=[506, 945]).tag(sync=True)

    at = traitlets.Int(32, min=0, max=STEPS - 1).tag(sync=True)
    lag = traitlets.Int(3, min=0, max=20).tag(sync=True)
    switch = traitlets.Float(0.025, min=0.005, max=0.2).tag(sync=True)
    evidence = traitlets.List(traitlets.Float()).tag(sync=True)
    states = traitlets.List(traitlets.Int()).tag(sync=True)
    bin = traitlets.Int(BIN, read_only=True).tag(sync=True)
    alt = traitlets.Unicode(
        "Left, what the spike counts of each bin of four seconds say about a hidden state, as bars up or "
        "down, and a handle at the bin that is decided about. Bars up to it can be used by all observers, "
        "those just after it by one that waits, those later only by one that has the whole recording; the "
        "paler a bar, the less it counts. Right, what the three observers believe in every bin, against "
        "the true state: who hears more of the future is surer and turns nearer to the true switches."
    ).tag(sync=True)

    def __init__(self, **numbers):
        if "evidence" not in numbers:
            numbers["evidence"], numbers["states"] = _recording()
        super().__init__(**numbers)

    def odds(self) -> dict[str, np.ndarray]:
        """Return the log odds of state 1 in every bin, by observer."""
        evidence = np.array(self.evidence)
        past = hidden_markov.forward(evidence, self.switch)
        return {
            "past": past,
            "lagged": past + hidden_markov.backward(evidence, self.switch, self.lag),
            "both": past + hidden_markov.backward(evidence, self.switch),
        }

    def numbers(self) -> dict[str, float]:
        """Return the chance of state 1 in the chosen bin, by observer."""
        return {name: float(1 / (1 + np.exp(-odds[self.at]))) for name, odds in self.odds().items()}

    def picture(self):
        """Return evidence and beliefs as a matplotlib figure."""
        from matplotlib import pyplot

        from gatedrnn import figures

        figure, (said, believed) = pyplot.subplots(1, 2, figsize=figures.size(1, 0.42))
        seconds = np.arange(len(self.evidence)) * self.bin / 1000
        weight = hidden_markov.influence(self.evidence, self.switch, self.at)
        bins = np.arange(len(seconds))
        groups = [bins <= self.at, (bins > self.at) & (bins <= self.at + self.lag), bins > self.at + self.lag]
        for group, colour in zip(groups, ("blue", "orange", "green"), strict=True):
            for t in bins[group]:
                said.bar(
                    seconds[t], self.evidence[t], 0.04, color=figures.PALETTE[colour], alpha=_shade(weight[t])
                )
        said.axvline(seconds[self.at], color=figures.INK, linestyle="--", linewidth=1)
        said.set(xlabel="time (s)", ylabel="evidence of a bin")
        believed.step(seconds, self.states, "-", where="mid", color=figures.FAINT, linewidth=4, alpha=0.5)
        styles = {"past": ("blue", "-"), "lagged": ("orange", "--"), "both": ("green", "-.")}
        for name, odds in self.odds().items():
            colour, dashes = styles[name]
            believed.plot(seconds, 1 / (1 + np.exp(-odds)), dashes, color=figures.PALETTE[colour], label=name)
        believed.set(xlabel="time (s)", ylabel="believed P(moving)", ylim=(-0.03, 1.03))
        believed.legend()
        return figure


def _shade(weight: float) -> float:
    """Return the opacity of a bar that counts so much; a bar that counts nothing can still be seen."""
    return 0.15 + 0.85 * float(weight)


def _recording() -> tuple[list[float], list[int]]:
    """Return evidence and states of a recording with two switches, the same each time."""
    states = np.r_[np.zeros(30, int), np.ones(28, int), np.zeros(22, int)]
    counts = np.random.default_rng(42).poisson(RATES[states])
    world = hidden_markov.TwoStates(RATES, 0.025)
    return world.evidence(counts).round(6).tolist(), states.tolist()
