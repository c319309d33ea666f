"""A decoder that hears no cell, and what it gives away about a recording."""

from dataclasses import dataclass, field

import numpy as np

from gatedrnn.datasets import Recording
from gatedrnn.decoders.folds import LeakError, score, select


@dataclass
class Clock:
    """Knows only how many bins ago the last border was, and answers with the mean of such moments.

    Where all reaches begin alike, every decoder that starts anew at a border carries this clock in it.

    Examples
    --------
    >>> from gatedrnn.datasets import simulate_place_cells
    >>> laps = simulate_place_cells(seed=0, n_laps=20)
    >>> Clock().fit(laps).predict(laps).shape == laps.kinematics.shape
    True
    """

    times: np.ndarray | None = field(default=None, init=False, repr=False)
    means: np.ndarray | None = field(default=None, init=False, repr=False)

    def fit(self, recording: Recording) -> "Clock":
        """Average the kinematics over all moments equally long after a border, and return the decoder."""
        self.times, slot = np.unique(_since(recording), return_inverse=True)
        sums = np.zeros((len(self.times), recording.kinematics.shape[1]))
        np.add.at(sums, slot, recording.kinematics)
        self.means = sums / np.bincount(slot)[:, np.newaxis]
        return self

    def predict(self, recording: Recording) -> np.ndarray:
        """Decode every bin, (n_bins, n_outputs); later than in any training reach, the last mean."""
        if self.means is None:
            raise ValueError("this decoder has not been fitted yet: call fit(recording) first.")
        nearest = np.searchsorted(self.times, _since(recording))
        return self.means[np.minimum(nearest, len(self.times) - 1)]


def _since(recording: Recording) -> np.ndarray:
    """Bins since the last border, (n_bins,)."""
    return np.arange(recording.n_bins) - recording.starts[recording.reach]


def clock(recording: Recording) -> float:
    """R² of a `Clock` fitted to every other reach and tested on the rest, and the other way round.

    The mean of both; with fewer than two reaches there is nothing to learn from, and it is 0.
    """
    even, odd = (np.arange(first, len(recording.starts), 2) for first in (0, 1))
    if not len(odd):
        return 0.0
    even, odd = select(recording, even), select(recording, odd)
    return (score(Clock().fit(even), odd) + score(Clock().fit(odd), even)) / 2


def check_clock(recording: Recording, at_most: float = 0.1) -> None:
    """Raise if the time since the last border gives away what is to be decoded.

    Parameters
    ----------
    recording : Recording
        As the decoder gets it.
    at_most : float
        R² of `clock` that is let pass.

    Raises
    ------
    LeakError

    Examples
    --------
    >>> from gatedrnn.datasets import simulate_place_cells
    >>> from gatedrnn.decoders import LeakError, carry_on
    >>> laps = simulate_place_cells(seed=0, n_laps=20)
    >>> check_clock(carry_on(laps, range(20), length=100))
    >>> try:
    ...     check_clock(laps)
    ... except LeakError as problem:
    ...     print(str(problem)[:47])
    the time since the last border alone gives R² =
    """
    told = clock(recording)
    if told > at_most:
        raise LeakError(
            f"the time since the last border alone gives R² = {told:.2f}: a decoder that begins anew at each "
            "border need not hear a cell; let it run on across borders with carry_on."
        )
