"""Reading spikes from light: exact deconvolution, decoders that see what they may, splits without a leak."""

import dataclasses

import numpy as np
import pytest
from gatedrnn import decoders
from gatedrnn.datasets import CalciumRecording, simulate_calcium
from gatedrnn.datasets.calcium import BinnedCalcium
from scipy.optimize import nnls


def cell(seed=0, duration=60.0, **settings):
    return simulate_calcium(seed, duration, frame_rate=30.0, **settings)


def binned(seeds, **settings):
    return [cell(seed, **settings).binned(30) for seed in seeds]


# --- deconvolution


@pytest.mark.parametrize("penalty", [0.0, 0.4])
@pytest.mark.parametrize("kept", [0.3, 0.9, 0.98])
def test_deconvolution_is_the_non_negative_least_squares_answer(kept, penalty):
    light = np.random.default_rng(3).normal(0.2, 0.5, size=60)
    lags = np.subtract.outer(np.arange(60), np.arange(60))
    response = np.where(lags >= 0, kept ** np.maximum(lags, 0.0), 0.0)
    # the penalty as part of the light: ½|Rs − F|² + λ Σs = ½|Rs − (F − R⁻ᵀ λ1)|² + a constant
    target = light - np.linalg.solve(response.T, np.full(60, penalty))
    expected, _ = nnls(response, target)
    np.testing.assert_allclose(decoders.deconvolve(light, kept, penalty), expected, atol=1e-9)


def test_deconvolution_finds_the_spikes_of_its_own_model_exactly():
    jumps = np.random.default_rng(0).poisson(0.1, size=500).astype(float)
    light = np.zeros(500)
    for t in range(500):
        light[t] = jumps[t] + 0.95 * light[t - 1] if t else jumps[t]
    np.testing.assert_allclose(decoders.deconvolve(light, 0.95), jumps, atol=1e-9)
    np.testing.assert_array_equal(decoders.deconvolve(-np.ones(5), 0.5), np.zeros(5))
    assert len(decoders.deconvolve(np.array([]), 0.5)) == 0


@pytest.mark.parametrize(("kept", "penalty"), [(0.0, 0.0), (1.0, 0.0), (0.5, -1.0)])
def test_impossible_deconvolutions_are_named(kept, penalty):
    with pytest.raises(ValueError, match="0 < kept < 1 and penalty"):
        decoders.deconvolve(np.ones(4), kept, penalty)


# --- decoders

SIMPLE = [
    decoders.LightDecoder(),
    decoders.RectifiedDerivative(2, 1.0),
    decoders.LightFilter(0.5, 0.0),
    decoders.LightFilter(0.5, 1.0, squash=True),
    decoders.Deconvolution(0.5, 1.0),
]
NETWORK = {"hidden_size": 8, "steps": 6, "batch_size": 4}


@pytest.mark.parametrize("decoder", SIMPLE, ids=repr)
def test_the_total_of_the_training_spikes_is_right(decoder):
    train = binned(range(3))
    decoder = dataclasses.replace(decoder).fit(train)
    predicted = sum(decoder.predict(one).sum() / 30 for one in train)
    assert predicted == pytest.approx(sum(one.spikes.sum() for one in train), rel=1e-9)
    assert (decoder.predict(train[0]) >= 0).all()


ALL = [
    *SIMPLE,
    decoders.SpikeNetwork(**NETWORK),
    decoders.SpikeNetwork(**NETWORK, lag=0.1),
    decoders.SpikeNetwork(**NETWORK, bidirectional=True, cell="gru"),
    decoders.SpikeNetwork(**NETWORK, rise=False, cell="rnn"),
]
SEES_AHEAD = [0, 0, 0, 30, None, 0, 3, None, 0]  # bins; None: all


@pytest.mark.parametrize(("decoder", "ahead"), list(zip(ALL, SEES_AHEAD, strict=True)), ids=map(repr, ALL))
def test_a_decoder_looks_just_as_far_ahead_as_it_says(decoder, ahead):
    """Change the light after a bin: predictions up to `ahead` bins before the change must not move."""
    decoder = dataclasses.replace(decoder).fit(binned(range(3)))
    (whole,) = binned([7])
    changed = whole._replace(fluorescence=whole.fluorescence.copy())
    changed.fluorescence[901:] += 0.7 + np.arange(899) / 500
    level = decoders.noise_level(whole.fluorescence)
    assert decoders.noise_level(changed.fluorescence) == pytest.approx(level, rel=0.05)
    # every frame moves by a constant or a slow ramp, so the noise level is all but the same
    moved = np.abs(decoder.predict(changed) - decoder.predict(whole))
    if ahead is None:
        assert moved[:901].max() > 1e-6
    else:
        early = moved[: 901 - ahead]
        assert early.max() < 0.05 * max(1.0, moved.max()) and moved[901 - ahead :].max() > 10 * early.max()


@pytest.mark.parametrize("decoder", ALL, ids=map(repr, ALL))
def test_no_decoder_looks_across_a_gap(decoder):
    decoder = dataclasses.replace(decoder).fit(binned(range(3)))
    (one,) = binned([7])
    joined = one._replace(starts=np.array([0, 900]))
    other = joined._replace(fluorescence=joined.fluorescence.copy())
    other.fluorescence[900:] = other.fluorescence[900:][::-1]  # other light behind the gap, the same noise
    a, b = decoder.predict(joined)[:890], decoder.predict(other)[:890]
    np.testing.assert_allclose(a, b, rtol=0.02, atol=0.02)


