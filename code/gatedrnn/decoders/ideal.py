"""The best that any decoder could do, where the truth about the cells is known."""

from dataclasses import dataclass, field

import numpy as np

from gatedrnn.datasets import Recording, sequences
from gatedrnn.datasets.motor_simulation import Tuning

FLOOR = (
    1e-9  # expected spikes in a bin of a silent cell: one stray spike must not exclude a movement outright
)


@dataclass
class IdealObserver:
    """Knows the tuning of every cell and how movements are drawn, and decodes by Bayes' rule.

    Many movements are drawn in advance. With the counts y of the bins so far, movement m has the probability
    p_m ∝ Π_{t'≤t} Π_i Poisson(y_i,t'; λ_i(m, t')), and the velocity decoded at t is Σ_m p_m v_m(t): the mean
    of the posterior, which no causal decoder beats in mean squared error. A finite number of movements makes
    it a little worse than the ideal, never better.

    Parameters
    ----------
    tuning : Tuning
        The truth.
    movements : Recording
        Movements drawn by the same rules as those to be decoded; its spikes are not used.
    """

    tuning: Tuning = field(repr=False)
    movements: Recording = field(repr=False)

    def predict(self, recording: Recording) -> np.ndarray:
        """Decode every bin, (n_bins, n_outputs)."""
        paths = sequences(self.movements).kinematics  # (T, M, 2), at rest after the end
        expected = [self.tuning.rates(paths[:, m]) for m in range(paths.shape[1])]
        expected = np.stack(expected, axis=1) * recording.bin_width + FLOOR  # (T, M, n_cells)
        log_expected, total = np.log(expected), expected.sum(axis=2)
        decoded = np.zeros(recording.kinematics.shape)
        for start, stop in zip(recording.starts, recording.stops, strict=True):
            evidence = np.zeros(paths.shape[1])
            for t in range(min(stop - start, len(paths))):
                evidence += log_expected[t] @ recording.spikes[start + t] - total[t]
                p = np.exp(evidence - evidence.max())
                decoded[start + t] = p @ paths[t] / p.sum()
        return decoded
