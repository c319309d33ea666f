"""Decoders: correct against independent formulas, causal, never across a border, and split without leaks."""

import dataclasses

import numpy as np
import pytest
from gatedrnn.datasets import Recording, simulate_motor
from gatedrnn.decoders import (
    IdealObserver,
    KalmanFilter,
    LeakError,
    RecurrentDecoder,
    WienerFilter,
    bins_of,
    check_split,
    choose,
    contiguous_folds,
    r2,
    score,
    select,
)
from sklearn.metrics import r2_score

QUICK = {"hidden_size": 16, "epochs": 10, "batch_size": 8, "learning_rate": 2e-2, "dropout": 0.2}
DECODERS = {
    "wiener": WienerFilter(taps=4, width=2),
    "kalman": KalmanFilter(differences=1, noise=2.0),
    "rnn": RecurrentDecoder("rnn", **QUICK),
    "gru": RecurrentDecoder("gru", **QUICK),
    "lstm": RecurrentDecoder("lstm", **QUICK),
    "window": RecurrentDecoder("gru", **QUICK | {"history": 5, "batch_size": 64, "epochs": 4}),
}


@pytest.fixture(scope="module")
def recording():
    return simulate_motor(seed=3, n_reaches=40, n_cells=12)


@pytest.fixture(scope="module")
def halves(recording):
    return select(recording, range(28)), select(recording, range(29, 40))


@pytest.fixture(scope="module", params=DECODERS)
def fitted(request, halves):
    return dataclasses.replace(DECODERS[request.param]).fit(halves[0])


# Splits


def test_every_reach_is_tested_once_in_blocks(recording):
    folds = contiguous_folds(recording.starts, recording.n_bins, k=5, guard=3)
    assert np.array_equal(np.concatenate([fold.test for fold in folds]), np.arange(40))
    assert all((np.diff(fold.test) == 1).all() for fold in folds)


@pytest.mark.parametrize("guard", [0, 1, 10, 40])
def test_training_reaches_keep_their_distance(recording, guard):
    for fold in contiguous_folds(recording.starts, recording.n_bins, k=4, guard=guard):
        train, test = bins_of(recording, fold.train), bins_of(recording, fold.test)
        assert np.abs(train[:, np.newaxis] - test).min() > guard
        missing = set(range(40)) - set(fold.train) - set(fold.test)
        assert all(
            recording.stops[r] > recording.starts[fold.test[0]] - guard
            and recording.starts[r] < recording.stops[fold.test[-1]] + guard
            for r in missing
        ), "a reach outside the guard was thrown away"


def test_bad_splits_are_said_in_words(recording):
    with pytest.raises(ValueError, match="k=1"):
        contiguous_folds(recording.starts, recording.n_bins, k=1)
    with pytest.raises(ValueError, match="3 reaches"):
        contiguous_folds([0, 10, 20], 30, k=5)
    with pytest.raises(ValueError, match="leaves a fold nothing to train on"):
        contiguous_folds([0, 10, 20], 30, k=2, guard=30)
    with pytest.raises(ValueError, match="at least one reach"):
        select(recording, [])


def test_a_selection_holds_whole_reaches_in_order(recording):
    chosen = select(recording, [7, 2])
    first = slice(recording.starts[7], recording.stops[7])
    second = slice(recording.starts[2], recording.stops[2])
    assert np.array_equal(chosen.kinematics, np.r_[recording.kinematics[first], recording.kinematics[second]])
    assert np.array_equal(chosen.spikes, np.r_[recording.spikes[first], recording.spikes[second]])
    assert chosen.starts.tolist() == [0, first.stop - first.start]
    assert chosen.targets.tolist() == recording.targets[[7, 2]].tolist()


def test_leaks_are_caught(recording):
    bins, fold = np.arange(recording.n_bins), contiguous_folds(recording.starts, recording.n_bins, 5)[1]
    train, test = bins_of(recording, fold.train), bins_of(recording, fold.test)
    check_split(recording, train, test)
    with pytest.raises(LeakError, match=f"first bin {test[0]}"):
        check_split(recording, np.append(train, test[0]), test)
    shuffled = np.random.default_rng(0).permutation(bins)
    with pytest.raises(LeakError, match="keep every reach whole"):
        check_split(recording, shuffled[500:], shuffled[:500])
    with pytest.raises(LeakError, match=r"come within 1 .* spans 8 bins: widen the guard to 8"):
        check_split(dataclasses.replace(recording, count_bins=8), train, test)


