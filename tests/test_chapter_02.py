"""Chapter 2 says what is true: its numbers against formulas and against second ways to compute them.

The chapter is executed once; each test compares what it would print with a result derived here.
"""

import re
from pathlib import Path

import numpy as np
import pytest
import torch
from conftest import drawn
from gatedrnn import bptt, cells, dynamics
from gatedrnn.experiments import delayed_recall, table

ROOT = Path(__file__).resolve().parent.parent
CHAPTER = ROOT / "chapters" / "principles" / "02-fading-echo.md"


# Blame by hand


def loss(weights):
    """The loss of three steps, each with a weight of its own."""
    h = 0.0
    for weight, x in zip(weights, (1.0, 0.0, 0.0), strict=True):
        h = np.tanh(weight * h + x)
    return (h - 0.9) ** 2 / 2


@pytest.mark.notebook
def test_blame_by_hand_is_the_derivative(said):
    # A complex step of 1e-30 gives a derivative without any cancellation.
    shares = [loss([0.8 + 1e-30j * (t == step) for t in range(3)]).imag / 1e-30 for step in range(3)]
    assert said["hand_gradient"] == pytest.approx(sum(shares), rel=1e-12)
    assert (said["hand_share_2"], said["hand_share_3"]) == pytest.approx(tuple(shares[1:]), rel=1e-12)
    assert shares[0] == 0
    assert said["hand_nudged"] == pytest.approx(said["hand_gradient"], abs=5e-7)  # as printed
    h = [np.tanh(1.0), np.tanh(0.8 * np.tanh(1.0))]
    h.append(np.tanh(0.8 * h[1]))
    assert said["hand_kept"] == pytest.approx(0.8**2 * (1 - h[2] ** 2) * (1 - h[1] ** 2), rel=1e-12)


@pytest.mark.notebook
def test_three_ways_to_one_gradient(said):
    assert said["bptt_autograd"] < 1e-13
    assert said["bptt_brute"] < 1e-7
    assert said["blame_gap"] < 1e-13
    assert said["echo_gap"] < 1e-4 and said["meeting"] < 1e-4


@pytest.mark.notebook
def test_powers(said):
    assert said["after_95"] == pytest.approx(0.0461, abs=5e-5)
    for name, kept in {"90": 0.9, "95": 0.95, "105": 1.05, "110": 1.1}.items():
        assert np.log(said[f"after_{name}"]) == pytest.approx(60 * np.log(kept), rel=1e-12)
    assert said["after_ratio"] == pytest.approx((11 / 9) ** 60, rel=1e-9)
    assert said["tau_95"] == pytest.approx(19.4957, abs=1e-4)


# Bound and estimate


def street():
    rng = np.random.default_rng(2)
    a, b = (0.95 * np.linalg.qr(rng.normal(size=(32, 32)))[0] for _ in range(2))
    return a, b


@pytest.mark.notebook
def test_the_one_way_network(said):
    a, b = street()
    power = [np.zeros((32, 32))]  # the block from B to A of W^k obeys X_{k+1} = a X_k + b^k
    for k in range(100):
        power.append(a @ power[-1] + np.linalg.matrix_power(b, k))
    # W^k = [[a^k, X_k], [0, b^k]] with a^k = 0.95^k Q: the norm follows from that of X_k alone.
    norms = []
    for k, X in enumerate(power):
        x, r = np.linalg.norm(np.linalg.matrix_power(a.T, k) / 0.95**k @ X, 2), 0.95**k
        norms.append((x + np.sqrt(x**2 + 4 * r**2)) / 2)  # upper bound, exact when blocks share directions
    assert said["one_way_60"] <= norms[60] * (1 + 1e-9)
    assert said["one_way_60"] >= np.linalg.norm(power[60], 2)
    assert said["one_way_norm"] == pytest.approx((1 + np.sqrt(1 + 4 * 0.95**2)) / 2, rel=1e-9)
    assert said["bound_digits"] == len(str(int(said["one_way_norm"] ** 60)))
    assert said["one_way_times"] == pytest.approx(said["one_way_60"] / 0.95**60)
    assert said["one_way_peak"] > said["one_way_60"] and 5 < said["one_way_peak_step"] < 30
    W = np.block([[a, np.eye(32)], [np.zeros((32, 32)), b]])
    assert np.abs(np.linalg.eigvals(W)) == pytest.approx(np.full(64, 0.95))


@pytest.mark.notebook
def test_tanh_takes_away(said):
    assert said["normal_gap"] < 1e-12
    assert said["tanh_apart_60"] < said["after_95"]
    assert said["tanh_one_way_60"] < said["one_way_60"]


@pytest.mark.notebook
def test_typical_blames_lie_below_the_worst(said):
    a, b = street()
    W = np.linalg.matrix_power(np.block([[a, np.eye(32)], [np.zeros((32, 32)), b]]), 60)
    expected = np.linalg.norm(W) / 8  # root mean square over all directions in 64 dimensions
    assert said["typical_mid"] == pytest.approx(expected, rel=0.1)
    assert said["typical_low"] < said["typical_mid"] < said["typical_high"] < said["one_way_60"]


