"""How good a risk is: ranking, calibration, and what acting on it is worth."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np


def auc(death: np.ndarray, risk: np.ndarray) -> float:
    """Area under the receiver operating characteristic.

    The probability that a patient who died had a higher risk than one who lived, ties counted half.

    Examples
    --------
    >>> auc([True, False, False], [0.5, 0.2, 0.5])
    0.75
    """
    from sklearn.metrics import roc_auc_score

    return float(roc_auc_score(*_checked(death, risk)))


def average_precision(death: np.ndarray, risk: np.ndarray) -> float:
    """Precision averaged over the recalls; without knowledge it is the share of deaths."""
    from sklearn.metrics import average_precision_score

    return float(average_precision_score(*_checked(death, risk)))


def brier(death: np.ndarray, risk: np.ndarray) -> float:
    """Mean squared difference between the probability and what happened (Brier 1950)."""
    death, risk = _checked(death, risk)
    return float(np.mean((risk - death) ** 2))


class Calibration(NamedTuple):
    """Predicted and observed risk in groups of patients, from the least to the most endangered.

    Attributes
    ----------
    predicted, observed : ndarray, shape (n_groups,)
        Mean probability, and share who died.
    count : ndarray of int
    """

    predicted: np.ndarray
    observed: np.ndarray
    count: np.ndarray

    @property
    def error(self) -> float:
        """Expected calibration error: the mean of |predicted − observed|, weighted by the patients."""
        return float(np.average(np.abs(self.predicted - self.observed), weights=self.count))


def calibration(death: np.ndarray, risk: np.ndarray, groups: int = 10) -> Calibration:
    """Compare predicted and observed risk in groups of equal size.

    Examples
    --------
    >>> calibration([False, False, True, False], [0.1, 0.3, 0.6, 0.6], groups=2).observed.tolist()
    [0.0, 0.5]
    """
    death, risk = _checked(death, risk)
    parts = np.array_split(np.argsort(risk, kind="stable"), groups)
    means = [(risk[part].mean(), death[part].mean(), len(part)) for part in parts if len(part)]
    return Calibration(*np.array(means).T)


def net_benefit(death: np.ndarray, risk: np.ndarray, thresholds: np.ndarray) -> np.ndarray:
    """What acting on a risk above a threshold is worth, in true alarms per patient.

    TP/n − FP/n · p/(1 − p): who acts at a risk of p holds one missed death worth (1 − p)/p false alarms
    (Vickers & Elkin 2006, Medical Decision Making 26:565-574).

    Parameters
    ----------
    death, risk : ndarray, shape (n_stays,)
    thresholds : ndarray
        p, above 0 and below 1.

    Examples
    --------
    >>> net_benefit([True, False, False, False], [0.9, 0.8, 0.1, 0.1], np.array([0.5])).tolist()
    [0.0]
    """
    death, risk = _checked(death, risk)
    thresholds = np.asarray(thresholds, dtype=float)
    if not ((thresholds > 0) & (thresholds < 1)).all():
        raise ValueError("a threshold is a probability above 0 and below 1.")
    alarm = risk >= thresholds[:, np.newaxis]
    true, false = (alarm & death).mean(axis=1), (alarm & ~death).mean(axis=1)
    return true - false * thresholds / (1 - thresholds)  # eq-net-benefit


def bootstrap(
    measure: Callable,
    death: np.ndarray,
    *risks: np.ndarray,
    draws: int = 500,
    level: float = 0.95,
    seed: int = 0,
) -> tuple[float, float]:
    """Interval of a measure over patients drawn again with replacement.

    Parameters
    ----------
    measure : callable
        ``measure(death, risk)``; with two risks the interval is that of the difference of the
        first and the second, measured on the same patients.
    death : ndarray of bool, shape (n_stays,)
    risks : one or two ndarrays of that shape
    draws : int
    level : float
        Share of the draws inside the interval.
    seed : int

    Returns
    -------
    low, high : float
    """
    death = np.asarray(death, dtype=bool)
    rng = np.random.default_rng(seed)
    values = []
    while len(values) < draws:
        rows = rng.integers(len(death), size=len(death))
        if death[rows].all() or not death[rows].any():
            continue
        each = [measure(death[rows], np.asarray(risk)[rows]) for risk in risks]
        values.append(each[0] - each[1] if len(each) == 2 else each[0])
    edge = (1 - level) / 2
    return tuple(float(value) for value in np.quantile(values, [edge, 1 - edge]))


@dataclass
class Recalibration:
    """A line in log odds that brings probabilities back to what is observed, without a change of ranking.

    log p'/(1 − p') = a + c log p/(1 − p). Fit it to predictions for patients whom the model has not
    seen, inside the training set. c below 1 means that the model was too sure of
    itself (Cox 1958, Biometrika 45:562-565).

    Attributes
    ----------
    intercept, slope : float
        a and c.
    """

    intercept: float = 0.0
    slope: float = 1.0

    def fit(self, risk: np.ndarray, death: np.ndarray) -> "Recalibration":
        """Find the line by maximum likelihood."""
        from sklearn.linear_model import LogisticRegression

        death, risk = _checked(death, risk)
        line = LogisticRegression(C=np.inf).fit(_log_odds(risk)[:, np.newaxis], death)
        self.intercept, self.slope = float(line.intercept_[0]), float(line.coef_[0, 0])
        return self

    def __call__(self, risk: np.ndarray) -> np.ndarray:
        """Return recalibrated probabilities."""
        return 1 / (1 + np.exp(-self.intercept - self.slope * _log_odds(risk)))


def _log_odds(risk: np.ndarray) -> np.ndarray:
    risk = np.clip(risk, 1e-6, 1 - 1e-6)
    return np.log(risk / (1 - risk))


def _checked(death, risk) -> tuple[np.ndarray, np.ndarray]:
    death, risk = np.asarray(death, dtype=bool), np.asarray(risk, dtype=float)
    if death.shape != risk.shape or death.ndim != 1:
        raise ValueError(f"expected one risk for each stay, got {risk.shape} for {death.shape} outcomes.")
    return death, risk
