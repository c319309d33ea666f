"""From a score per row to an alarm per discharge, and what its mistakes cost.

A predictor gives every row of every discharge a score; the higher, the nearer the density limit. An `Alarm`
turns scores into one decision a discharge, `judge` compares it with what happened, and `cost` weighs it.
"""

from typing import NamedTuple

import numpy as np

from gatedrnn.datasets import Discharges
from gatedrnn.decoders.folds import Fold, check_whole
from gatedrnn.decoders.folds import LeakError as LeakError  # what check_shots raises, for those who catch it

DEADLINE = 0.03  # s before the disruption: later, nothing can be done (Kates-Harbeck et al. 2019)
EARLIEST = 0.5  # s before the phase begins: an alarm before that has not seen it


class Alarm(NamedTuple):
    """The rule that turns scores into an alarm.

    A clock starts when the score reaches ``threshold``, runs on while it stays at ``release`` times the
    threshold or above, and is set back when it falls below (hysteresis). The alarm is raised in the row in
    which the clock has counted ``duration`` rows.

    Attributes
    ----------
    threshold : float
    duration : int
        Rows; 1 raises the alarm at once.
    release : float
        From 0 to 1; with 1 there is no hysteresis.
    """

    threshold: float
    duration: int = 1
    release: float = 0.9


class Verdicts(NamedTuple):
    """What became of every discharge; arrays of shape (n_discharges,).

    Attributes
    ----------
    caught : ndarray of bool
        It reaches the limit, and the alarm came in time.
    missed : ndarray of bool
        It reaches the limit, and no alarm came in time.
    false : ndarray of bool
        An alarm without need: in a quiet discharge, or long before the phase.
    warning : ndarray
        Seconds from the alarm to the end of the phase; NaN unless caught.
    """

    caught: np.ndarray
    missed: np.ndarray
    false: np.ndarray
    warning: np.ndarray


def padded(discharges: Discharges, values: np.ndarray, fill=np.nan) -> np.ndarray:
    """Values of every row side by side, (longest, n_discharges), with ``fill`` after each end."""
    values = np.asarray(values)
    if len(values) != len(discharges.time):
        raise ValueError(f"expected one value for each of {len(discharges.time)} rows, got {len(values)}.")
    lengths = discharges.stops - discharges.starts
    grid = np.full((lengths.max(), len(lengths), *values.shape[1:]), fill, dtype=np.result_type(values, fill))
    row = np.arange(len(values)) - discharges.starts[discharges.shot]
    grid[row, discharges.shot] = values
    return grid


def first_alarms(scores: np.ndarray, alarm: Alarm) -> np.ndarray:
    """Row in which each discharge's alarm is raised, −1 where it never is.

    Parameters
    ----------
    scores : ndarray, shape (longest, n_discharges)
        See `padded`; NaN is below every threshold.
    alarm : Alarm
        Its threshold may be an array of shape (n_thresholds, 1); the result then is (n_thresholds,
        n_discharges).

    Examples
    --------
    >>> scores = np.array([[0.2, 0.9, 0.4, 0.6, 0.5, 0.6]]).T
    >>> [int(first_alarms(scores, Alarm(0.6, 3, release))[0]) for release in (1.0, 0.8)]
    [-1, 5]
    """
    threshold = np.asarray(alarm.threshold, dtype=float)
    shape = np.broadcast_shapes(threshold.shape, scores.shape[1:])
    clock, raised = np.zeros(shape, dtype=int), np.full(shape, -1)
    for row, score in enumerate(scores):
        runs = (clock > 0) & (score >= alarm.release * threshold)
        clock = np.where((score >= threshold) | runs, clock + 1, 0)
        raised = np.where((raised < 0) & (clock >= alarm.duration), row, raised)
    return raised


