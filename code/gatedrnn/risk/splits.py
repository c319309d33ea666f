"""Folds of patients, and checks that a model has seen neither them nor the future."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from gatedrnn.datasets import Stays
from gatedrnn.decoders import Fold, LeakError


def stratified_folds(stays: Stays, k: int = 5, seed: int = 0, patient=None) -> list[Fold]:
    """Cut stays into k test sets with nearly the same share of deaths, no patient in two of them.

    Parameters
    ----------
    stays : Stays
    k : int
    seed : int
        Of the random order.
    patient : sequence, optional
        Who each stay belongs to; by default every record is a patient of its own.

    Returns
    -------
    list of Fold
        Rows of the stays to train on and to test on.

    Raises
    ------
    ValueError
        If outcomes are missing, or fewer than k patients died or lived.

    Examples
    --------
    >>> from gatedrnn.datasets import simulate_icu
    >>> stays = simulate_icu(seed=1, n_stays=200).stays
    >>> train, test = stratified_folds(stays)[0]
    >>> len(train), len(test)
    (160, 40)
    """
    from sklearn.model_selection import StratifiedGroupKFold

    patient = stays.record_id if patient is None else np.asarray(patient)
    if stays.death is None:
        raise ValueError("folds with the same share of deaths need outcomes; load the stays with them.")
    fewest = min(len(np.unique(patient[stays.death == end])) for end in (True, False))
    if not 2 <= k <= fewest:
        raise ValueError(f"expected 2 ≤ k ≤ {fewest}, the patients of the rarer end, got k = {k}.")
    cut = StratifiedGroupKFold(k, shuffle=True, random_state=seed)
    return [Fold(*fold) for fold in cut.split(patient, stays.death, patient)]


def check_split(stays: Stays, train: Sequence[int], test: Sequence[int], patient=None) -> None:
    """Raise unless training and test stays belong to different patients.

    Parameters
    ----------
    stays : Stays
    train, test : sequence of int
        Rows of the stays.
    patient : sequence, optional
        Who each stay belongs to; by default the record number.

    Raises
    ------
    LeakError
        If a patient is on both sides, under one number or, as a copy, under two.

    Examples
    --------
    >>> from gatedrnn.datasets import simulate_icu
    >>> stays = simulate_icu(seed=1, n_stays=50).stays
    >>> check_split(stays, [0, 1, 2, 2], [2, 3])
    Traceback (most recent call last):
    ...
    gatedrnn.decoders.folds.LeakError: 1 patients are on both sides, first 2: split patients, then copy.
    """
    patient = stays.record_id if patient is None else np.asarray(patient)
    shared = np.intersect1d(patient[np.asarray(train)], patient[np.asarray(test)])
    if len(shared):
        raise LeakError(
            f"{len(shared)} patients are on both sides, first {shared[0]}: split patients, then copy."
        )
    charts = [{_chart(stays, row) for row in rows} - {None} for rows in (train, test)]
    if copies := charts[0] & charts[1]:
        raise LeakError(
            f"{len(copies)} charts are on both sides under different record numbers: they are copies of one "
            "patient; keep them together."
        )


def _chart(stays: Stays, row: int) -> bytes | None:
    """All measurements of one stay as bytes; None if there are too few to tell patients apart."""
    first, stop = np.searchsorted(stays.stay, [row, row + 1])
    if stop - first < 5:
        return None
    return b"".join(
        np.ascontiguousarray(a[first:stop]).tobytes() for a in (stays.variable, stays.hour, stays.value)
    )


def check_future(predict: Callable[[Stays], np.ndarray], stays: Stays, hour: float = 48.0) -> None:
    """Raise if predictions made at an hour depend on anything that comes later.

    Everything after the hour is changed: measurements get other values and are then removed; days in
    hospital, survival and outcome become others. A prediction that knows only the past cannot notice.

    Parameters
    ----------
    predict : callable
        ``predict(stays)`` gives one risk for each stay, known by ``hour``.
    stays : Stays
    hour : float
        Time of the prediction in hours after admission.

    Raises
    ------
    LeakError
        If a risk changes.

    Examples
    --------
    >>> from gatedrnn.datasets import simulate_icu
    >>> stays = simulate_icu(seed=1, n_stays=50).stays
    >>> check_future(lambda s: s.until(24).grid()[:, :24, 0], stays, hour=24)
    >>> check_future(lambda s: s.length_of_stay, stays)  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ...
    gatedrnn.decoders.folds.LeakError: 50 of 50 predictions changed with what came after hour 48: ...
    """
    ends = {"length_of_stay": 99 - np.nan_to_num(stays.length_of_stay)}
    ends["survival"] = np.where(np.isnan(stays.survival), 3.0, np.nan)
    if stays.death is not None:
        ends["death"] = ~stays.death
    late = stays.hour > hour
    other = np.where(late, -3 * stays.value + 7, stays.value)
    before = np.asarray(predict(stays))
    for changed in (replace(stays, value=other, **ends), replace(stays, **ends).keep(~late)):
        after = np.asarray(predict(changed))
        differs = ~np.isclose(before, after, rtol=0, atol=1e-9, equal_nan=True)
        differs = differs.reshape(len(differs), -1).any(axis=1)
        if differs.any():
            raise LeakError(
                f"{differs.sum()} of {len(differs)} predictions changed with what came after hour {hour:g}: "
                "use stays.until(hour), and neither days in hospital nor outcomes, as input."
            )


def check_fitting(
    fit: Callable[[Stays, np.ndarray], Callable[[Stays], np.ndarray]],
    stays: Stays,
    train: Sequence[int],
    test: Sequence[int],
) -> None:
    """Raise if what is learned depends on the test patients.

    Test patients get other measurements and the opposite end, and the model is fitted again: scales, filled
    gaps, chosen settings and weights must all come out as before.

    Parameters
    ----------
    fit : callable
        ``fit(stays, train)`` gets *all* stays and the rows to train on, and returns ``predict(stays)``.
    stays : Stays
    train, test : sequence of int
        Rows of the stays.

    Raises
    ------
    LeakError
        If a prediction for a training patient changes.
    """
    train, test = np.asarray(train), np.asarray(test)
    moved = np.isin(stays.stay, test)
    death = stays.death.copy()
    death[test] = ~death[test]
    changed = replace(stays, value=np.where(moved, 3 * stays.value + 5, stays.value), death=death)
    probe = stays.select(train)
    before, after = (np.asarray(fit(known, train)(probe)) for known in (stays, changed))
    gap = np.abs(before - after).max()
    if not gap <= 1e-9:
        raise LeakError(
            f"predictions for training patients moved by up to {gap:.2g} when only test patients changed: "
            "fit scales, gaps and settings on the training stays alone."
        )
