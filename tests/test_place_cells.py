"""Place cells: the simulator's truth, Bayes' rule against brute force, stretches that run on, the clock."""

import dataclasses

import numpy as np
import pytest
from gatedrnn.datasets import Recording, simulate_motor, simulate_place_cells
from gatedrnn.decoders import (
    Clock,
    LeakError,
    PlaceCellDecoder,
    RecurrentDecoder,
    WienerCascade,
    WienerFilter,
    bins_of,
    carry_on,
    check_clock,
    clock,
    contiguous_folds,
    score,
    select,
)


@pytest.fixture(scope="module")
def laps():
    return simulate_place_cells(seed=3, n_laps=30, n_cells=40)


@pytest.fixture(scope="module")
def halves(laps):
    return carry_on(laps, range(20)), carry_on(laps, range(21, 30))


# The simulator


def test_laps_begin_at_the_start_and_end_at_the_end(laps):
    position = laps.kinematics[:, 0]
    assert (position[laps.starts] == 1).all() and (position[laps.stops - 1] == 20).all()
    inside = np.setdiff1d(np.arange(1, laps.n_bins), laps.starts)
    steps = np.diff(position)[inside - 1]
    assert steps.min() == 0 and steps.max() <= 2


def test_events_follow_the_fields():
    laps = simulate_place_cells(seed=0, n_laps=400, n_cells=6)
    rates = laps.tuning.rates(laps.kinematics)
    for place in (3, 10, 18):
        here = laps.kinematics[:, 0] == place
        expected = rates[here][0] * laps.bin_width
        spread = np.sqrt(expected / here.sum())
        assert (np.abs(laps.spikes[here].mean(axis=0) - expected) < 4.5 * spread).all()


def test_the_fields_are_recovered():
    """With 40 laps the peak of a map is within a bin of its field's centre for half of the cells or more."""
    laps = simulate_place_cells(seed=1)
    decoder = PlaceCellDecoder(smoothing=0.7).fit(laps)
    peaks = decoder.centres[decoder.fields.argmax(axis=0)]
    assert np.median(np.abs(peaks - laps.tuning.centre)) < 1
    longer = simulate_place_cells(seed=1, n_laps=400)
    decoder = PlaceCellDecoder(smoothing=0.0).fit(longer)
    truth = longer.tuning.rates(decoder.centres) * longer.bin_width
    assert np.corrcoef(truth.ravel(), decoder.fields.ravel())[0, 1] ** 2 > 0.95


def test_the_same_seed_gives_the_same_recording():
    one, two = simulate_place_cells(seed=5, n_laps=3), simulate_place_cells(seed=5, n_laps=3)
    assert np.array_equal(one.spikes, two.spikes) and np.array_equal(one.kinematics, two.kinematics)
    assert not np.array_equal(one.tuning.centre, simulate_place_cells(seed=6, n_laps=3).tuning.centre)


def test_bad_sizes_are_said_in_words():
    with pytest.raises(ValueError, match="n_laps must be at least 1, got 0"):
        simulate_place_cells(seed=0, n_laps=0)
    with pytest.raises(ValueError, match="must be positive"):
        simulate_place_cells(seed=0, bin_width=0)


# Bayes' rule


def brute_force(decoder, spikes, both_ways):
    """Sum over every path of places: what the recursion must equal."""
    import itertools

    T, K = len(spikes), decoder.places
    likelihood = np.array(
        [
            [np.prod(decoder.fields[k] ** y * np.exp(-decoder.fields[k])) ** decoder.trust for k in range(K)]
            for y in spikes
        ]
    )
    belief = np.zeros((T, K))
    for t in range(T):
        last = T - 1 if both_ways else t
        for path in itertools.product(range(K), repeat=last + 1):
            p = decoder.occupancy[path[0]] * likelihood[0, path[0]]
            for s in range(1, last + 1):
                p *= decoder.steps[path[s - 1], path[s]] * likelihood[s, path[s]]
            belief[t, path[t]] += p
    return belief / belief.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("both_ways", [False, True])
def test_the_recursion_is_the_sum_over_all_paths(laps, both_ways):
    few = dataclasses.replace(laps, spikes=laps.spikes[:, :5])
    decoder = PlaceCellDecoder(places=4, trust=0.6, both_ways=both_ways).fit(few)
    part = select(few, [2])
    short = dataclasses.replace(part, spikes=part.spikes[20:25], kinematics=part.kinematics[20:25])
    expected = brute_force(decoder, short.spikes, both_ways)
    np.testing.assert_allclose(decoder.belief(short), expected, atol=1e-12)


