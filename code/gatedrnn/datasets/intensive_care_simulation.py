"""Intensive care whose hazard is known: slow hidden states, measured more often when they are bad."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from gatedrnn.datasets.intensive_care import HOURS, Stays

DAYS = 10.0  # in hospital after the first 48 hours, for those who live


class Ward(NamedTuple):
    """The ground truth behind simulated stays; every array has shape (n_variables,).

    Each variable follows a hidden state s(t) of its own, an Ornstein-Uhlenbeck process of variance 1.

    Attributes
    ----------
    time_constant : ndarray
        τ in hours: the correlation of s with itself δ hours later is exp(−δ/τ).
    noise : ndarray
        Standard deviation of a measurement around s.
    rate : ndarray
        Measurements per hour while s = 0.
    attention : ndarray
        κ: the rate is multiplied by exp(κ s). 0 means that measuring tells nothing.
    hazard : ndarray
        β: log hazard ratio of death for one unit of s at 48 hours.
    base : float
        Hazard per day while all states are 0.
    """

    time_constant: np.ndarray
    noise: np.ndarray
    rate: np.ndarray
    attention: np.ndarray
    hazard: np.ndarray
    base: float

    def decay(self, hours) -> np.ndarray:
        """Return γ(δ) = exp(−(δ/τ + ln(1 + noise²))), shape (len(hours), n_variables).

        The best guess of s from one measurement x that is δ hours old is γ x: with age the guess goes to the
        mean, 0, and even a fresh one is held back by as much as it is noise. It is a decay as in GRU-D, with
        slope 1/τ and offset ln(1 + noise²).
        """
        return np.exp(-np.divide.outer(hours, self.time_constant)) / (1 + self.noise**2)

    def measured(self, states: np.ndarray) -> np.ndarray:
        """Return the probability that an hour has a measurement, given the states (…, n_variables)."""
        return -np.expm1(-self.rate * np.exp(self.attention * states))

    def risk(self, states: np.ndarray) -> np.ndarray:
        """Return the probability of death in hospital, given the states at 48 hours (…, n_variables)."""
        return -np.expm1(-self.base * DAYS * np.exp(states @ self.hazard))


WARD = Ward(
    time_constant=np.array([6.0, 24.0, 72.0, 36.0]),
    noise=np.array([0.4, 0.6, 0.6, 0.6]),
    rate=np.array([0.4, 0.08, 0.04, 0.08]),
    attention=np.array([0.0, 0.5, 1.0, -0.8]),
    hazard=np.array([0.6, 1.0, 1.4, 0.0]),
    base=0.005,
)
NAMES = ("quick", "middle", "slow", "idle")


@dataclass(frozen=True, eq=False)
class SimulatedICU:
    """Simulated stays and the truth behind them.

    Attributes
    ----------
    stays : Stays
        What a hospital would know.
    ward : Ward
        What it does not know.
    states : ndarray, shape (n_stays, 48, n_variables)
        The hidden state s in every hour.
    """

    stays: Stays
    ward: Ward
    states: np.ndarray


def simulate_icu(seed: int, n_stays: int = 4000, ward: Ward = WARD) -> SimulatedICU:
    """Simulate stays with informative gaps and a known hazard.

    In hour t variable d is measured with probability 1 − exp(−rate_d exp(κ_d s_d)), and its value is s_d plus
    noise. After 48 hours the hazard of death is base · exp(Σ β_d s_d) a day, s the states in the last hour;
    who lives for another ten days goes home.

    Parameters
    ----------
    seed : int
        The same seed gives the same stays.
    n_stays : int
    ward : Ward
        By default four variables: ``quick``, ``middle`` and ``slow`` with time constants of 6, 24 and 72
        hours and a growing weight in the hazard, and ``idle``, which has none. All but ``quick`` are measured
        more or less often when they are high.

    Returns
    -------
    SimulatedICU

    Raises
    ------
    ValueError
        If there are no stays, or a time constant, rate or base hazard is not positive.

    Examples
    --------
    >>> simulated = simulate_icu(seed=1, n_stays=100)
    >>> simulated.stays.grid().shape == simulated.states.shape
    True
    """
    if n_stays < 1:
        raise ValueError(f"n_stays must be at least 1, got {n_stays}.")
    positive = np.concatenate([ward.time_constant, ward.rate, [ward.base]])
    if not (positive > 0).all():
        raise ValueError(f"time constants, rates and the base hazard must be positive, got {ward}.")
    rng = np.random.default_rng(seed)
    states = _wander(rng, n_stays, np.asarray(ward.time_constant, dtype=float))
    seen = rng.random(states.shape) < ward.measured(states)
    stay, hour, variable = np.nonzero(seen)
    value = states[seen] + np.asarray(ward.noise)[variable] * rng.standard_normal(seen.sum())
    minutes = rng.integers(0, 60, len(hour))
    rate = ward.base * np.exp(states[:, -1] @ ward.hazard)
    days = rng.exponential(1 / rate)
    death = days <= DAYS
    order = np.lexsort((minutes, hour, stay))
    n_variables = states.shape[-1]
    names = NAMES if ward is WARD else tuple(f"variable {d + 1}" for d in range(n_variables))
    stays = Stays(
        record_id=np.arange(n_stays),
        descriptors=np.full((n_stays, 4), np.nan),
        stay=stay[order],
        variable=variable[order],
        hour=(hour + minutes / 60)[order],
        value=value[order],
        death=death,
        saps=np.full(n_stays, np.nan),
        sofa=np.full(n_stays, np.nan),
        length_of_stay=HOURS / 24 + np.minimum(days, DAYS),
        survival=np.where(death, HOURS / 24 + days, np.nan),
        variables=names,
        units=("SD",) * n_variables,
    )
    return SimulatedICU(stays, ward, states)


def _wander(rng, n_stays: int, time_constant: np.ndarray) -> np.ndarray:
    """Ornstein-Uhlenbeck processes of variance 1, hour by hour, (n_stays, 48, n_variables)."""
    keep = np.exp(-1 / time_constant)
    pushes = rng.standard_normal((n_stays, HOURS, len(time_constant)))
    states = np.empty_like(pushes)
    states[:, 0] = pushes[:, 0]
    for hour in range(1, HOURS):
        states[:, hour] = keep * states[:, hour - 1] + np.sqrt(1 - keep**2) * pushes[:, hour]
    return states
