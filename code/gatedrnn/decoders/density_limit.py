"""Reading the density limit off discharges: where it lies, how much it scatters, how slowly it acts."""

from typing import NamedTuple

import numpy as np

from gatedrnn.datasets import Discharges
from gatedrnn.decoders.alarms import padded
from gatedrnn.decoders.disruption import measurements

SLACK = 4  # rows by which the label of an onset may be off
DOUBT = 1e-3  # share of discharges that end for other reasons: one alone cannot rule a fit out


class LimitFit(NamedTuple):
    """The limit that explains a set of discharges best.

    Attributes
    ----------
    median : float
        Load, in Greenwald fractions, that half of the discharges bear.
    spread : float
        Standard deviation of the logarithm of what they bear.
    build_up : float
        Time constant with which the load follows the Greenwald fraction, in seconds.
    log_likelihood : float
    """

    median: float
    spread: float
    build_up: float
    log_likelihood: float


def load(discharges: Discharges, build_up: float, step: float = 0.01) -> np.ndarray:
    """Load of every row, (n_rows,): the Greenwald fraction through a low-pass filter.

    b_t = b_{t−1} + (1 − e^(−step/build_up)) (f_t − b_{t−1}), from b = f in the first row of a discharge.
    """
    fraction = padded(discharges, np.exp(measurements(discharges)[:, -1]))
    gain, filtered = 1 - np.exp(-step / build_up), fraction.copy()
    for row in range(1, len(fraction)):
        filtered[row] = filtered[row - 1] + gain * (fraction[row] - filtered[row - 1])
    return filtered.T[~np.isnan(filtered.T)]


def fit_limit(
    discharges: Discharges, build_ups=(0.005, 0.02, 0.04, 0.06, 0.08, 0.1, 0.12, 0.15, 0.2, 0.3)
) -> LimitFit:
    """Find limit, scatter and time constant by maximum likelihood.

    Each discharge bears a load L of its own, log L ~ Normal(log median, spread²). One that collapses tells
    that L lies between the highest loads before and after the onset; one that does not, that L lies above
    its highest load: it is censored, as a patient is who leaves a study alive.

    Parameters
    ----------
    discharges : Discharges
    build_ups : sequence of float
        Time constants to try, in seconds.

    Raises
    ------
    ValueError
        If fewer than three discharges reach the limit.
    """
    limited = discharges.limited
    if limited.sum() < 3:
        raise ValueError(f"a limit needs three discharges that reach it, got {limited.sum()}.")
    return max((_fit(discharges, build_up) for build_up in build_ups), key=lambda fit: fit.log_likelihood)


def _fit(discharges: Discharges, build_up: float) -> LimitFit:
    """Median and spread for one time constant."""
    from scipy.optimize import minimize
    from scipy.stats import norm

    low, high = _bounds(discharges, build_up)

    def surprise(parameters):
        centre, width = parameters[0], np.exp(parameters[1])
        chance = norm.cdf((high - centre) / width) - norm.cdf((low - centre) / width)
        return -np.log(DOUBT + (1 - DOUBT) * chance).sum()

    start = np.median(high[np.isfinite(high)])
    found = minimize(surprise, [start, np.log(0.1)], method="Nelder-Mead")
    return LimitFit(float(np.exp(found.x[0])), float(np.exp(found.x[1])), build_up, float(-found.fun))


def _bounds(discharges: Discharges, build_up: float) -> tuple[np.ndarray, np.ndarray]:
    """Logarithms between which the load that each discharge bears must lie."""
    loads = padded(discharges, load(discharges, build_up), -np.inf)
    highest = np.log(np.maximum(np.maximum.accumulate(loads, axis=0), 1e-6))
    phase = padded(discharges, discharges.density_limit_phase, 0) > 0
    onset, shot = phase.argmax(axis=0), np.arange(phase.shape[1])
    before = highest[np.maximum(onset - SLACK, 0), shot]
    after = highest[np.minimum(onset + SLACK, len(highest) - 1), shot]
    limited = discharges.limited
    return np.where(limited, before, highest[-1]), np.where(limited, after, np.inf)