def test_a_window_holds_the_last_bins_only(laps, halves):
    decoder = PlaceCellDecoder(window=3).fit(halves[0])
    test = halves[1]
    log = test.spikes @ np.log(decoder.fields.T) - decoder.fields.sum(axis=1)
    for t in (0, 1, 50):
        p = decoder.occupancy * np.exp(log[max(0, t - 2) : t + 1].sum(axis=0))
        np.testing.assert_allclose(decoder.belief(test)[t], p / p.sum(), atol=1e-12)


def test_maps_are_counts_over_time_spent(laps):
    decoder = PlaceCellDecoder(smoothing=0.0).fit(laps)
    here = laps.kinematics[:, 0] == decoder.centres[7]
    mean = laps.spikes.mean(axis=0)
    expected = (laps.spikes[here].sum(axis=0) + mean) / (here.sum() + 1)
    np.testing.assert_allclose(decoder.fields[7], expected)


@pytest.mark.parametrize("window", [None, 8])
def test_bin_by_bin_equals_all_at_once(halves, window):
    decoder, test = PlaceCellDecoder(window=window).fit(halves[0]), halves[1]
    state, decoded = None, []
    for counts in test.spikes[:150]:
        output, state = decoder.step(counts, state)
        decoded.append(output)
    np.testing.assert_allclose(decoded, decoder.predict(test)[:150], atol=1e-9)


def test_later_bins_help_and_are_not_for_streaming(halves):
    now, offline = (PlaceCellDecoder(both_ways=b).fit(halves[0]) for b in (False, True))
    assert (
        score(offline, halves[1]) > score(now, halves[1]) > score(WienerFilter(10).fit(halves[0]), halves[1])
    )
    with pytest.raises(ValueError, match="bin by bin"):
        offline.step(halves[1].spikes[0])


def test_only_the_offline_decoder_hears_the_future(halves):
    test = halves[1]
    spikes = test.spikes.copy()
    spikes[60:] = 0
    changed = dataclasses.replace(test, spikes=spikes)
    now, offline = (PlaceCellDecoder(both_ways=b).fit(halves[0]) for b in (False, True))
    assert np.array_equal(now.predict(test)[:60], now.predict(changed)[:60])
    assert np.abs(offline.predict(test)[:60] - offline.predict(changed)[:60]).max() > 1e-6


def test_a_silent_cell_and_a_place_never_visited_do_no_harm(halves):
    spikes = halves[0].spikes.copy()
    spikes[:, 2] = 0
    decoder = PlaceCellDecoder(places=37).fit(dataclasses.replace(halves[0], spikes=spikes))
    assert np.isfinite(decoder.predict(halves[1])).all()


def test_bad_settings_and_two_outputs_are_said_in_words(laps):
    with pytest.raises(ValueError, match="places ≥ 2"):
        PlaceCellDecoder(places=1)
    with pytest.raises(ValueError, match="leave out both_ways"):
        PlaceCellDecoder(window=3, both_ways=True)
    with pytest.raises(ValueError, match="got 2 outputs"):
        PlaceCellDecoder().fit(simulate_motor(seed=0, n_reaches=4))
    with pytest.raises(ValueError, match="not been fitted"):
        PlaceCellDecoder().predict(laps)


# The Wiener cascade


def test_the_cascade_undoes_a_bend():
    """Output is a cubic of a linear filter of the input: the cascade finds it, the filter alone does not."""
    rng = np.random.default_rng(0)
    z = rng.normal(size=(3000, 5))
    linear = z @ rng.normal(size=5)
    bent = (linear - 0.3 * linear**2 + 0.2 * linear**3)[:, np.newaxis]
    starts = np.arange(0, 3000, 100)
    made = Recording(z, bent, 0.05, starts, np.zeros(30, int), "bent", ("x",), ("1",))
    train, test = select(made, range(24)), select(made, range(24, 30))
    cascade = WienerCascade(1, 1, 1.0, degree=3).fit(train)
    assert score(cascade, test) > 0.97 > 0.9 > score(WienerFilter(1, 1, 1.0).fit(train), test)


