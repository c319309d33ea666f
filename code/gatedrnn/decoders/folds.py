"""Splitting a recording without leaks, and scoring what was decoded."""

import dataclasses
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np

from gatedrnn.datasets import Recording


class LeakError(ValueError):
    """A training and a test set share something; the message says what, and what to do."""


class Fold(NamedTuple):
    """Numbers of the reaches to train on and to test on."""

    train: np.ndarray
    test: np.ndarray


def contiguous_folds(starts, n_bins: int, k: int = 5, guard: int = 0) -> list[Fold]:
    """Cut a recording into k blocks of successive reaches, each of them the test set once.

    Neighbouring reaches share slow drifts, and neighbouring bins may share spikes; so a test set is one
    block, and every reach that comes within ``guard`` bins of the block is left out of the training set.

    Parameters
    ----------
    starts : sequence of int
        First bin of every reach.
    n_bins : int
        Length of the recording.
    k : int
        Number of blocks, of nearly equal numbers of reaches.
    guard : int
        Bins to keep free on either side of a test block: at least the number of bins over which spikes were
        counted.

    Returns
    -------
    list of Fold

    Raises
    ------
    ValueError
        If there are fewer reaches than blocks, or a guard leaves nothing to train on.

    Examples
    --------
    >>> for fold in contiguous_folds([0, 30, 60, 90, 120, 150], n_bins=180, k=3, guard=10):
    ...     print(fold.train, fold.test)
    [3 4 5] [0 1]
    [0 5] [2 3]
    [0 1 2] [4 5]
    """
    starts = np.asarray(starts)
    if k < 2 or len(starts) < k or guard < 0:
        raise ValueError(
            f"expected 2 ≤ k ≤ number of reaches and guard ≥ 0, got k={k}, {len(starts)} reaches and "
            f"guard={guard}; cut a long reach into stretches, or ask for fewer folds."
        )
    stops = np.append(starts[1:], n_bins)
    folds = []
    for test in np.array_split(np.arange(len(starts)), k):
        before = stops <= starts[test[0]] - guard
        after = starts >= stops[test[-1]] + guard
        folds.append(Fold(np.flatnonzero(before | after), test))
    if any(len(fold.train) == 0 for fold in folds):
        raise ValueError(f"a guard of {guard} bins leaves a fold nothing to train on; use a smaller one.")
    return folds


def select(recording: Recording, reaches: Sequence[int]) -> Recording:
    """Return the recording with only some of its reaches, in the order given.

    Examples
    --------
    >>> from gatedrnn.datasets import simulate_motor
    >>> recording = simulate_motor(seed=0, n_reaches=6, n_cells=4)
    >>> select(recording, [4, 1]).targets.tolist() == recording.targets[[4, 1]].tolist()
    True
    """
    reaches = np.asarray(reaches, dtype=int)
    bins = bins_of(recording, reaches)
    lengths = (recording.stops - recording.starts)[reaches]
    return dataclasses.replace(
        recording,
        spikes=recording.spikes[bins],
        kinematics=recording.kinematics[bins],
        starts=np.cumsum(lengths) - lengths,
        targets=recording.targets[reaches],
    )