@pytest.mark.notebook
def test_two_radii_of_one_half_in_turn(said):
    J = np.array([[0.5, 2], [0, 0.5]])
    trace, det = np.trace(J @ J.T), 0.5**4
    assert said["turns_both"] == pytest.approx((trace + np.sqrt(trace**2 - 4 * det)) / 2)
    assert said["turns_both"] == pytest.approx(said["turns_norm"] ** 2)
    assert np.abs(np.linalg.eigvals(J)) == pytest.approx([0.5, 0.5])


# The map


@pytest.mark.notebook
def test_the_border_is_where_the_slopes_forecast_it(said):
    for word in ("weak", "strong"):
        assert said[f"border_{word}"] == pytest.approx(said[f"border_seen_{word}"], rel=0.05)
        assert 0 < said[f"strip_{word}"] < 0.3
    assert said["border_seen_strong"] > said["border_seen_weak"] + 0.2
    drawn = cells.Parameters.initial("rnn", 1, 400, np.random.default_rng(0)).weight_hh
    assert said["usual_gain"] == pytest.approx(drawn.std() * np.sqrt(400), rel=0.01)


# Explosion


@pytest.mark.notebook
def test_the_cliff_is_where_the_low_state_disappears(said):
    low = -np.sqrt(1 - 1 / 2.5)  # there the slope of tanh(2.5 h + b) is 1
    border = np.arctanh(low) - 2.5 * low
    assert border == pytest.approx(0.905, abs=0.001)
    assert said["clip_low"] < border + 0.005 < said["clip_high"]  # a run of 50 steps flips a little later
    assert said["cliff_gradient"] > 1000 * said["cliff_before"]
    assert abs(said["cliff_b"]) == pytest.approx(said["cliff_gradient"] / 2, rel=0.01)


@pytest.mark.notebook
def test_clipping_helps_at_the_bold_rate_and_not_at_the_timid_one(said):
    assert said["loss_clipped_5_high"] < 0.2 < said["chance_loss"] < said["loss_free_5_low"]
    assert 0.2 < said["loss_clipped_10_mid"] < said["loss_free_10_mid"]
    assert said["loss_free_1_mid"] < 0.2 and said["loss_clipped_1_mid"] < 0.2
    assert said["loss_clipped_5_low"] <= said["loss_clipped_5_mid"] <= said["loss_clipped_5_high"]
    assert said["loss_free_5_mid"] <= said["loss_free_5_high"]


# Truncation


@pytest.mark.notebook
def test_what_truncation_misses(said):
    assert said["missed_fresh_5"] < 10 < 50 < said["missed_rotation_20"] <= said["missed_rotation_5"]
    solved = [said[f"window_{window}"] for window in (2, 5, 8, 10, 11)]
    assert solved == sorted(solved) and solved[0] <= 1 and solved[-1] == 5


@pytest.mark.parametrize("window", [1, 4, 9, 10, 30])
def test_a_window_keeps_the_late_terms_of_the_sum(window):
    model = delayed_recall.reader("rnn", delay=9, seed=3)
    inputs, targets = delayed_recall.batch(np.random.default_rng(0), 8, 9)
    torch.nn.functional.cross_entropy(model(inputs, window), targets).backward()
    parameters = cells.Parameters.from_torch(model.layer)
    trace = cells.run(cells.rnn_step, inputs.numpy(), None, parameters)
    last = torch.tensor(trace.outputs[-1], requires_grad=True)
    torch.nn.functional.cross_entropy(model.readout(last), targets).backward()
    cut = max(0, 10 - window)
    start = cells.RNNState(trace.outputs[cut - 1]) if cut else None
    late = cells.run(cells.rnn_step, inputs.numpy()[cut:], start, parameters)
    direct = np.zeros_like(late.outputs)
    direct[-1] = last.grad.numpy()
    mine = bptt.rnn_backward(inputs.numpy()[cut:], start, parameters, late, direct).parameters
    np.testing.assert_allclose(model.layer.weight_hh_l0.grad, mine.weight_hh, atol=1e-13)
    np.testing.assert_allclose(model.layer.weight_ih_l0.grad, mine.weight_ih, atol=1e-13)


# Delayed recall


@pytest.mark.notebook
def test_the_page_and_the_table_agree_where_both_computed(said):
    assert said["rows_same"] >= 5  # one run in six may turn on a rounding elsewhere
    assert said["now_solved"] >= 4 and said["now_steps_high"] <= 150
    assert said["half_20"] == 0.5**20


@pytest.mark.notebook
def test_networks_that_succeed_have_crossed_the_border(said):
    assert said["radius_born_high"] < 0.75 < 1.2 < said["radius_grown_low"]
    assert said["late_steady_low"] > 90 and said["late_apart"] >= 4
    assert said["cue_grown"] > 1000 * said["cue_rnn"]