def test_the_cascade_is_flat_beyond_what_it_saw(halves):
    cascade = WienerCascade(5, degree=5).fit(halves[0])
    low, high = cascade.curves[0].domain
    inside = cascade._bend(np.array([[low], [high]]))
    np.testing.assert_array_equal(cascade._bend(np.array([[low - 100], [high + 100]])), inside)


def test_the_cascade_streams(halves):
    cascade, test = WienerCascade(5, 2).fit(halves[0]), halves[1]
    state, decoded = None, []
    for counts in test.spikes[:60]:
        output, state = cascade.step(counts, state)
        decoded.append(output)
    np.testing.assert_allclose(decoded, cascade.predict(test)[:60], atol=1e-9)


def test_the_curve_is_fitted_to_held_out_answers():
    train = simulate_motor(seed=0, n_reaches=8, n_cells=40)
    cascade = WienerCascade(4, penalty=0.1)
    held_out = cascade._held_out(train)
    seen = WienerFilter(4, penalty=0.1).fit(train).predict(train)
    error = [((answer - train.kinematics) ** 2).mean() for answer in (held_out, seen)]
    assert error[0] > 2 * error[1]  # what a filter has seen it answers too well
    with pytest.raises(ValueError, match="degree 1 or more"):
        WienerCascade(degree=0)


# Both directions


def test_a_bidirectional_network_reads_the_future_within_its_stretch_only(laps):
    decoder = RecurrentDecoder("gru", hidden_size=8, epochs=3, bidirectional=True).fit(
        select(laps, range(15))
    )
    test = select(laps, [20, 21])
    spikes = test.spikes.copy()
    spikes[test.stops[0] - 1] += 3
    changed = np.abs(decoder.predict(dataclasses.replace(test, spikes=spikes)) - decoder.predict(test))[:, 0]
    assert changed[0] > 0 and (changed[test.starts[1] :] == 0).all()
    alone = [decoder.predict(select(laps, [lap])) for lap in (20, 21)]
    np.testing.assert_allclose(np.concatenate(alone), decoder.predict(test), atol=1e-10)
    with pytest.raises(ValueError, match="bins to come"):
        decoder.step(test.spikes[0])
    with pytest.raises(ValueError, match="no future"):
        RecurrentDecoder(history=4, bidirectional=True)


# Stretches that run on, and the clock


def test_reaches_that_follow_each_other_become_one_stretch(laps):
    part = carry_on(laps, [3, 4, 5, 9, 10])
    first = (laps.stops - laps.starts)[3:6].sum()
    assert part.starts.tolist() == [0, first]
    assert np.array_equal(part.spikes, laps.spikes[bins_of(laps, [3, 4, 5, 9, 10])])
    pieces = carry_on(laps, [3, 4, 5, 9, 10], length=50)
    assert set(part.starts) <= set(pieces.starts)
    lengths = pieces.stops - pieces.starts
    assert lengths.min() >= 25 and lengths.max() < 75
    with pytest.raises(ValueError, match="length counts bins"):
        carry_on(laps, [0], length=0)


def test_the_clock_is_caught_and_stretches_that_run_on_pass(laps):
    with pytest.raises(LeakError, match=r"R² = 0\.\d\d: .* carry_on"):
        check_clock(laps)
    check_clock(carry_on(laps, range(30), length=100))
    check_clock(carry_on(laps, range(30)))
    check_clock(simulate_motor(seed=1))


def test_the_clock_is_the_mean_by_time_since_the_border():
    position = np.array([1.0, 2, 3, 1, 4, 5, 7])[:, np.newaxis]
    made = Recording(np.zeros((7, 1)), position, 1.0, np.array([0, 3]), np.zeros(2, int), "two laps")
    decoded = Clock().fit(made).predict(made)[:, 0]
    assert decoded.tolist() == [1, 3, 4, 1, 3, 4, 7]
    with pytest.raises(ValueError, match="not been fitted"):
        Clock().predict(made)


def test_a_network_that_hears_nothing_decodes_by_the_clock(laps):
    deaf = dataclasses.replace(laps, spikes=np.zeros((laps.n_bins, 1)))
    fold = contiguous_folds(laps.starts, laps.n_bins, 3, guard=20)[1]
    small = RecurrentDecoder("gru", hidden_size=16, epochs=60)
    reset = small.fit(select(deaf, fold.train))
    assert score(reset, select(deaf, fold.test)) > 0.7
    carried = small.fit(carry_on(deaf, fold.train, 100))
    assert score(carried, carry_on(deaf, fold.test)) < 0.1
    assert clock(laps) > 0.7