@pytest.mark.parametrize("decoder", ALL, ids=map(repr, ALL))
def test_predictions_together_are_predictions_one_by_one(decoder):
    decoder = dataclasses.replace(decoder).fit(binned(range(3)))
    several = binned([7, 8]) + binned([9], duration=20.0)
    several[0] = several[0]._replace(starts=np.array([0, 600]))
    for one, rate in zip(several, decoder.predict_each(several), strict=True):
        np.testing.assert_allclose(rate, decoder.predict(one), rtol=1e-9, atol=1e-12)


def test_a_network_is_the_same_from_the_same_seed_and_another_from_another():
    train, (test,) = binned(range(3)), binned([7])
    first, again, other = (
        decoders.SpikeNetwork(**NETWORK, seed=seed, jitter=0.1).fit(train).predict(test) for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(first, again)
    assert not np.allclose(first, other)


def test_a_trained_network_reads_spikes_and_their_number():
    train, test = binned(range(4), noise=0.02, amplitude=0.4), binned([7, 8], noise=0.02, amplitude=0.4)
    network = decoders.SpikeNetwork(lag=0.1, steps=120, batch_size=16).fit(train)
    for one, rate in zip(test, network.predict_each(test), strict=True):
        assert decoders.correlation(one, rate, 0.2) > 0.9
        assert decoders.rate_ratio(one, rate) == pytest.approx(1, abs=0.35)


def test_what_does_not_fit_is_said_in_words():
    train = binned(range(2))
    with pytest.raises(ValueError, match="one bin width"):
        decoders.LightDecoder().fit([train[0], cell(3).binned(10)])
    with pytest.raises(ValueError, match="no recording"):
        decoders.LightDecoder().fit([])
    for decoder in (decoders.Deconvolution(), decoders.SpikeNetwork(**NETWORK)):
        with pytest.raises(ValueError, match="call fit"):
            decoder.predict(train[0])
        with pytest.raises(ValueError, match="bin the recording at the same rate"):
            decoder.fit(train).predict(cell(3).binned(10))
    with pytest.raises(ValueError, match="lag of at most 64 bins"):
        decoders.SpikeNetwork(lag=3.0).fit(train)
    with pytest.raises(ValueError, match="128 bins or more"):
        decoders.SpikeNetwork().fit(binned(range(2), duration=3.0))
    with pytest.raises(ValueError, match="a cell among"):
        decoders.SpikeNetwork(cell="transformer")
    with pytest.raises(ValueError, match="needs rise=True"):
        decoders.SpikeNetwork(lag=0.1, rise=False)


# --- scores


def test_correlation_depends_on_the_width_and_not_on_the_size():
    (one,) = binned([1], rate=3.0)
    late = np.roll(one.spikes, 3).astype(float)
    narrow, wide = (decoders.correlation(one, late, width) for width in (0.05, 0.5))
    assert narrow < 0.6 < 0.95 < wide
    assert decoders.correlation(one, 7 * late, 0.5) == pytest.approx(wide)
    assert decoders.rate_ratio(one, 2.0 * one.spikes * 30) == pytest.approx(2)
    silent = one._replace(spikes=np.zeros_like(one.spikes))
    assert np.isnan(decoders.correlation(silent, late, 0.2)) and np.isnan(decoders.rate_ratio(silent, late))


def test_smoothing_stays_within_a_stretch():
    recording = BinnedCalcium(np.zeros(60), np.zeros(60, int), 1 / 30, np.array([0, 30]))
    values = np.r_[np.zeros(30), 1.0, np.zeros(29)]
    assert not decoders.smoothed(recording, values, 0.2)[:30].any()
    with pytest.raises(ValueError, match="each of 60 bins"):
        decoders.smoothed(recording, values[:-1], 0.2)


# --- splits


def several(neurons, each):
    """Recordings of some neurons, several of each, named as the loader names the entries of a file."""
    return [
        dataclasses.replace(cell(10 * n + k, duration=5.0), name=f"file {n} ({k + 1})")
        for n in range(neurons)
        for k in range(each)
    ]


def test_folds_keep_the_recordings_of_a_neuron_together_and_pass_the_check():
    recordings = several(5, 2)
    folds = decoders.neuron_folds(recordings, 3)
    assert sorted(np.concatenate([fold.test for fold in folds])) == list(range(10))
    for fold in folds:
        assert sorted([*fold.train, *fold.test]) == list(range(10))
        decoders.check_neurons([recordings[k] for k in fold.train], [recordings[k] for k in fold.test])
    with pytest.raises(ValueError, match="5 neurons"):
        decoders.neuron_folds(recordings, 6)


def test_the_leak_is_refused_under_one_name_and_under_two():
    recordings = several(3, 2)
    with pytest.raises(decoders.LeakError, match="1 neuron is on both sides, first 'file 1'"):
        decoders.check_neurons(recordings[:3], recordings[3:])
    one = recordings[0]
    copy = dataclasses.replace(one.between(2, 4), name="another")
    with pytest.raises(decoders.LeakError, match="hold the same light"):
        decoders.check_neurons([one], [copy])
    flat = CalciumRecording(np.arange(99) / 30, np.zeros(99), np.array([]), np.array([0]), "flat")
    decoders.check_neurons([flat], [dataclasses.replace(flat, name="also flat")])  # silence is not a leak