def judge(discharges: Discharges, raised: np.ndarray, delay: float = 0.0) -> Verdicts:
    """Compare the rows of `first_alarms` with what happened.

    Parameters
    ----------
    discharges : Discharges
    raised : ndarray of int, shape (..., n_discharges)
        Row within each discharge, −1 for none.
    delay : float
        Seconds to take off each warning, for data that are known later than their row says.
    """
    first, last = _phase(discharges)
    limited = discharges.limited
    rows = discharges.starts + np.maximum(raised, 0)
    when = np.where(raised >= 0, discharges.time[rows] + delay, np.inf)
    slack = 1e-9  # times are decimal fractions
    timely = when <= last - DEADLINE + slack
    early = when < first - EARLIEST - slack
    caught = limited & timely & ~early
    false = (raised >= 0) & np.where(limited, early, True)
    missed = limited & ~caught & ~false
    with np.errstate(invalid="ignore"):
        return Verdicts(caught, missed, false, np.where(caught, last - when, np.nan))


def _phase(discharges: Discharges) -> tuple[np.ndarray, np.ndarray]:
    """Time of the first and of the last row of each density-limit phase; infinite where there is none."""
    on = discharges.density_limit_phase > 0
    first = np.minimum.reduceat(np.where(on, discharges.time, np.inf), discharges.starts)
    last = np.maximum.reduceat(np.where(on, discharges.time, -np.inf), discharges.starts)
    return first, last


def cost(verdicts: Verdicts, missed: float) -> np.ndarray:
    """Mean cost of a discharge: 1 for a false alarm, ``missed`` for a disruption that nobody saw coming."""
    return (verdicts.false + missed * verdicts.missed).mean(axis=-1)


def thresholds(scores: np.ndarray, number: int = 80) -> np.ndarray:
    """Thresholds worth trying, (number, 1): quantiles of the highest score of each discharge."""
    peaks = np.nanmax(scores, axis=0)
    return np.quantile(peaks, np.linspace(0, 1, number))[:, np.newaxis]


