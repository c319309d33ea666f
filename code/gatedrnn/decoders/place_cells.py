"""Decoding place by Bayes' rule: what an animal's place cells say, and how the animal moves."""

from dataclasses import dataclass, field

import numpy as np

from gatedrnn.datasets import Recording
from gatedrnn.decoders.scaling import Scaling, check_cells

PRIOR_BINS = 1.0  # pseudo-bins at its mean rate that every place of every cell starts with
PRIOR_STEPS = 0.02  # pseudo-steps from every place to every other one
QUIETEST = 1e-6  # expected events per bin of a cell that never fired


@dataclass
class PlaceCellDecoder:
    """Place from a map of firing for every cell, by Bayes' rule.

    The track is cut into places k, and map λ_i(k) holds the expected events of cell i in a bin at place k.
    One bin of counts y has the likelihood L_t(k) = Π_i Poisson(y_i; λ_i(k)). With ``window`` the belief is
    made anew in every bin from the last bins alone, p_t(k) ∝ occupancy(k) · (Π_{j<window} L_{t−j}(k))^trust
    (Zhang et al. 1998). Without, it is carried along by the steps T(k', k) that the animal took in training:

        p_t(k) ∝ L_t(k)^trust · Σ_{k'} T(k', k) p_{t−1}(k').

    What is decoded is the mean Σ_k p_t(k) x_k, which has the least squared error.

    Parameters
    ----------
    places : int
        Equal parts of the stretch that the animal visited in training.
    smoothing : float
        Standard deviation, in places, of the Gaussian that smooths the maps.
    trust : float
        Power of the likelihood. Cells are not independent and neither are neighbouring bins; below 1, the
        decoder knows.
    window : int, optional
        Bins to decode from, the present one included; None carries the belief.
    both_ways : bool
        Also use the bins that come later: more precise, and only possible after the recording.

    Attributes
    ----------
    fields : ndarray, shape (places, n_cells)
        The maps, in expected events per bin.
    centres : ndarray, shape (places,)
        The middle of each place, in the unit of the recording.

    Notes
    -----
    Source: Zhang K, Ginzburg I, McNaughton BL, Sejnowski TJ (1998) Interpreting neuronal population activity
    by reconstruction: unified framework with application to hippocampal place cells. Journal of
    Neurophysiology 79:1017-1044. The recursion is that of a hidden Markov model. A stretch begins with the
    occupancy as belief, wherever it starts.

    Examples
    --------
    >>> from gatedrnn.datasets import simulate_place_cells
    >>> recording = simulate_place_cells(seed=0, n_laps=20)
    >>> decoder = PlaceCellDecoder().fit(recording)
    >>> decoder.fields.shape, decoder.predict(recording).shape == recording.kinematics.shape
    ((20, 80), True)
    """

    places: int = 20
    smoothing: float = 1.0
    trust: float = 1.0
    window: int | None = None
    both_ways: bool = False
    fields: np.ndarray | None = field(default=None, init=False, repr=False)
    centres: np.ndarray | None = field(default=None, init=False, repr=False)
    occupancy: np.ndarray | None = field(default=None, init=False, repr=False)
    steps: np.ndarray | None = field(default=None, init=False, repr=False)
    scaling: Scaling | None = field(default=None, init=False, repr=False)

    def __post_init__(self):
        if self.places < 2 or self.smoothing < 0 or not self.trust > 0:
            raise ValueError(
                f"expected places ≥ 2, smoothing ≥ 0 and trust > 0, got {self.places}, {self.smoothing} and "
                f"{self.trust}."
            )
        if self.window is not None and (self.window < 1 or self.both_ways):
            raise ValueError("a window counts bins, 1 or more, and looks back only: leave out both_ways.")

    def fit(self, recording: Recording) -> "PlaceCellDecoder":
        """Draw the maps and count the steps, and return the decoder."""
        position = recording.kinematics
        if position.shape[1] != 1 or not np.ptp(position) > 0:
            raise ValueError(
                "expected one output, the position along a track, and an animal that moves; got "
                f"{position.shape[1]} outputs."
            )
        self.scaling = Scaling.of(recording.spikes)
        self.centres = np.linspace(position.min(), position.max(), self.places)
        place = self._place(position[:, 0])
        here = np.eye(self.places)[place]  # (n_bins, places)
        blur = self._blur()
        bins, events = blur @ here.sum(axis=0), blur @ (here.T @ recording.spikes)
        mean = np.maximum(recording.spikes.mean(axis=0), QUIETEST)
        self.fields = (events + PRIOR_BINS * mean) / (bins + PRIOR_BINS)[:, np.newaxis]
        self.occupancy = (here.sum(axis=0) + PRIOR_BINS) / (len(place) + PRIOR_BINS * self.places)
        later = np.setdiff1d(np.arange(recording.n_bins), recording.starts)
        taken = here[later - 1].T @ here[later] + PRIOR_STEPS
        self.steps = taken / taken.sum(axis=1, keepdims=True)
        return self

    def _place(self, position: np.ndarray) -> np.ndarray:
        """Number of the place that a position falls into."""
        width = self.centres[1] - self.centres[0]
        return np.clip(np.round((position - self.centres[0]) / width).astype(int), 0, self.places - 1)

    def _blur(self) -> np.ndarray:
        """Matrix that smooths over places, its rows summing to one."""
        if self.smoothing == 0:
            return np.eye(self.places)
        apart = np.subtract.outer(np.arange(self.places), np.arange(self.places))
        weights = np.exp(-0.5 * (apart / self.smoothing) ** 2)
        return weights / weights.sum(axis=1, keepdims=True)

    def _evidence(self, spikes: np.ndarray) -> np.ndarray:
        """Log likelihood of the places, (..., places), up to what is the same for all."""
        log_fields = np.log(self.fields)
        return self.trust * (spikes @ log_fields.T - self.fields.sum(axis=1))

    def predict(self, recording: Recording) -> np.ndarray:
        """Decode every bin, (n_bins, 1)."""
        return self.belief(recording) @ self.centres[:, np.newaxis]

    def belief(self, recording: Recording) -> np.ndarray:
        """Probability of every place in every bin, (n_bins, places)."""
        check_cells(recording.spikes, self.scaling)
        evidence = self._evidence(recording.spikes)
        parts = [self._belief(part) for part in np.split(evidence, recording.starts[1:])]
        return np.concatenate(parts)

    def _belief(self, evidence: np.ndarray) -> np.ndarray:
        """Belief over one stretch without a border, (T, places)."""
        belief, state = np.empty_like(evidence), None
        for t, heard in enumerate(evidence):
            belief[t], state = self._advance(heard, state)
        if self.both_ways:
            later = np.ones(self.places)
            for t in range(len(evidence) - 2, -1, -1):
                likelihood = np.exp(evidence[t + 1] - evidence[t + 1].max())
                later = self.steps @ (likelihood * later)
                later /= later.sum()
                belief[t] *= later
                belief[t] /= belief[t].sum()
        return belief

    def _advance(self, heard: np.ndarray, state: np.ndarray | None):
        """Belief after one more bin of evidence, and what to carry to the next bin."""
        if self.window is not None:
            past = heard[np.newaxis] if state is None else np.vstack([state, heard])[-self.window :]
            return _normalised(past.sum(axis=0), self.occupancy), past
        expected = self.occupancy if state is None else state @ self.steps
        belief = _normalised(heard, expected)
        return belief, belief

    def step(self, counts: np.ndarray, state: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
        """Decode one bin as it arrives; the state is the belief, or the evidence of the last bins."""
        check_cells(counts, self.scaling)
        if self.both_ways:
            raise ValueError("a decoder that also reads later bins cannot answer bin by bin: use predict.")
        belief, state = self._advance(self._evidence(counts), state)
        return belief @ self.centres[:, np.newaxis], state


def _normalised(log_likelihood: np.ndarray, prior: np.ndarray) -> np.ndarray:
    """Bayes' rule, safe from underflow."""
    weights = prior * np.exp(log_likelihood - log_likelihood.max())
    return weights / weights.sum()