def test_the_folds_with_a_guard_pass_the_leak_check(recording):
    overlapping = dataclasses.replace(recording, count_bins=8)
    for fold in contiguous_folds(recording.starts, recording.n_bins, 5, guard=8):
        check_split(overlapping, bins_of(recording, fold.train), bins_of(recording, fold.test))


# Scores


def test_r2_agrees_with_scikit_learn():
    rng = np.random.default_rng(0)
    true, predicted = rng.normal(size=(2, 50, 3))
    assert r2(true, predicted) == pytest.approx(r2_score(true, predicted))
    assert r2(true, true) == 1
    assert r2(true, np.broadcast_to(true.mean(axis=0), true.shape)) == pytest.approx(0)


def test_r2_refuses_what_has_no_answer():
    with pytest.raises(ValueError, match="one shape"):
        r2(np.zeros((5, 2)), np.zeros((5, 1)))
    with pytest.raises(ValueError, match="never changes"):
        r2(np.ones((5, 2)), np.zeros((5, 2)))


def test_choose_takes_the_best_inside_the_training_set(halves):
    train, _ = halves
    folds = contiguous_folds(train.starts, train.n_bins, 3)
    candidates = [WienerFilter(1, penalty=1e8), WienerFilter(6, penalty=100), WienerFilter(1, penalty=1e7)]
    best = choose(candidates, train, folds)
    assert (best.taps, best.penalty) == (6, 100) and best.weights is None
    assert all(candidate.weights is None for candidate in candidates), "a candidate was fitted in place"


# What holds for every decoder


def test_a_fit_decodes_better_than_the_mean(fitted, halves):
    predicted = fitted.predict(halves[1])
    assert predicted.shape == halves[1].kinematics.shape
    assert score(fitted, halves[1]) > 0.1


def test_nothing_of_the_future_is_used(fitted, halves):
    test = select(halves[1], [0])
    spikes = test.spikes.copy()
    spikes[10:] += 5
    changed = fitted.predict(dataclasses.replace(test, spikes=spikes))
    before = fitted.predict(test)
    np.testing.assert_allclose(changed[:10], before[:10], atol=1e-10)
    assert np.abs(changed[10:] - before[10:]).max() > 1e-3


def test_no_border_is_crossed(fitted, halves):
    test = select(halves[1], [0, 1, 2])
    spikes = test.spikes.copy()
    middle = slice(test.starts[1], test.stops[1])
    spikes[middle] += 5
    changed, before = fitted.predict(dataclasses.replace(test, spikes=spikes)), fitted.predict(test)
    outside = np.r_[0 : middle.start, middle.stop : test.n_bins]
    np.testing.assert_allclose(changed[outside], before[outside], atol=1e-10)


def test_a_reach_is_decoded_alike_alone_and_in_company(fitted, halves):
    together = fitted.predict(halves[1])
    alone = [fitted.predict(select(halves[1], [r])) for r in range(len(halves[1].starts))]
    np.testing.assert_allclose(np.concatenate(alone), together, atol=1e-10)


def test_bin_by_bin_equals_all_at_once(fitted, halves):
    if getattr(fitted, "history", None) is not None:
        with pytest.raises(ValueError, match="carries no state"):
            fitted.step(halves[1].spikes[0])
        return
    test = select(halves[1], [0, 1])
    decoded, state = [], None
    for t in range(test.n_bins):
        state = None if t in test.starts else state
        output, state = fitted.step(test.spikes[t], state)
        decoded.append(output)
    np.testing.assert_allclose(decoded, fitted.predict(test), atol=1e-9)


def test_fitting_changes_nothing_about_the_recording(halves):
    train = halves[0]
    spikes, kinematics = train.spikes.copy(), train.kinematics.copy()
    for decoder in DECODERS.values():
        dataclasses.replace(decoder).fit(train)
    assert np.array_equal(train.spikes, spikes) and np.array_equal(train.kinematics, kinematics)


def test_other_cells_and_no_fit_are_said_in_words(fitted, halves):
    fewer = dataclasses.replace(halves[1], spikes=halves[1].spikes[:, :-1])
    with pytest.raises(ValueError, match="fitted to 12 cells, got 11"):
        fitted.predict(fewer)
    with pytest.raises(ValueError, match="not been fitted"):
        dataclasses.replace(fitted).predict(halves[1])


