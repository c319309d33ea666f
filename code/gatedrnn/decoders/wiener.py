"""The Wiener filter: a linear regression on the recent past."""

import dataclasses
from dataclasses import dataclass, field

import numpy as np

from gatedrnn.datasets import Recording, windows
from gatedrnn.decoders.scaling import Scaling, check_cells


@dataclass
class WienerFilter:
    """Velocity as a weighted sum of the counts of all cells at a few moments of the past.

    v̂_t = b + Σ_{j=0}^{taps−1} W_j z_{t − j·spacing}, with z-scored counts z; W minimises the squared error
    plus penalty · Σ W². It remembers (taps − 1) · spacing bins and forgets everything older at once.

    Parameters
    ----------
    taps : int
        Number of moments, the present one included.
    spacing : int
        Bins from one to the next. Where counts overlap, moments closer than the overlap tell little new.
    penalty : float
        Ridge penalty, for z-scored counts and unscaled outputs.

    Notes
    -----
    A moment before the start of the reach counts as the training mean. The ridge regression is
    scikit-learn's.

    Examples
    --------
    >>> from gatedrnn.datasets import simulate_motor
    >>> train, test = simulate_motor(seed=0), simulate_motor(seed=0, n_reaches=20)
    >>> WienerFilter(taps=4).fit(train).predict(test).shape == test.kinematics.shape
    True
    """

    taps: int = 6
    spacing: int = 1
    penalty: float = 100.0
    weights: np.ndarray | None = field(default=None, init=False, repr=False)
    offset: np.ndarray | None = field(default=None, init=False, repr=False)
    scaling: Scaling | None = field(default=None, init=False, repr=False)

    def __post_init__(self):
        if self.taps < 1 or self.spacing < 1 or self.penalty < 0:
            raise ValueError(
                f"expected taps ≥ 1, spacing ≥ 1 and penalty ≥ 0, got {self.taps}, {self.spacing} and "
                f"{self.penalty}."
            )

    def _history(self, recording: Recording) -> np.ndarray:
        """Z-scored counts at every tap, newest first, (n_bins, taps · n_cells)."""
        scores = dataclasses.replace(recording, spikes=self.scaling(recording.spikes))
        past, _ = windows(scores, before=(self.taps - 1) * self.spacing, fill=0.0)
        return past[:, :: -self.spacing].reshape(recording.n_bins, -1)

    def fit(self, recording: Recording) -> "WienerFilter":
        """Fit the weights to a recording and return the decoder."""
        from sklearn.linear_model import Ridge

        self.scaling = Scaling.of(recording.spikes)
        model = Ridge(alpha=self.penalty).fit(self._history(recording), recording.kinematics)
        self.weights, self.offset = model.coef_, model.intercept_
        return self

    def predict(self, recording: Recording) -> np.ndarray:
        """Decode every bin, (n_bins, n_outputs)."""
        check_cells(recording.spikes, self.scaling)
        return self._history(recording) @ self.weights.T + self.offset

    def step(self, counts: np.ndarray, state: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
        """Decode one bin as it arrives.

        Parameters
        ----------
        counts : ndarray, shape (n_cells,)
        state : ndarray, optional
            What the last call returned; left out at the start of a reach.

        Returns
        -------
        output : ndarray, shape (n_outputs,)
        state : ndarray, shape ((taps − 1) · spacing + 1, n_cells)
            The z-scored counts that may still be needed, newest first.
        """
        check_cells(counts, self.scaling)
        if state is None:
            state = np.zeros(((self.taps - 1) * self.spacing + 1, len(counts)))
        state = np.concatenate([self.scaling(counts)[np.newaxis], state[:-1]])
        return self.weights @ state[:: self.spacing].ravel() + self.offset, state
