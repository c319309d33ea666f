"""The committed table of position decoding: complete, honest about its splits, and reproducible."""

import dataclasses

import numpy as np
import pytest
from conftest import drawn
from gatedrnn.datasets import REGISTRY, locate
from gatedrnn.decoders import LeakError, bins_of, check_clock, check_split, select
from gatedrnn.experiments import position_decoding, table

KEY = ("recording", "way", "model", "fold", "seed")


@pytest.fixture(scope="module")
def places():
    return table("position_decoding")


def test_the_table_is_complete_and_says_where_it_comes_from(places):
    assert [{name: row[name] for name in KEY} for row in places.rows] == position_decoding.KEYS()
    files = {file.path: file.digest for file in REGISTRY["hippocampus_ca1_zivlab"].files}
    named = {path.split("/")[1]: digest for path, digest in places.data.items()}
    assert named and all(files[path] == digest for path, digest in named.items())
    assert places.tolerance == position_decoding.TOLERANCE


def test_a_row_drawn_at_random_comes_out_again(places):
    cheap = [row for row in places.rows if row["model"] != "gru_offline"]
    here = locate("hippocampus_ca1_zivlab") is not None
    row, _, message = drawn([row for row in cheap if here or row["recording"] == "simulated"], KEY)
    whole, model = position_decoding.recording(row["recording"]), row["model"]
    fold = position_decoding.folds(whole)[row["fold"]]
    train, test = position_decoding.cut(whole, fold, row["way"], model)
    decoded = position_decoding.rebuild(row).fit(train).predict(test)
    again = float(np.median(np.abs(decoded - test.kinematics)))
    left = ((decoded - test.kinematics) ** 2).sum() / ((test.kinematics - test.kinematics.mean()) ** 2).sum()
    assert 1 - left == pytest.approx(row["r2"], abs=places.tolerance[model]), message
    assert again == pytest.approx(row["error"], abs=0.1), message


@pytest.mark.parametrize("model", ["wiener", "kalman", "bayes"])
def test_a_choice_comes_out_again(places, model):
    (row,) = places.where(recording="simulated", way="carried", model=model, fold=2)
    best = position_decoding.choose("simulated", "carried", model, 2)
    decoder = position_decoding.candidates(model, 0)[best]
    assert position_decoding.settings(decoder) == row["chosen"]


def test_outer_and_inner_splits_are_apart():
    whole = position_decoding.recording("simulated")
    for fold in position_decoding.folds(whole):
        check_split(whole, bins_of(whole, fold.train), bins_of(whole, fold.test))
        for inner in position_decoding.inner_folds(whole, fold.train, "wiener"):
            assert set(inner.train) | set(inner.test) <= set(fold.train)
            learn, judge = bins_of(whole, inner.train), bins_of(whole, inner.test)
            check_split(whole, learn, judge)
            assert np.abs(np.subtract.outer(learn, judge)).min() > position_decoding.GUARD


def test_shuffled_bins_are_refused():
    whole = position_decoding.recording("simulated")
    bins = np.random.default_rng(0).permutation(whole.n_bins)
    with pytest.raises(LeakError, match="keep every reach whole"):
        check_split(whole, bins[500:], bins[:500])
    fold = position_decoding.folds(whole)[1]
    apart = np.abs(np.subtract.outer(bins_of(whole, fold.train), bins_of(whole, fold.test))).min()
    assert apart > position_decoding.GUARD
    overlapping = dataclasses.replace(whole, count_bins=int(apart) + 1)
    with pytest.raises(LeakError, match="widen the guard"):
        check_split(overlapping, bins_of(whole, fold.train), bins_of(whole, fold.test))


def test_what_carried_decoders_get_does_not_tell_the_time():
    whole = position_decoding.recording("simulated")
    for fold in position_decoding.folds(whole):
        for model in ("gru", "wiener", "cascade"):
            for part in position_decoding.cut(whole, fold, "carried", model):
                check_clock(part)
        with pytest.raises(LeakError):
            check_clock(select(whole, fold.train))


def test_cells_are_chosen_in_the_training_laps_alone():
    whole = position_decoding.recording("simulated")
    fold = position_decoding.folds(whole)[0]
    counted = (whole.spikes[bins_of(whole, fold.train)] > 0).sum(axis=0)
    heard = np.flatnonzero(counted >= position_decoding.FEWEST)
    spikes = whole.spikes.copy()
    spikes[bins_of(whole, fold.train), heard[3]] = 0  # speaks in the test laps alone
    spikes[bins_of(whole, fold.test), heard[4]] = 0  # speaks in the training laps alone
    train, test = position_decoding.cut(dataclasses.replace(whole, spikes=spikes), fold, "carried", "wiener")
    assert train.n_cells == test.n_cells == len(heard) - 1
    assert (test.spikes[:, 3] == 0).all() and (train.spikes[:, 3] > 0).any()  # the second, now the fourth