@pytest.fixture(scope="module")
def recall():
    return table("delayed_recall")


def solved(recall, model, delay):
    rows = [row for row in recall.rows if (row["model"], row["delay"]) == (model, delay)]
    return max(
        sum(row["solved"] for row in rows if row["learning_rate"] == rate) for rate in delayed_recall.RATES
    )


def test_the_table_is_complete(recall):
    columns = tuple(delayed_recall.KEYS()[0])
    assert [{name: row[name] for name in columns} for row in recall.rows] == delayed_recall.KEYS()
    assert len(delayed_recall.SEEDS) >= 5
    assert {"python", "gatedrnn", "numpy", "torch"} <= recall.versions.keys()


@pytest.mark.notebook
def test_the_chapter_tells_what_the_table_holds(said, recall):
    for name, value in said.items():
        found = re.fullmatch(r"ok_(\w+?)_(\d+)", name)
        if found and found[1] != "fast":
            assert value == solved(recall, found[1], int(found[2])), name


def test_the_story_that_the_chapter_tells_is_in_the_table(recall):
    for model in ("rnn", "gru", "lstm"):
        tried = [delay for delay in delayed_recall.DELAYS if delay <= delayed_recall.LONGEST.get(model, 160)]
        counts = [solved(recall, model, delay) for delay in tried]
        assert counts[0] == 6 and counts[-1] <= 1 and counts == sorted(counts, reverse=True)
    assert solved(recall, "lstm", 10) < solved(recall, "rnn", 10)
    assert solved(recall, "lstm", 20) == 0
    for model in ("gru_open", "lstm_open"):
        assert solved(recall, model, 80) > solved(recall, "rnn", 80) + 2
    rotation = {rate: sum(row["solved"] for row in recall.where(**rotated(rate))) for rate in (0.01, 0.003)}
    assert rotation[0.003] > rotation[0.01] + 2  # the careful hand


def rotated(rate):
    return {"model": "rnn_orthogonal", "delay": 40, "learning_rate": rate}


def test_a_row_drawn_at_random_comes_out_again(recall):
    """The gradient before training, of any row; the training, where it was short."""
    names = delayed_recall.KEYS()[0]
    row, _, message = drawn(recall.rows, names)
    model = delayed_recall.reader(row["model"], row["delay"], row["seed"])
    again = delayed_recall.fading(model, row["delay"], row["seed"])
    assert again == pytest.approx(row["gradient"], rel=1e-3), message
    short = [row for row in recall.rows if row["steps"] <= 100 and row["delay"] <= 40]
    row, key, message = drawn(short, names)
    again = delayed_recall.compute(key)
    assert again["solved"], message
    assert abs(again["steps"] - row["steps"]) <= recall.tolerance[row["model"]], message


def test_open_gates_have_time_constants_up_to_the_delay():
    for model, block in (("lstm_open", 1), ("gru_open", 1)):
        layer = delayed_recall.reader(model, delay=80, seed=0).layer
        bias = (layer.bias_ih_l0 + layer.bias_hh_l0).detach().numpy().reshape(-1, 32)
        tau = dynamics.time_constant(cells.sigmoid(bias[block]))
        assert 0.9 < tau.min() < 10 and 60 < tau.max() < 80
    start = delayed_recall.reader("rnn_orthogonal", 80, 0).layer.weight_hh_l0.detach().numpy()
    np.testing.assert_allclose(start @ start.T, np.eye(32), atol=1e-12)


# Answers and exercises


def test_question_1():
    h, w = [0.0, 1.0, 0.5, 0.25], 0.5
    delta = {3: h[3] - 1}
    for t in (3, 2):
        delta[t - 1] = w * delta[t]
    assert sum(delta[t] * h[t - 1] for t in (1, 2, 3)) == 2 * w * (w**2 - 1) == -0.75
    assert delta[1] / delta[3] == 0.25


def test_exercise_2_dales_law_makes_a_matrix_far_from_normal():
    rng = np.random.default_rng(0)
    signs = np.where(np.arange(64) < 32, 1, -1)
    random_signs = rng.choice([-1, 1], size=(64, 64))
    sizes = np.abs(rng.normal(size=(64, 64)))
    dale, free = sizes * signs, sizes * random_signs
    norms = [np.linalg.norm(0.95 * W / np.abs(np.linalg.eigvals(W)).max(), 2) for W in (dale, free)]
    assert norms[0] > 2 * norms[1] > 2 * 0.95


def test_exercise_3_a_readout_alone_can_beat_a_short_window():
    reached = {}
    for window in (1, 3, 6):
        runs = [
            delayed_recall.train(
                delayed_recall.reader("rnn", 5, seed), 5, seed, rate=0.01, steps=150, window=window
            )
            for seed in range(5)
        ]
        reached[window] = np.mean([run["accuracy"] for run in runs])
    assert reached[3] < reached[1] < reached[6]
