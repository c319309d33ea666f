"""Chapter 1 says what is true: its numbers against formulas and against second ways to compute them.

The chapter is executed once; each test compares what it would print with a result derived here.
"""

from pathlib import Path

import numpy as np
import pytest
from gatedrnn import dynamics
from gatedrnn.cells import Parameters
from scipy.optimize import brentq, fsolve, minimize_scalar

ROOT = Path(__file__).resolve().parent.parent
CHAPTER = ROOT / "chapters" / "principles" / "01-machine-with-memory.md"
DT = 0.005
TIME = DT * np.arange(200)
TARGETS = {
    "oscillation": np.exp(-TIME / 0.25) * np.cos(2 * np.pi * 8 * TIME),
    "transient": np.exp(-((TIME - 0.3) ** 2) / (2 * 0.06**2)),
}


# One leaky number


@pytest.mark.notebook
def test_different_pasts_meet_and_stay_together(said):
    assert said["merge_gap"] < 1e-14


@pytest.mark.notebook
def test_time_constants(said):
    assert said["tau_membrane"] == pytest.approx(7 / np.log(2), rel=1e-12)
    for name, f in {"tau_half": 0.5, "tau_90": 0.9, "tau_99": 0.99}.items():
        assert np.exp(-1 / said[name]) == pytest.approx(f, rel=1e-12)
    assert np.exp(-DT / 0.375) == pytest.approx(said["ring_radius"])


@pytest.mark.notebook
def test_measured_time_constant_agrees_within_its_spread(said):
    assert abs(said["tau_measured"] - said["tau_membrane"]) < said["tau_spread"]
    # What a line through logarithms should scatter: noise of 0.02 on f^k is 0.02 / f^k on its logarithm.
    k, f = np.arange(20), 0.5 ** (1 / 7)
    centred = k - k.mean()
    slope_error = np.sqrt(np.sum((centred * 0.02 / f**k) ** 2)) / np.sum(centred**2)
    assert said["tau_spread"] == pytest.approx(slope_error * said["tau_membrane"] ** 2, rel=0.15)
    assert 195 <= said["below_zero"] <= 200


# The network of two units


def two_units():
    W, bias = np.array([[0.9, -0.4], [0.4, 0.9]]), np.array([0.1, 0.0])
    h = fsolve(lambda h: np.tanh(W @ h + bias) - h, np.zeros(2), xtol=1e-14)
    return h, np.diag(1 - h**2) @ W


@pytest.mark.notebook
def test_fixed_point(said):
    h, _ = two_units()
    assert [said["rest_1"], said["rest_2"]] == pytest.approx(h, abs=1e-10)
    assert said["rest_moves"] < 1e-15


@pytest.mark.notebook
def test_modes_of_the_jacobian_from_its_trace_and_determinant(said):
    _, J = two_units()
    radius = np.sqrt(np.linalg.det(J))  # of a complex pair: det J = r², tr J = 2 r cos θ
    angle = np.arccos(np.trace(J) / 2 / radius)
    assert said["pair_tau"] == pytest.approx(-1000 * DT / np.log(radius), rel=1e-9)
    assert said["pair_nu"] == pytest.approx(angle / (2 * np.pi * DT), rel=1e-9)
    assert said["pair_tau_seen"] == pytest.approx(said["pair_tau"], rel=0.002)
    assert said["pair_nu_seen"] == pytest.approx(said["pair_nu"], rel=0.002)


@pytest.mark.notebook
def test_the_forecast_error_falls_with_the_kick(said):
    errors = np.array([said[f"kick_error_{kick}"] for kick in ("1", "01", "001", "0001")])
    ratios = errors[:-1] / errors[1:]
    assert ((ratios > 8) & (ratios < 13)).all()
    assert ratios[-1] == pytest.approx(10, rel=0.05)


@pytest.mark.notebook
def test_modes_add_up_to_the_response(said):
    assert said["sum_gap"] < 1e-12


# Units against shapes


def best_single_mode(target):
    """The least error of c λ^k over λ, found by a search that knows nothing of realisations."""

    def error(kept):
        echo = kept ** np.arange(len(target))
        return np.linalg.norm(target - echo * (echo @ target) / (echo @ echo)) / np.linalg.norm(target)

    near = min(np.linspace(-0.99, 0.99, 100), key=error)
    return minimize_scalar(error, bounds=(near - 0.02, near + 0.02), method="bounded").fun


@pytest.mark.notebook
def test_no_single_mode_beats_what_the_page_calls_the_best(said):
    assert said["single_best"] == pytest.approx(best_single_mode(TARGETS["oscillation"]), abs=1e-4)
    assert said["matched_oscillation_1"] >= said["single_best"] > 0.8
    assert 0 <= said["matched_transient_1"] - best_single_mode(TARGETS["transient"]) < 0.02


@pytest.mark.notebook
def test_matched_errors(said):
    assert said["matched_exact"] < 1e-11
    errors = [said[f"matched_transient_{n}"] for n in (1, 2, 4, 8, 16)]
    assert errors == sorted(errors, reverse=True)
    assert errors[2] > 0.1 and errors[3] < 0.01 and errors[4] < 1e-5


