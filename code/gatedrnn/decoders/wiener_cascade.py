"""The Wiener cascade: a Wiener filter whose answer is bent by a curve."""

from dataclasses import dataclass, field

import numpy as np

from gatedrnn.datasets import Recording
from gatedrnn.decoders.folds import contiguous_folds, select
from gatedrnn.decoders.wiener import WienerFilter

BLOCKS = 4  # of the training set, each decoded by a filter that has not seen it


@dataclass
class WienerCascade:
    """A Wiener filter, and behind it one polynomial per output (Hunter & Korenberg 1986).

    x̂_t = p(v̂_t) with v̂_t of `WienerFilter` and p(v) = Σ_{k=0}^{degree} c_k v^k. A filter that has seen the
    bins to which the curve is fitted is too sure of itself there; so the curve is fitted to answers about
    blocks of reaches that were held out in turn. Beyond the answers seen in training the curve goes on flat,
    since a polynomial runs away.

    Parameters
    ----------
    taps, width, penalty
        Of the `WienerFilter`.
    degree : int
        Degree of the polynomial; 1 can still shift and stretch.

    Notes
    -----
    Source: Hunter IW, Korenberg MJ (1986) The identification of nonlinear biological systems: Wiener and
    Hammerstein cascade models. Biological Cybernetics 55:135-144. With a training set of one reach there is
    nothing to hold out, and the curve is fitted to the filter's answers about what it has seen.

    Examples
    --------
    >>> from gatedrnn.datasets import simulate_motor
    >>> train, test = simulate_motor(seed=0), simulate_motor(seed=0, n_reaches=20)
    >>> WienerCascade(taps=4).fit(train).predict(test).shape == test.kinematics.shape
    True
    """

    taps: int = 6
    width: int = 1
    penalty: float = 1000.0
    degree: int = 3
    linear: WienerFilter = field(init=False, repr=False)
    curves: list | None = field(default=None, init=False, repr=False)

    def __post_init__(self):
        if self.degree < 1:
            raise ValueError(f"expected a polynomial of degree 1 or more, got {self.degree}.")
        self.linear = self._filter()

    def _filter(self) -> WienerFilter:
        return WienerFilter(self.taps, self.width, self.penalty)

    def fit(self, recording: Recording) -> "WienerCascade":
        """Fit the curve to held-out answers, the filter to everything, and return the decoder."""
        answers = self._held_out(recording)
        self.linear = self._filter().fit(recording)
        self.curves = [
            np.polynomial.Polynomial.fit(answer, true, min(self.degree, len(np.unique(answer)) - 1))
            for answer, true in zip(answers.T, recording.kinematics.T, strict=True)
        ]
        return self

    def _held_out(self, recording: Recording) -> np.ndarray:
        """Answers of filters about bins that they were not fitted to, (n_bins, n_outputs)."""
        blocks = min(BLOCKS, len(recording.starts))
        if blocks < 2:
            return self._filter().fit(recording).predict(recording)
        folds = contiguous_folds(recording.starts, recording.n_bins, blocks)
        answers = [
            self._filter().fit(select(recording, fold.train)).predict(select(recording, fold.test))
            for fold in folds
        ]
        return np.concatenate(answers)

    def _bend(self, answers: np.ndarray) -> np.ndarray:
        """Apply the curves to linear answers (..., n_outputs)."""
        bent = [curve(np.clip(answers[..., k], *curve.domain)) for k, curve in enumerate(self.curves or [])]
        return np.stack(bent, axis=-1)

    def predict(self, recording: Recording) -> np.ndarray:
        """Decode every bin, (n_bins, n_outputs)."""
        return self._bend(self.linear.predict(recording))

    def step(self, counts: np.ndarray, state: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
        """Decode one bin as it arrives; the state is that of `WienerFilter.step`."""
        answer, state = self.linear.step(counts, state)
        return self._bend(answer), state