def tune(
    discharges: Discharges, scores: np.ndarray, missed: float, durations=(1, 2, 3, 5, 8, 12)
) -> tuple[Alarm, float]:
    """Return the alarm that costs least on these discharges, and its cost.

    Parameters
    ----------
    discharges : Discharges
        That the scores' predictor was not fitted to: its scores are too good where it was.
    scores : ndarray, shape (longest, n_discharges)
    missed : float
        See `cost`.
    durations : sequence of int
        Durations to choose from. Among equals the shorter wins, and the middle of the best thresholds.
    """
    levels, best = thresholds(scores), None
    for duration in durations:
        alarm = Alarm(levels, duration)
        costs = cost(judge(discharges, first_alarms(scores, alarm)), missed)
        if best is None or costs.min() < best[1] - 1e-12:
            equals = np.flatnonzero(costs <= costs.min() + 1e-12)
            best = alarm._replace(threshold=float(levels[equals[len(equals) // 2], 0])), float(costs.min())
    return best


class Receiver(NamedTuple):
    """Shares of discharges at each threshold, from the highest to the lowest: false alarms and catches."""

    false: np.ndarray
    caught: np.ndarray

    @property
    def area(self) -> float:
        """Area under the curve: the chance that a limited discharge is alarmed sooner than a quiet one."""
        return float(np.trapezoid(np.r_[0, self.caught, 1], np.r_[0, self.false, 1]))


def receiver(discharges: Discharges, scores: np.ndarray, duration: int = 1) -> Receiver:
    """Receiver curve per discharge, for an alarm of some duration without hysteresis.

    A quiet discharge is alarmed by its highest score that lasts ``duration`` rows, a limited one by the
    highest up to the deadline; here an early alarm counts as a catch, so that both shares can only grow.

    Parameters
    ----------
    discharges : Discharges
    scores : ndarray, shape (longest, n_discharges)
    duration : int
    """
    peaks, limited = peak_scores(discharges, scores, duration), discharges.limited
    levels = np.unique(peaks)[::-1]
    false = [(peaks[~limited] >= level).mean() for level in levels]
    caught = [(peaks[limited] >= level).mean() for level in levels]
    return Receiver(np.array(false), np.array(caught))


def peak_scores(discharges: Discharges, scores: np.ndarray, duration: int = 1) -> np.ndarray:
    """Highest threshold that would alarm each discharge in time, (n_discharges,); −inf if none would."""
    time = padded(discharges, discharges.time)
    _, last = _phase(discharges)
    useful = ~(time > np.where(discharges.limited, last - DEADLINE + 1e-9, np.inf))
    seen = np.where(useful & ~np.isnan(scores), scores, -np.inf)
    lasting = seen.copy()
    for back in range(1, duration):
        lasting[back:] = np.minimum(lasting[back:], seen[:-back])
        lasting[:back] = -np.inf
    return lasting.max(axis=0)


def shot_folds(discharges: Discharges, k: int = 5, seed: int = 0) -> list[Fold]:
    """Cut discharges into k test sets of whole discharges, with equally many limited ones in each.

    Parameters
    ----------
    discharges : Discharges
    k : int
    seed : int
        Of the shuffle.

    Returns
    -------
    list of Fold
        With numbers of discharges.

    Examples
    --------
    >>> from gatedrnn.datasets import simulate_density_limit
    >>> d = simulate_density_limit(seed=0, n_discharges=60)
    >>> [int(d.limited[fold.test].sum()) for fold in shot_folds(d, k=3)]
    [1, 1, 1]
    """
    limited = discharges.limited
    n = len(limited)
    if k < 2 or min(limited.sum(), (~limited).sum()) < k:
        raise ValueError(
            f"k={k} folds need k ≥ 2 and at least k discharges of either kind, got {limited.sum()} that "
            f"reach the limit and {(~limited).sum()} that do not."
        )
    rng = np.random.default_rng(seed)
    order = np.concatenate([rng.permutation(np.flatnonzero(limited == kind)) for kind in (True, False)])
    part = np.empty(n, dtype=int)
    part[order] = np.arange(n) % k
    return [Fold(np.flatnonzero(part != fold), np.flatnonzero(part == fold)) for fold in range(k)]


def check_shots(discharges: Discharges, train: np.ndarray, test: np.ndarray) -> None:
    """Raise unless training and test rows come from different discharges.

    Parameters
    ----------
    discharges : Discharges
    train, test : ndarray of int
        Numbers of rows.

    Raises
    ------
    LeakError
        If a row is in both sets, or a discharge has rows in both.

    Examples
    --------
    >>> from gatedrnn.datasets import simulate_density_limit
    >>> d = simulate_density_limit(seed=0, n_discharges=3)
    >>> rows = np.random.default_rng(0).permutation(len(d.time))
    >>> check_shots(d, rows[50:], rows[:50])
    Traceback (most recent call last):
    ...
    gatedrnn.decoders.folds.LeakError: 3 discharges have rows on both sides: keep every discharge whole.
    """
    check_whole(discharges.discharge_ID, train, test, "row", "discharge", "discharges")


def looks_ahead(discharges: Discharges, column: str = "density") -> float:
    """Share of the changing rows that are the mean of their neighbours: rows filled in from the future.

    About one half means that every other row was interpolated; such a row is known only when the next one is.

    Examples
    --------
    >>> from gatedrnn.datasets import simulate_density_limit
    >>> held, between = (simulate_density_limit(0, 20, interpolated=word) for word in (False, True))
    >>> looks_ahead(held), round(looks_ahead(between), 2)
    (0.0, 0.5)
    """
    values, shot = getattr(discharges, column), discharges.shot
    before, now, after = values[:-2], values[1:-1], values[2:]
    inside = (shot[:-2] == shot[2:]) & (before != after)
    if not inside.any():
        return 0.0
    middle = np.abs(now - (before + after) / 2) <= 1e-6 * np.maximum(np.abs(now), 1e-12)
    return float(middle[inside].mean())
