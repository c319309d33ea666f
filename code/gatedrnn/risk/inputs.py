"""What a model is shown of a stay: scores, masks, intervals and summaries; all scales from training stays."""

import warnings
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from gatedrnn.datasets import Stays

SKEWED = 2.0  # skewness above which a variable that is never negative is measured in ratios, by its logarithm
FURTHEST = 6.0  # standard deviations; a score beyond is an outlier and tells no more than this
NEVER = 48.0  # hours, the age of a measurement that was never made


@dataclass(frozen=True, eq=False)
class Scaling:
    """Turns measurements into scores with mean 0 and standard deviation 1 over the training stays.

    Attributes
    ----------
    logged : ndarray of bool, shape (n_variables,)
        Whether the logarithm of 1 + x stands for x.
    mean, deviation : ndarray, shape (n_variables,)
    """

    logged: np.ndarray
    mean: np.ndarray
    deviation: np.ndarray

    @classmethod
    def of(cls, stays: Stays) -> "Scaling":
        """Measure the scales of training stays; a variable never seen keeps mean 0 and deviation 1."""
        n = len(stays.variables)
        logged, mean, deviation = np.zeros(n, dtype=bool), np.zeros(n), np.ones(n)
        order = np.argsort(stays.variable, kind="stable")
        cuts = np.cumsum(np.bincount(stays.variable, minlength=n))[:-1]
        for variable, values in enumerate(np.split(stays.value[order], cuts)):
            if not len(values):
                continue
            logged[variable] = values.min() >= 0 and _skewness(values) > SKEWED
            values = np.log1p(values) if logged[variable] else values
            mean[variable] = values.mean()
            deviation[variable] = values.std() or 1.0
        return cls(logged, mean, deviation)

    def __call__(self, grid: np.ndarray) -> np.ndarray:
        """Return scores of values (…, n_variables); NaN stays NaN."""
        if grid.shape[-1] != len(self.mean):
            raise ValueError(
                f"the training stays had {len(self.mean)} variables, these have {grid.shape[-1]}: pass stays "
                "with the same variables."
            )
        with np.errstate(invalid="ignore", divide="ignore"):
            values = np.where(self.logged, np.log1p(np.maximum(grid, 0)), grid)
        return np.clip((values - self.mean) / self.deviation, -FURTHEST, FURTHEST)


def _skewness(values: np.ndarray) -> float:
    spread = values.std()
    return float(np.mean((values - values.mean()) ** 3) / spread**3) if spread > 0 else 0.0


class Series(NamedTuple):
    """Stays hour by hour; every array has shape (n_stays, n_steps, n_variables).

    Attributes
    ----------
    value : ndarray
        x: the score where it was measured, elsewhere the last one before; 0, the mean, before the first.
    mask : ndarray
        m: 1 where measured, else 0.
    interval : ndarray
        δ in hours: time since the last measurement *before* this step; since admission if there was none.
    """

    value: np.ndarray
    mask: np.ndarray
    interval: np.ndarray


def carry_forward(scores: np.ndarray, hours: float = 1.0) -> Series:
    """Fill gaps with the last value, and keep record of where and how old.

    Parameters
    ----------
    scores : ndarray, shape (n_stays, n_steps, n_variables)
        NaN where nothing was measured.
    hours : float
        Length of a step.

    Returns
    -------
    Series

    Examples
    --------
    >>> scores = np.array([[[np.nan], [1.0], [np.nan], [np.nan], [2.0]]])
    >>> series = carry_forward(scores)
    >>> series.value.ravel().tolist()
    [0.0, 1.0, 1.0, 1.0, 2.0]
    >>> series.interval.ravel().tolist()
    [0.0, 1.0, 1.0, 2.0, 3.0]

    Notes
    -----
    Che et al., Scientific Reports 8:6085 (2018), equations 1 and 2.
    """
    mask = np.isfinite(scores)
    steps = np.arange(scores.shape[1])[:, np.newaxis]
    latest = np.maximum.accumulate(np.where(mask, steps, -1), axis=1)  # step of the last measurement so far
    value = np.take_along_axis(scores, np.maximum(latest, 0), axis=1)
    value = np.where(latest >= 0, value, 0.0)
    before = np.concatenate([np.zeros_like(latest[:, :1]), np.maximum(latest[:, :-1], 0)], axis=1)
    interval = (steps - before) * float(hours)  # eq-interval
    return Series(value, mask.astype(float), interval)


class Background:
    """What is known at admission: age, sex, height and unit, as scores; 0 where unknown."""

    def __init__(self, stays: Stays):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # a column that is unknown for everybody
            self.mean = np.nan_to_num(np.nanmean(stays.descriptors[:, :3], axis=0))
            self.deviation = np.nan_to_num(np.nanstd(stays.descriptors[:, :3], axis=0))
        self.deviation[self.deviation == 0] = 1.0

    def __call__(self, stays: Stays) -> np.ndarray:
        """Return scores, shape (n_stays, 7): three numbers, and one column for each kind of unit."""
        numbers = (stays.descriptors[:, :3] - self.mean) / self.deviation
        units = stays.descriptors[:, 3:] == np.arange(1, 5)
        return np.column_stack([np.clip(np.nan_to_num(numbers), -FURTHEST, FURTHEST), units])


def means(scores: np.ndarray) -> np.ndarray:
    """Mean score of every variable, (n_stays, n_variables); NaN where it was never measured."""
    mask = np.isfinite(scores)
    with np.errstate(invalid="ignore"):
        return np.nansum(scores, axis=1) / mask.sum(axis=1)


def summaries(scores: np.ndarray) -> np.ndarray:
    """What a careful reader of a chart would note of every variable.

    Returns
    -------
    ndarray, shape (n_stays, 8 · n_variables)
        First, last, least, greatest and mean score; the change per day between the means of the first and
        the second half; how many hours it was measured in (logarithm of 1 + n); and how old the last value
        is in days. NaN where there is nothing to summarise.
    """
    mask = np.isfinite(scores)
    steps, half = scores.shape[1], scores.shape[1] // 2
    count = mask.sum(axis=1)
    first = np.take_along_axis(scores, mask.argmax(axis=1)[:, np.newaxis], axis=1)[:, 0]
    back = mask[:, ::-1].argmax(axis=1)
    last = np.take_along_axis(scores, (steps - 1 - back)[:, np.newaxis], axis=1)[:, 0]
    with np.errstate(invalid="ignore"):
        least = np.where(count, np.where(mask, scores, np.inf).min(axis=1), np.nan)
        greatest = np.where(count, np.where(mask, scores, -np.inf).max(axis=1), np.nan)
    change = means(scores[:, half:]) - means(scores[:, :half])
    age = np.where(count, back, NEVER) / 24
    return np.concatenate([first, last, least, greatest, means(scores), change, np.log1p(count), age], axis=1)