@pytest.mark.notebook
def test_random_networks_are_what_the_page_says(said):
    errors, fastest = [], 0
    for seed in range(20):
        rng = np.random.default_rng(seed)
        W = 0.9 * np.eye(16) + 0.1 * 0.9 * rng.normal(size=(16, 16)) / 4
        U = rng.normal(size=16)
        h = np.stack([np.linalg.matrix_power(W, k) @ U for k in range(200)])
        left, _, _ = np.linalg.svd(h, full_matrices=False)
        target = TARGETS["oscillation"]
        errors.append(np.linalg.norm(target - left @ (left.T @ target)) / np.linalg.norm(target))
        fastest = max(fastest, np.abs(np.angle(np.linalg.eigvals(W))).max() / (2 * np.pi * DT))
    assert said["random_oscillation_16"] == pytest.approx(np.median(errors), rel=1e-3)
    assert said["random_oscillation_low"] == pytest.approx(np.quantile(errors, 0.1), rel=1e-3)
    assert said["random_oscillation_high"] == pytest.approx(np.quantile(errors, 0.9), rel=1e-3)
    assert said["random_fastest"] == pytest.approx(fastest, rel=1e-6)
    assert said["random_transient_16"] < 0.1 < 0.9 < said["random_transient_1"]


@pytest.mark.notebook
def test_untrained_networks_forget_at_once(said):
    slowest = []
    for seed in range(20):
        W = Parameters.initial("rnn", 1, 16, np.random.default_rng(seed)).weight_hh
        slowest.append(-1 / np.log(np.abs(np.linalg.eigvals(W)).max()))
    assert said["untrained_middle"] == pytest.approx(np.median(slowest))
    assert (said["untrained_low"], said["untrained_high"]) == pytest.approx((min(slowest), max(slowest)))


@pytest.mark.notebook
def test_small_pulses_feel_only_the_cube(said):
    assert said["tanh_loss_001"] / said["tanh_loss_0001"] == pytest.approx(100, rel=0.05)
    assert said["tanh_loss_1"] > 10 and said["tanh_loss_0001"] < 0.01


# Spikes


def mean_counts():
    t = DT * np.arange(600)
    rate = np.full(600, 5.0)
    steady, rhythm = (t >= 0.5) & (t < 1.25), (t >= 1.75) & (t < 2.5)
    rate[steady] = 30
    rate[rhythm] = 30 * (1 + np.cos(2 * np.pi * 8 * t[rhythm]))
    return t, 20 * DT * rate


@pytest.mark.notebook
def test_the_integrator_holds_what_a_leak_of_twenty_seconds_leaves(said):
    _, counts = mean_counts()
    left = np.exp(-DT / 20) ** np.arange(599, -1, -1)
    assert said["count_kept"] == pytest.approx(100 * (counts @ left) / counts.sum(), abs=0.1)
    # Independent counts: the correlation of their sum with a weighted sum.
    expected = (counts @ left) / np.sqrt(counts.sum() * (counts @ left**2))
    assert 1 - said["count_correlation"] == pytest.approx(1 - expected, rel=0.5)


@pytest.mark.notebook
def test_the_oscillator_prefers_the_rhythm(said):
    t, counts = mean_counts()
    turn = np.exp(-DT / 0.3 + 2j * np.pi * 8 * DT)
    driven, variance = np.zeros(600, complex), np.zeros(600)
    for k in range(600):
        driven[k] = turn * driven[k - 1] + counts[k]
        variance[k] = abs(turn) ** 2 * variance[k - 1] + counts[k]
    # Mean square of the envelope: what the rate does, plus what the scatter of the counts does.
    square = np.abs(driven) ** 2 + variance
    rhythm = square[(t >= 2.125) & (t < 2.5)].mean()
    steady = square[(t >= 0.875) & (t < 1.25)].mean()
    assert said["ring_ratio"] == pytest.approx(np.sqrt(rhythm / steady), rel=0.15)
    assert said["ring_trials"] == 50


@pytest.mark.notebook
def test_the_forgetful_mode_is_back_at_rest(said):
    assert abs(said["forget_left"]) < 3 * said["forget_error"] < 10


# tanh


@pytest.mark.notebook
def test_time_constant_falls_with_amplitude(said):
    for name, h in {"tau_low": 0.01, "tau_tenth": 0.1, "tau_top": 1.0}.items():
        assert said[name] == pytest.approx(1 / (np.log(h) - np.log(np.tanh(0.99 * h))), rel=1e-9)


@pytest.mark.notebook
def test_time_constant_falls_with_a_constant_input(said):
    for name, drive in {
        "tau_undriven": 1e-4,
        "tau_driven": said["drive"],
        "tau_driven_hard": said["drive_hard"],
    }.items():
        h = brentq(lambda h, drive=drive: np.tanh(0.99 * h + drive) - h, 0, 1, xtol=1e-15)
        assert said[name] == pytest.approx(-1 / np.log(0.99 * (1 - h**2)), rel=1e-3)


