"""The Kalman filter: a model of how the hand moves, corrected by what the cells say."""

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from gatedrnn.datasets import Recording
from gatedrnn.decoders.scaling import Scaling, check_cells

# Added to the variance of every z-scored cell, so that a cell that is silent in the training set cannot
# make the covariance singular.
SILENT_CELL_VARIANCE = 1e-3


class Belief(NamedTuple):
    """What the filter knows about the movement: its mean (n,) and its covariance (n, n)."""

    mean: np.ndarray
    covariance: np.ndarray


class Recurrence(NamedTuple):
    """A linear recurrent network, h_t = W_hh h_{t−1} + W_ih z_t: W_hh (n, n) and W_ih (n, n_cells)."""

    W_hh: np.ndarray
    W_ih: np.ndarray


@dataclass
class KalmanFilter:
    """Movement with a momentum of its own, seen through noisy cells (Wu et al. 2006).

    x_t = A x_{t−1} + w_t with w ~ N(0, W), and z_t = H x_t + q_t with q ~ N(0, noise · Q): the state x holds
    the kinematics and their differences from bin to bin, z the z-scored counts. A, W, H and Q are fitted by
    least squares. At the start of a reach the filter begins anew, from the mean and covariance of all first
    bins.

    Parameters
    ----------
    differences : int
        How many differences join the state: 1 adds the acceleration to a velocity.
    noise : float
        Factor on Q. The filter takes the noise of successive bins for independent; counts that overlap by n
        bins repeat their noise about n times, and a factor near n makes up for it.

    Notes
    -----
    Source: Wu W, Gao Y, Bienenstock E, Donoghue JP, Black MJ (2006) Bayesian population decoding of motor
    cortical activity using a Kalman filter. Neural Computation 18:80-118.
    """

    differences: int = 1
    noise: float = 1.0
    A: np.ndarray | None = field(default=None, init=False, repr=False)
    W: np.ndarray | None = field(default=None, init=False, repr=False)
    H: np.ndarray | None = field(default=None, init=False, repr=False)
    Q: np.ndarray | None = field(default=None, init=False, repr=False)
    first: Belief | None = field(default=None, init=False, repr=False)
    scaling: Scaling | None = field(default=None, init=False, repr=False)
    center: np.ndarray | None = field(default=None, init=False, repr=False)

    def __post_init__(self):
        if self.differences < 0 or not self.noise > 0:
            raise ValueError(
                f"expected differences ≥ 0 and noise > 0, got {self.differences} and {self.noise}."
            )

    def _states(self, recording: Recording) -> np.ndarray:
        """Kinematics and their differences within each reach, (n_bins, (1 + differences) · n_outputs)."""
        columns = [recording.kinematics]
        for _ in range(self.differences):
            change = np.diff(columns[-1], axis=0, prepend=columns[-1][:1])
            change[recording.starts] = 0  # the step into a reach is no movement
            columns.append(change)
        return np.concatenate(columns, axis=1)

    def fit(self, recording: Recording) -> "KalmanFilter":
        """Fit A, W, H and Q by least squares and return the decoder."""
        self.scaling = Scaling.of(recording.spikes)
        z, x = self.scaling(recording.spikes), self._states(recording)
        self.center = x.mean(axis=0)
        x = x - self.center
        later = np.setdiff1d(np.arange(recording.n_bins), recording.starts)
        self.A, self.W = _regress(x[later - 1], x[later])
        self.H, Q = _regress(x, z)
        self.Q = Q + SILENT_CELL_VARIANCE * np.eye(len(Q))
        opening = x[recording.starts]
        self.first = Belief(opening.mean(axis=0), np.atleast_2d(np.cov(opening.T, bias=True)))
        self._gain = self.H.T @ np.linalg.inv(self.noise * self.Q)  # Hᵀ(noise·Q)⁻¹, (n, n_cells)
        self._information = self._gain @ self.H
        return self

    def _advance(self, z: np.ndarray, belief: Belief | None) -> Belief:
        """Predict, then correct by one bin of z-scored counts (n_cells,)."""
        if belief is None:
            mean, P = self.first
        else:
            mean, P = self.A @ belief.mean, self.A @ belief.covariance @ self.A.T + self.W
        # (P⁻¹ + HᵀQ⁻¹H)⁻¹ written so that P may be singular: one n × n solve, n = 4, instead of one per cell
        P = np.linalg.solve(np.eye(len(P)) + P @ self._information, P)
        return Belief(mean + P @ (self._gain @ (z - self.H @ mean)), P)

    def recurrence(self) -> Recurrence:
        """Return the linear recurrent network that the filter is once its covariance has settled.

        The correction x̂_t = (I − K H) A x̂_{t−1} + K z_t has a gain K that soon stops changing. The filter
        is then a network whose hidden state is the belief about the movement.
        """
        if self.H is None:
            raise ValueError("this decoder has not been fitted yet: call fit(recording) first.")
        belief, silence = None, np.zeros(len(self.H))
        for _ in range(500):  # far more than any reach; the covariance does not depend on the counts
            belief = self._advance(silence, belief)
        keep = np.eye(len(self.A)) - belief.covariance @ self._information
        return Recurrence(keep @ self.A, belief.covariance @ self._gain)

    def predict(self, recording: Recording) -> np.ndarray:
        """Decode every bin, (n_bins, n_outputs)."""
        check_cells(recording.spikes, self.scaling)
        z, first, belief = self.scaling(recording.spikes), set(recording.starts.tolist()), None
        means = np.empty((recording.n_bins, len(self.center)))
        for t in range(recording.n_bins):
            belief = self._advance(z[t], None if t in first else belief)
            means[t] = belief.mean
        return (means + self.center)[:, : recording.kinematics.shape[1]]

    def step(self, counts: np.ndarray, state: Belief | None = None) -> tuple[np.ndarray, Belief]:
        """Decode one bin as it arrives, as `WienerFilter.step` does; the state is the belief so far."""
        check_cells(counts, self.scaling)
        belief = self._advance(self.scaling(counts), state)
        return (belief.mean + self.center)[: len(self.center) // (1 + self.differences)], belief


def _regress(inputs: np.ndarray, outputs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Least-squares matrix M of outputs ≈ M inputs, and the covariance of what is left."""
    M = np.linalg.lstsq(inputs, outputs, rcond=None)[0].T
    left = outputs - inputs @ M.T
    return M, left.T @ left / len(left)