def test_a_silent_cell_does_no_harm(halves):
    train = halves[0]
    spikes = train.spikes.copy()
    spikes[:, 4] = 0
    silent = dataclasses.replace(train, spikes=spikes)
    for decoder in DECODERS.values():
        predicted = dataclasses.replace(decoder).fit(silent).predict(halves[1])
        assert np.isfinite(predicted).all()


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: WienerFilter(taps=0), "taps ≥ 1"),
        (lambda: WienerFilter(penalty=-1), "penalty ≥ 0"),
        (lambda: KalmanFilter(noise=0), "noise > 0"),
        (lambda: RecurrentDecoder("lstmm"), "rnn, gru, lstm"),
        (lambda: RecurrentDecoder(history=0), "1 or more, got 0"),
        (lambda: RecurrentDecoder(dropout=1.0), "below 1"),
    ],
)
def test_bad_settings_are_said_in_words(make, words):
    with pytest.raises(ValueError, match=words):
        make()


# Each decoder against its own formula


def test_the_wiener_filter_solves_the_ridge_equations(halves):
    train, test = halves
    decoder = WienerFilter(taps=3, width=2, penalty=50.0).fit(train)
    mean, scale = train.spikes.mean(axis=0), train.spikes.std(axis=0)

    def bin_before(part, t, k):
        inside = t - k >= part.starts[part.reach[t]]
        return (part.spikes[t - k] - mean) / scale if inside else np.zeros(part.n_cells)

    def history(part):
        pairs = ((4, 5), (2, 3), (0, 1))
        rows = [
            [(bin_before(part, t, a) + bin_before(part, t, b)) / np.sqrt(2) for a, b in pairs]
            for t in range(part.n_bins)
        ]
        return np.array(rows).reshape(part.n_bins, -1)

    H = history(train)
    centred, v = H - H.mean(axis=0), train.kinematics - train.kinematics.mean(axis=0)
    W = np.linalg.solve(centred.T @ centred + 50 * np.eye(H.shape[1]), centred.T @ v)
    expected = (history(test) - H.mean(axis=0)) @ W + train.kinematics.mean(axis=0)
    np.testing.assert_allclose(decoder.predict(test), expected, atol=1e-8)


def test_the_kalman_filter_is_the_textbook_one(halves):
    train, test = halves
    decoder = KalmanFilter(differences=1, noise=3.0).fit(train)
    A, W, H, Q = decoder.A, decoder.W, decoder.H, 3.0 * decoder.Q
    z = (test.spikes - train.spikes.mean(axis=0)) / train.spikes.std(axis=0)
    expected = np.empty((test.n_bins, 2))
    for t in range(test.n_bins):
        if t in test.starts:
            m, P = decoder.first
        else:
            m, P = A @ m, A @ P @ A.T + W
        K = P @ H.T @ np.linalg.inv(H @ P @ H.T + Q)
        m, P = m + K @ (z[t] - H @ m), (np.eye(4) - K @ H) @ P
        expected[t] = (m + decoder.center)[:2]
    np.testing.assert_allclose(decoder.predict(test), expected, atol=1e-7)


def test_the_kalman_filter_finds_the_system_that_made_the_data():
    rng = np.random.default_rng(0)
    A = np.array([[0.9, 0.2], [-0.2, 0.9]])
    H = rng.normal(size=(10, 2))
    x = np.zeros((4000, 2))
    for t in range(1, 4000):
        x[t] = A @ x[t - 1] + rng.normal(size=2)
    z = x @ H.T + rng.normal(size=(4000, 10))
    starts = np.arange(0, 4000, 500)
    made = Recording(z, x, 0.05, starts, np.zeros(len(starts), int), name="linear system")
    decoder = KalmanFilter(differences=0).fit(made)
    np.testing.assert_allclose(decoder.A, A, atol=0.03)
    np.testing.assert_allclose(decoder.W, np.eye(2), atol=0.1)
    np.testing.assert_allclose(decoder.H * z.std(axis=0)[:, np.newaxis], H, atol=0.05)
    np.testing.assert_allclose(np.diag(decoder.Q) * z.var(axis=0), np.ones(10), atol=0.15)
    assert score(decoder, made) > score(WienerFilter(taps=1).fit(made), made)


def test_a_settled_kalman_filter_is_a_linear_recurrent_network(halves):
    train, test = halves
    decoder = KalmanFilter(differences=1, noise=2.0).fit(train)
    network = decoder.recurrence()
    z = (test.spikes - train.spikes.mean(axis=0)) / train.spikes.std(axis=0)
    one = dataclasses.replace(test, starts=test.starts[:1], targets=test.targets[:1])
    expected, h = decoder.predict(one), None
    for t in range(test.n_bins):
        if t == 60:  # the gain has settled; take up the filter's state
            h = last_mean(decoder, test.spikes[:61])
        elif t > 60:
            h = network.W_hh @ h + network.W_ih @ z[t]
            np.testing.assert_allclose((h + decoder.center)[:2], expected[t], atol=1e-3)
    assert np.abs(np.linalg.eigvals(network.W_hh)).max() < 1
    with pytest.raises(ValueError, match="not been fitted"):
        KalmanFilter().recurrence()