@pytest.mark.notebook
def test_counting_fails_when_the_units_saturate(said):
    correlations = [said[f"gain_{i}"] for i in (1, 2, 3, 4)]
    assert correlations == sorted(correlations, reverse=True)
    assert correlations[0] == pytest.approx(said["count_correlation"])
    assert correlations[3] < 0.5


# Where the picture breaks


@pytest.mark.notebook
def test_growth_before_decay(said):
    k = np.arange(60)
    size = np.hypot(2 * (0.9**k - 0.8**k) / 0.1, 0.8**k)  # W^k of [[0.9, 2], [0, 0.8]], second column
    assert said["transient_peak"] == pytest.approx(size.max(), rel=1e-12)
    assert said["transient_step"] == size.argmax()


@pytest.mark.notebook
def test_twins_part_in_chaos_and_meet_in_silence(said):
    assert 1 < said["chaos_low"] <= said["chaos_high"] < said["chaos_linear"]
    assert said["chaos_linear"] == pytest.approx(3.0, rel=0.1)  # the circular law
    assert said["quiet_low"] <= said["quiet_high"] < 1
    assert said["quiet_high"] == pytest.approx(0.8, rel=0.1)


def test_two_membranes_in_series_make_an_alpha_function():
    """The answer to question 2."""
    f = 0.9
    echo = dynamics.impulse_response(np.array([[f, 0], [1, f]]), np.array([1.0, 0]), np.array([0, 1.0]), 80)
    k = np.arange(80)
    np.testing.assert_allclose(echo, k * f ** (k - 1.0), atol=1e-12)
    assert abs(echo.argmax() - dynamics.time_constant(f)) <= 1
    assert np.isnan(dynamics.eigenmodes(np.array([[f, 0], [1, f]])).left).all()


def test_doubling_the_units_leaves_a_fresh_network_as_forgetful_as_it_was():
    """The answer to question 3."""
    slowest = {}
    for size in (64, 128):
        rngs = [np.random.default_rng(seed) for seed in range(10)]
        draws = [Parameters.initial("rnn", 1, size, rng).weight_hh for rng in rngs]
        slowest[size] = np.median([dynamics.eigenmodes(W).decay_time[0] for W in draws])
    assert slowest[128] == pytest.approx(slowest[64], rel=0.2)
    assert slowest[128] < 5


# The helpers that this chapter brought to gatedrnn.dynamics


def test_with_modes_gives_the_modes_asked_for_and_a_normal_matrix():
    W = dynamics.with_modes([0.3, 0.02, 0.15], [0, 0, 8], DT, np.random.default_rng(0))
    modes = dynamics.eigenmodes(W, DT)
    np.testing.assert_allclose(modes.decay_time, [0.3, 0.15, 0.15, 0.02], rtol=1e-9)
    np.testing.assert_allclose(modes.frequency, [0, 8, 8, 0], atol=1e-9)
    np.testing.assert_allclose(W @ W.T, W.T @ W, atol=1e-14)
    assert np.count_nonzero(np.abs(W) > 1e-3) == 16  # the rotation leaves no unit out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (([0.3, 0.2], [8], DT), "as many decay times as frequencies"),
        (([0.3], [100], DT), r"frequencies from 0 to below 1/\(2 dt\) = 100"),
        (([-0.3], [0], DT), "time constants of 0 or more"),
        (([], [], DT), "as many decay times as frequencies"),
    ],
)
def test_with_modes_says_what_is_wrong(arguments, words):
    with pytest.raises(ValueError, match=words):
        dynamics.with_modes(*arguments)


def test_realise_finds_a_network_from_its_echo_alone():
    rng = np.random.default_rng(3)
    W = dynamics.with_modes([0.3, 0.05, 0.15], [0, 0, 8], DT, rng)
    U, V = rng.normal(size=(2, 4))
    echo = dynamics.impulse_response(W, U, V, steps=160)
    found = dynamics.realise(echo, hidden_size=4)
    again = dynamics.impulse_response(*found, steps=160)
    np.testing.assert_allclose(again, echo, atol=1e-9 * np.abs(echo).max())
    np.testing.assert_allclose(
        np.sort_complex(np.linalg.eigvals(found.W)), np.sort_complex(np.linalg.eigvals(W)), atol=1e-7
    )


def test_realise_leaves_units_silent_that_the_echo_does_not_need():
    network = dynamics.realise(0.9 ** np.arange(40), hidden_size=5)
    assert network.W[0, 0] == pytest.approx(0.9)
    assert not network.W[1:].any() and not network.U[1:].any() and not network.V[1:].any()
    assert not dynamics.realise(np.zeros(20), hidden_size=3).W.any()


@pytest.mark.parametrize(
    ("echo", "size", "words"),
    [
        (np.ones((3, 3)), 1, r"an echo of shape \(T,\) without NaN"),
        (np.array([1.0, np.nan, 0.0, 0.0]), 1, "without NaN"),
        (np.ones(10), 5, "expected 1 to 4 units for 10 steps, got 5"),
        (np.ones(10), 0, "expected 1 to 4 units for 10 steps, got 0"),
    ],
)
def test_realise_says_what_is_wrong(echo, size, words):
    with pytest.raises(ValueError, match=words):
        dynamics.realise(echo, size)
