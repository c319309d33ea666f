"""Two hidden states seen through noisy spike counts, and the exact belief about them.

What an observer may believe about the state in a bin depends on which bins it has heard. For two states the
whole belief is one number, the log odds of the second state, and each direction of time carries it along by
a recurrence of one unit. The recurrences here are exact, so they are what a trained network is compared with.
"""

from dataclasses import dataclass, field

import numpy as np


@dataclass
class TwoStates:
    """A state that switches now and then, heard through cells that fire a little differently in each.

    Parameters
    ----------
    rates : (2, n_cells) array
        Expected spikes per bin of each cell in state 0 and in state 1, above 0.
    switch : float
        p, the probability that the next bin has the other state, above 0 and below 1/2.

    Examples
    --------
    >>> world = TwoStates([[0.2, 0.6], [0.6, 0.2]], switch=0.02)
    >>> counts, states = world.draw(np.random.default_rng(0), steps=500, batch_size=20)
    >>> counts.shape, states.shape
    ((500, 20, 2), (500, 20))
    >>> right = [((odds > 0) == states).mean() for odds in (world.past(counts), world.both(counts))]
    >>> right[0] < right[1]
    np.True_

    Notes
    -----
    Forward and backward recursions: Rabiner, Proceedings of the IEEE 77 (1989), equations 20 and 25. In log
    odds, for two states: Glaze, Kable & Gold, eLife 4 (2015), equations 1 and 2.
    """

    rates: np.ndarray = field(repr=False)
    switch: float

    def __post_init__(self):
        self.rates = np.asarray(self.rates, dtype=float)
        if self.rates.ndim != 2 or len(self.rates) != 2 or not (self.rates > 0).all():
            raise ValueError(
                "expected rates of shape (2, n_cells), all above 0, one row per state, "
                f"got {self.rates.tolist()}"
            )
        if not 0 < self.switch < 0.5:
            raise ValueError(f"expected a probability to switch above 0 and below 0.5, got {self.switch}")

    def draw(self, rng: np.random.Generator, steps: int, batch_size: int) -> tuple[np.ndarray, np.ndarray]:
        """Return counts (T, B, n_cells) and the states behind them (T, B), 0 or 1."""
        flips = rng.random((steps, batch_size)) < self.switch
        flips[0] = rng.random(batch_size) < 0.5
        states = flips.cumsum(axis=0) % 2
        return rng.poisson(self.rates[states]).astype(float), states

    def evidence(self, counts: np.ndarray) -> np.ndarray:
        """Return ℓ_t = log P(y_t | state 1) − log P(y_t | state 0) of each bin, (T, ...)."""
        counts = np.asarray(counts, dtype=float)
        if counts.ndim < 2 or counts.shape[-1] != self.rates.shape[1]:
            raise ValueError(
                f"expected counts of shape (T, ..., {self.rates.shape[1]}), cells last, got {counts.shape}"
            )
        return counts @ np.log(self.rates[1] / self.rates[0]) - (self.rates[1] - self.rates[0]).sum()

    def past(self, counts: np.ndarray) -> np.ndarray:
        """Return log odds of state 1 in each bin, given the bins up to and including it, (T, ...)."""
        return forward(self.evidence(counts), self.switch)

    def future(self, counts: np.ndarray) -> np.ndarray:
        """Return log odds given the bin and all later ones, (T, ...)."""
        evidence = self.evidence(counts)
        return evidence + backward(evidence, self.switch)

    def both(self, counts: np.ndarray) -> np.ndarray:
        """Return log odds given all bins, (T, ...)."""
        evidence = self.evidence(counts)
        return forward(evidence, self.switch) + backward(evidence, self.switch)

    def lagged(self, counts: np.ndarray, lag: int) -> np.ndarray:
        """Return log odds given all bins up to ``lag`` bins later, or to the end, (T, ...)."""
        evidence = self.evidence(counts)
        return forward(evidence, self.switch) + backward(evidence, self.switch, lag)


def pass_on(odds: np.ndarray, switch: float) -> np.ndarray:
    """Return ψ(L) = 2 artanh((1 − 2p) tanh(L/2)): what log odds L about one bin say about its neighbour.

    However large L, the result is never larger in size than ln((1 − p)/p).
    """
    return 2 * np.arctanh((1 - 2 * switch) * np.tanh(odds / 2))


def forward(evidence: np.ndarray, switch: float) -> np.ndarray:
    """Return L_t = ψ(L_{t−1}) + ℓ_t over the first axis, from even odds."""
    odds, belief = np.zeros_like(evidence), np.zeros_like(evidence[0])
    for t, heard in enumerate(evidence):
        belief = pass_on(belief, switch) + heard  # eq-belief-forward
        odds[t] = belief
    return odds


def backward(evidence: np.ndarray, switch: float, lag: int | None = None) -> np.ndarray:
    """Return M_t = ψ(M_{t+1} + ℓ_{t+1}) over the first axis, backwards from even odds.

    With a ``lag`` of 0 or more, M_t is made of the next ``lag`` bins only.
    """
    if lag is not None and lag < 0:
        raise ValueError(f"expected a lag of 0 bins or more, got {lag}")
    odds = np.zeros_like(evidence)
    if lag is None:
        for t in range(len(evidence) - 2, -1, -1):
            odds[t] = pass_on(odds[t + 1] + evidence[t + 1], switch)  # eq-belief-backward
        return odds
    for _ in range(lag):  # one bin more is heard in each round
        odds[:-1] = pass_on(odds[1:] + evidence[1:], switch)
    return odds


def influence(evidence: np.ndarray, switch: float, at: int, lag: int | None = None) -> np.ndarray:
    """Return how much the belief about bin ``at`` moves with each bin's evidence, (T,).

    The bin itself has weight 1. On either side the weight shrinks from bin to bin by the slope of ψ at what
    was believed there: ∂L_t/∂ℓ_k = Π ψ'(L_j) over j = k … t − 1, and its mirror image after t. Bins more than
    ``lag`` after ``at`` have weight 0; without a lag all bins count.
    """
    evidence = np.asarray(evidence, dtype=float)
    end = len(evidence) - 1 if lag is None else min(at + lag, len(evidence) - 1)
    from_past = forward(evidence[: at + 1], switch)
    from_future = forward(evidence[at + 1 : end + 1][::-1], switch)[::-1] if end > at else np.zeros(0)
    weights = np.zeros(len(evidence))
    weights[: at + 1] = np.cumprod(np.append(1.0, _slope(from_past[:-1], switch)[::-1]))[::-1]
    weights[at + 1 : end + 1] = np.cumprod(_slope(from_future, switch))
    return weights


def _slope(odds: np.ndarray, switch: float) -> np.ndarray:
    """Return ψ'(L)."""
    keep, bend = 1 - 2 * switch, np.tanh(odds / 2) ** 2
    return keep * (1 - bend) / (1 - keep**2 * bend)