def carry_on(recording: Recording, reaches: Sequence[int], length: int | None = None) -> Recording:
    """Return some reaches as stretches that run on: reaches that follow each other become one stretch.

    A decoder that begins anew at every border is told where it is if all reaches begin alike; see
    `check_clock`. In stretches that run on it must go by what it hears.

    Parameters
    ----------
    recording : Recording
    reaches : sequence of int
        In increasing order; where one is missing, a stretch ends.
    length : int, optional
        Cut stretches into pieces of so many bins, wherever that falls; what is left over joins the last piece
        if it is shorter than half. For training, which wants many sequences.

    Examples
    --------
    >>> from gatedrnn.datasets import simulate_motor
    >>> recording = simulate_motor(seed=0, n_reaches=6, n_cells=4)
    >>> len(carry_on(recording, [0, 1, 2, 4, 5]).starts)
    2
    """
    part = select(recording, reaches)
    first = np.flatnonzero(np.diff(reaches, prepend=-2) != 1)
    starts, stops = part.starts[first], np.append(part.starts[first][1:], part.n_bins)
    if length is not None:
        if length < 1:
            raise ValueError(f"length counts bins: expected 1 or more, got {length}.")
        cuts = zip(starts, stops, strict=True)
        starts = np.concatenate([np.arange(a, max(a + 1, b - length // 2), length) for a, b in cuts])
    targets = part.targets[part.reach[starts]]
    return dataclasses.replace(part, starts=starts, targets=targets)


def bins_of(recording: Recording, reaches: Sequence[int]) -> np.ndarray:
    """Return the numbers of all bins of some reaches, reach by reach."""
    if not len(reaches):
        raise ValueError("expected at least one reach, got none.")
    return np.concatenate([np.arange(recording.starts[r], recording.stops[r]) for r in reaches])


def check_whole(owner, train, test, row: str, whole: str, wholes: str) -> None:
    """Raise unless what each row belongs to is on one side only.

    Parameters
    ----------
    owner : ndarray
        For every row, the number of the reach, or the discharge, that it is part of.
    train, test : ndarray of int
        Numbers of rows.
    row, whole, wholes : str
        What the message calls them.

    Raises
    ------
    LeakError
        If a row is in both sets, or something has rows in both.
    """
    both = np.intersect1d(train, test)
    if len(both):
        raise LeakError(f"{len(both)} {row}s are in both sets, first {row} {both[0]}: take them out of one.")
    shared = np.intersect1d(owner[train], owner[test])
    if len(shared):
        raise LeakError(f"{len(shared)} {wholes} have {row}s on both sides: keep every {whole} whole.")


def check_split(recording: Recording, train: np.ndarray, test: np.ndarray) -> None:
    """Raise unless a training and a test set of bins are apart.

    Parameters
    ----------
    recording : Recording
    train, test : ndarray of int
        Numbers of bins; `bins_of` gives those of some reaches.

    Raises
    ------
    LeakError
        If the sets share a bin, share a reach, or have bins so close that both count the same spikes.

    Examples
    --------
    >>> from gatedrnn.datasets import simulate_motor
    >>> recording = simulate_motor(seed=0, n_reaches=6, n_cells=4)
    >>> shuffled = np.random.default_rng(0).permutation(recording.n_bins)
    >>> check_split(recording, shuffled[20:], shuffled[:20])
    Traceback (most recent call last):
    ...
    gatedrnn.decoders.folds.LeakError: 6 reaches have bins on both sides: keep every reach whole.
    """
    check_whole(recording.reach, train, test, "bin", "reach", "reaches")
    ordered = np.sort(train)
    after = np.searchsorted(ordered, test)  # the nearest training bins on both sides of each test bin
    neighbours = ordered[np.clip([after - 1, after], 0, len(ordered) - 1)]
    gap = np.abs(neighbours - test).min()
    if gap < recording.count_bins:
        raise LeakError(
            f"training and test bins come within {gap} of each other, but each count spans "
            f"{recording.count_bins} bins: widen the guard to {recording.count_bins}."
        )


def r2(true: np.ndarray, predicted: np.ndarray) -> float:
    """Fraction of the variance that is decoded, per output and averaged over the outputs.

    R² = 1 − Σ(v − v̂)² / Σ(v − v̄)², with the mean v̄ of the test set. 1 is perfect, 0 as good as v̄; there is
    no floor.

    Parameters
    ----------
    true, predicted : ndarray, shape (n_bins, n_outputs)

    Raises
    ------
    ValueError
        If the shapes differ, or an output never changes.
    """
    true, predicted = np.asarray(true, dtype=float), np.asarray(predicted, dtype=float)
    if true.shape != predicted.shape:
        raise ValueError(f"true and predicted need one shape, got {true.shape} and {predicted.shape}.")
    spread = ((true - true.mean(axis=0)) ** 2).sum(axis=0)
    if not np.all(spread > 0):
        raise ValueError("R² is undefined for an output that never changes: leave it out, or use more bins.")
    return float(np.mean(1 - ((true - predicted) ** 2).sum(axis=0) / spread))


def score(decoder: Any, recording: Recording) -> float:
    """R² of a fitted decoder on a recording."""
    return r2(recording.kinematics, decoder.predict(recording))


def choose(candidates: Iterable[Any], recording: Recording, folds: Sequence[Fold]) -> Any:
    """Return the candidate that decodes best inside a training set; it comes back unfitted.

    Parameters
    ----------
    candidates : iterable of decoders
        Unfitted; on a tie the earlier wins.
    recording : Recording
        Training reaches only: what is tested later must not be in it.
    folds : sequence of Fold
        Splits of this recording.

    Returns
    -------
    decoder
        A fresh copy of the best.
    """

    def mean_score(candidate) -> float:
        return float(
            np.mean(
                [
                    score(
                        dataclasses.replace(candidate).fit(select(recording, fold.train)),
                        select(recording, fold.test),
                    )
                    for fold in folds
                ]
            )
        )

    return dataclasses.replace(max(candidates, key=mean_score))
