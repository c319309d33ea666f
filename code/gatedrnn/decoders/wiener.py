"""The Wiener filter: a linear regression on the recent past."""

import dataclasses
from dataclasses import dataclass, field

import numpy as np

from gatedrnn.datasets import Recording, windows
from gatedrnn.decoders.scaling import Scaling, check_cells


@dataclass
class WienerFilter:
    """Velocity as a weighted sum of what all cells did in a few stretches of the recent past.

    v̂_t = b + Σ_{j=0}^{taps−1} W_j Σ_{k=0}^{width−1} z_{t − j·width − k} / √width, with z-scored counts z; W
    minimises the squared error plus penalty · Σ W². It remembers taps · width bins and forgets everything
    older at once.

    Parameters
    ----------
    taps : int
        Number of stretches; the first ends with the present bin.
    width : int
        Bins in a stretch. Where bins are short, wider stretches need fewer weights.
    penalty : float
        Ridge penalty, for z-scored counts and unscaled outputs.

    Notes
    -----
    A bin before the start of the reach counts as the training mean. The ridge regression is scikit-learn's.

    Examples
    --------
    >>> from gatedrnn.datasets import simulate_motor
    >>> train, test = simulate_motor(seed=0), simulate_motor(seed=0, n_reaches=20)
    >>> WienerFilter(taps=4).fit(train).predict(test).shape == test.kinematics.shape
    True
    """

    taps: int = 6
    width: int = 1
    penalty: float = 1000.0
    weights: np.ndarray | None = field(default=None, init=False, repr=False)
    offset: np.ndarray | None = field(default=None, init=False, repr=False)
    scaling: Scaling | None = field(default=None, init=False, repr=False)

    def __post_init__(self):
        if self.taps < 1 or self.width < 1 or self.penalty < 0:
            raise ValueError(
                f"expected taps ≥ 1, width ≥ 1 and penalty ≥ 0, got {self.taps}, {self.width} and "
                f"{self.penalty}."
            )

    def _stretches(self, past: np.ndarray) -> np.ndarray:
        """Add up z-scored counts (..., taps · width, n_cells), oldest first, to (..., taps · n_cells)."""
        *batch, _, n_cells = past.shape
        sums = past.reshape(*batch, self.taps, self.width, n_cells).sum(axis=-2)
        return sums.reshape(*batch, -1) / np.sqrt(self.width)

    def _history(self, recording: Recording) -> np.ndarray:
        """What every stretch before every bin holds, (n_bins, taps · n_cells)."""
        scores = dataclasses.replace(recording, spikes=self.scaling(recording.spikes))
        past, _ = windows(scores, before=self.taps * self.width - 1, fill=0.0)
        return self._stretches(past)

    def fit(self, recording: Recording) -> "WienerFilter":
        """Fit the weights to a recording and return the decoder."""
        from sklearn.linear_model import Ridge

        self.scaling = Scaling.of(recording.spikes)
        model = Ridge(alpha=self.penalty).fit(self._history(recording), recording.kinematics)
        self.weights = model.coef_.reshape(recording.kinematics.shape[1], -1)  # scikit-learn may drop an axis
        self.offset = np.atleast_1d(model.intercept_)
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
        state : ndarray, shape (taps · width, n_cells)
            The z-scored counts of the bins it remembers, oldest first.
        """
        check_cells(counts, self.scaling)
        if state is None:
            state = np.zeros((self.taps * self.width, len(counts)))
        state = np.concatenate([state[1:], self.scaling(counts)[np.newaxis]])
        return self.weights @ self._stretches(state) + self.offset, state