def test_noisier_cells_make_a_kalman_filter_remember_longer(halves):
    slowest = [
        np.abs(np.linalg.eigvals(KalmanFilter(noise=noise).fit(halves[0]).recurrence().W_hh)).max()
        for noise in (0.5, 1, 2, 4)
    ]
    assert (np.diff(slowest) > 0).all()


def last_mean(decoder, spikes):
    belief = None
    for counts in spikes:
        _, belief = decoder.step(counts, belief)
    return belief.mean


def test_the_acceleration_in_the_state_does_not_see_the_border(halves):
    states = KalmanFilter(differences=2)._states(halves[0])
    assert states.shape[1] == 6
    assert np.all(states[halves[0].starts, 2:] == 0)
    inside = halves[0].starts[1] + 5
    np.testing.assert_allclose(states[inside, 2:4], np.diff(halves[0].kinematics, axis=0)[inside - 1])


def test_a_network_reproduces_with_its_seed_and_on_two_threads(halves):
    import torch

    train, test = halves
    quick = QUICK | {"epochs": 2}
    make = lambda seed: RecurrentDecoder("lstm", seed=seed, **quick).fit(train).predict(test)  # noqa: E731
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(1)
        one = make(0)
        torch.set_num_threads(2)
        two = make(0)
    finally:
        torch.set_num_threads(before)
    np.testing.assert_allclose(one, two, atol=1e-5)
    assert np.abs(make(1) - one).max() > 1e-2


def test_a_network_uses_the_books_own_layers(halves):
    from gatedrnn import layers

    for cell, kind in (("rnn", layers.RNN), ("gru", layers.GRU), ("lstm", layers.LSTM)):
        assert type(RecurrentDecoder(cell, **QUICK).fit(halves[0]).model.layer) is kind


def test_a_network_that_reads_windows_forgets_what_is_older(halves):
    decoder = RecurrentDecoder("gru", **QUICK | {"history": 5, "batch_size": 64, "epochs": 4}).fit(halves[0])
    test = select(halves[1], [0])
    spikes = test.spikes.copy()
    spikes[5] += 5
    changed = np.abs(decoder.predict(dataclasses.replace(test, spikes=spikes)) - decoder.predict(test))
    assert (changed.max(axis=1) > 1e-9).nonzero()[0].tolist() == [5, 6, 7, 8, 9]


def test_early_stopping_holds_back_the_last_reaches_behind_a_guard(halves):
    decoder = RecurrentDecoder("gru", patience=2, **QUICK)
    train, validation = decoder._hold_out(halves[0])
    assert (len(train.starts), len(validation.starts)) == (23, 4)
    assert np.array_equal(validation.kinematics[-1], halves[0].kinematics[-1])
    assert len(decoder.fit(halves[0]).log.validation) >= 3


def test_dropout_is_off_when_decoding(halves):
    decoder = RecurrentDecoder("gru", **QUICK | {"dropout": 0.9}).fit(halves[0])
    assert np.array_equal(decoder.predict(halves[1]), decoder.predict(halves[1]))


# The ideal


@pytest.fixture(scope="module")
def movements():
    return simulate_motor(seed=99, n_reaches=4000, n_cells=1)


def test_nothing_beats_the_ideal_observer(halves, movements):
    train, test = halves
    ideal = score(IdealObserver(train.tuning, movements), test)
    assert ideal > 0.85
    decoders = [WienerFilter(taps=6), KalmanFilter(), RecurrentDecoder("lstm")]
    assert max(score(decoder.fit(train), test) for decoder in decoders) < ideal


def test_the_ideal_hardly_depends_on_the_number_of_movements_drawn(halves, movements):
    fewer = select(movements, range(2000))
    both = [score(IdealObserver(halves[1].tuning, drawn), halves[1]) for drawn in (fewer, movements)]
    assert both[0] == pytest.approx(both[1], abs=0.01)


def test_the_ideal_observer_is_causal(halves, movements):
    few, test = select(movements, range(200)), select(halves[1], [0])
    spikes = test.spikes.copy()
    spikes[12:] += 3
    observer = IdealObserver(test.tuning, few)
    changed = observer.predict(dataclasses.replace(test, spikes=spikes))
    assert np.array_equal(changed[:12], observer.predict(test)[:12])
