"""Simulated calcium against quadrature, its own formulas and the container of the real recordings."""

import numpy as np
import pytest
from gatedrnn.datasets import CalciumRecording, Kinetics, simulate_calcium


def test_frames_are_the_mean_light_of_their_exposure():
    recording = simulate_calcium(seed=4, duration=6.0, rate=3.0, rise=0.03, decay=0.5)
    fine = 200
    time = (np.arange(300 * fine) + 0.5) / (50 * fine)
    answers = recording.kinetics.response(time - recording.spike_times[:, np.newaxis])
    means = answers.sum(axis=0).reshape(300, fine).mean(axis=1)
    np.testing.assert_allclose(recording.clean, means, atol=1e-6)


def test_one_spike_peaks_at_the_amplitude_when_the_formula_says():
    kinetics = Kinetics(rise=0.05, decay=0.4, amplitude=0.2)
    time = np.linspace(0, 2, 200_001)
    response = kinetics.response(time)
    assert response.max() == pytest.approx(0.2, rel=1e-8)
    assert time[response.argmax()] == pytest.approx(kinetics.peak_time, abs=1e-5)
    assert not kinetics.response(np.array([-1.0, -1e-9])).any()


def test_what_comes_late_decays_with_the_slower_time_constant():
    kinetics = Kinetics(rise=0.05, decay=0.4, amplitude=0.2)
    assert kinetics.response(2.4) / kinetics.response(2.0) == pytest.approx(np.exp(-1), rel=1e-6)


def test_it_is_a_calcium_recording_whose_bins_hold_every_spike():
    recording = simulate_calcium(seed=0, duration=20.0, rate=5.0)
    assert isinstance(recording, CalciumRecording)
    assert recording.frame_rate == pytest.approx(50)
    assert (np.diff(recording.spike_times) >= 0).all()
    binned = recording.binned(50)
    assert binned.spikes.sum() == len(recording.spike_times)
    np.testing.assert_allclose(binned.fluorescence, recording.fluorescence)


def test_rate_noise_and_seed_are_what_was_asked_for():
    recording = simulate_calcium(seed=1, duration=1000.0, rate=2.0, noise=0.1)
    assert len(recording.spike_times) == pytest.approx(2000, abs=4 * np.sqrt(2000))
    residual = recording.fluorescence - recording.clean
    assert residual.std() == pytest.approx(0.1, rel=0.03)
    again = simulate_calcium(seed=1, duration=1000.0, rate=2.0, noise=0.1)
    np.testing.assert_array_equal(again.fluorescence, recording.fluorescence)
    other = simulate_calcium(seed=2, duration=1000.0, rate=2.0, noise=0.1)
    assert not np.array_equal(other.fluorescence, recording.fluorescence)


def test_the_mean_light_is_the_rate_times_the_area_of_one_answer():
    recording = simulate_calcium(seed=3, duration=2000.0, rate=2.0, noise=0.0)
    kinetics = recording.kinetics
    area = kinetics.scale * (kinetics.decay - kinetics.rise)
    assert recording.clean[500:].mean() == pytest.approx(2.0 * area, rel=0.05)


def test_no_spikes_and_no_noise_is_darkness():
    recording = simulate_calcium(seed=0, duration=2.0, rate=0.0, noise=0.0)
    assert not recording.fluorescence.any() and len(recording.spike_times) == 0


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"rise": 0.4, "decay": 0.4}, "0 < rise < decay"),
        ({"rise": 0.0}, "0 < rise < decay"),
        ({"duration": 0.01}, "two frames or more"),
        ({"frame_rate": 0.0}, "two frames or more"),
        ({"rate": -1.0}, "cannot be negative"),
        ({"noise": -0.1}, "cannot be negative"),
    ],
)
def test_impossible_numbers_are_named(settings, words):
    with pytest.raises(ValueError, match=words):
        simulate_calcium(seed=0, **settings)


def test_movements_take_light_and_leave_spikes_and_noise_alone():
    still = simulate_calcium(seed=5, duration=300.0, noise=0.05)
    shaky = simulate_calcium(seed=5, duration=300.0, noise=0.05, motion=0.2, depth=0.3)
    np.testing.assert_array_equal(shaky.spike_times, still.spike_times)
    np.testing.assert_array_equal(shaky.clean, still.clean)
    taken = still.fluorescence - shaky.fluorescence
    np.testing.assert_allclose(taken, shaky.lost * (1 + shaky.clean), atol=1e-12)
    assert not still.lost.any() and 0 < shaky.lost.max() < 0.6


def test_movements_are_as_frequent_as_long_and_as_deep_as_asked_for():
    recording = simulate_calcium(seed=6, duration=4000.0, rate=0.0, noise=0.0, motion=0.1, depth=0.2)
    edges = np.diff(np.r_[0.0, recording.lost > 0, 0.0])
    begins, ends = np.flatnonzero(edges > 0), np.flatnonzero(edges < 0)
    assert len(begins) == pytest.approx(400, abs=4 * np.sqrt(400))
    lasts = (ends - begins) / 50
    assert lasts.min() >= 0.18 and np.mean(lasts) == pytest.approx(0.55, abs=0.06)
    assert recording.lost[recording.lost > 0].mean() == pytest.approx(0.2, abs=0.03)


def test_impossible_movements_are_named():
    with pytest.raises(ValueError, match=r"depth < 0\.5"):
        simulate_calcium(seed=0, motion=0.1, depth=0.5)
    with pytest.raises(ValueError, match="motion ≥ 0"):
        simulate_calcium(seed=0, motion=-0.1)


def test_a_stretch_keeps_clock_spikes_and_name():
    whole = simulate_calcium(seed=7, duration=20.0, rate=3.0)
    part = whole.between(5.0, 15.0)
    assert part.neuron == whole.neuron and part.time[0] == 5.0 and part.time[-1] < 15.0
    expected = whole.spike_times[(whole.spike_times >= 5) & (whole.spike_times < 15)]
    np.testing.assert_array_equal(part.spike_times, expected)
    np.testing.assert_array_equal(part.binned(50).spikes, whole.binned(50).spikes[250:750])
    with pytest.raises(ValueError, match="two frames or more"):
        whole.between(30, 40)


def test_a_stretch_keeps_the_gaps_within_it():
    whole = simulate_calcium(seed=7, duration=20.0)
    kept = np.r_[0:300, 400:1000]
    gappy = CalciumRecording(
        whole.time[kept], whole.fluorescence[kept], whole.spike_times, np.array([0, 300]), "gappy (2)"
    )
    assert gappy.between(4, 12).starts.tolist() == [0, 100] and gappy.neuron == "gappy"
    assert gappy.between(8, 12).starts.tolist() == [0]
