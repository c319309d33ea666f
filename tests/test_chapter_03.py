"""Chapter 3 says what is true: its numbers against formulas, against torch, and against its committed table.

The chapter is executed once; each test compares what it would print with a result derived here.
"""

import json
import re
from pathlib import Path

import javascript
import numpy as np
import pytest
import torch
from conftest import drawn
from gatedrnn import cells, tasks, widgets
from gatedrnn.experiments import gate_clamping, table

ROOT = Path(__file__).resolve().parent.parent
CHAPTER = ROOT / "chapters" / "principles" / "03-art-of-gating.md"
KEY = ("model", "units", "without", "seed")


@pytest.fixture(scope="module")
def results():
    return table("gate_clamping")


@pytest.fixture(scope="module")
def trained():
    """The unit that the page trains: its parameters and readout."""
    return gate_clamping.train("lstm", units=1, seed=1)[0].export()


# The task


def recount(inputs):
    """What should be said, by a loop that follows the words of the task."""
    targets, count = np.zeros(inputs.shape[:2]), np.zeros(inputs.shape[1])
    for t, (right, left, start, listen, go) in enumerate(np.moveaxis(inputs, -1, 1)):
        count = np.where(start > 0, 0, count) + listen * (right - left)
        targets[t] = np.where(go > 0, count, 0)
    return targets


@pytest.mark.parametrize("seed", [0, 1])
def test_the_task_asks_for_the_count_of_its_own_clicks(seed):
    trials = tasks.count_clicks(np.random.default_rng(seed), batch_size=50, steps=90)
    np.testing.assert_array_equal(trials.targets[..., 0], recount(trials.inputs))
    assert not (trials.inputs[..., 0] * trials.inputs[..., 1]).any()
    assert (trials.go.sum(axis=0) >= 1).all() and trials.targets[trials.go].std() > 1
    for b in range(50):
        starts, goes = (np.flatnonzero(trials.inputs[:, b, line]) for line in (2, 4))
        assert len(starts) == len(goes) and (starts < goes).all() and (starts[1:] > goes[:-1]).all()
        for start, go in zip(starts, goes, strict=True):
            heard, waited = trials.inputs[start:go, b, 3].sum(), trials.delay[start:go, b].sum()
            assert 6 <= heard <= 12 and 4 <= waited <= 20 and go == start + 1 + heard + waited


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"steps": 38}, "expected more than 38 steps, the longest first trial, got 38"),
        ({"delay": (9, 4)}, r"expected \(shortest, longest\) phases"),
        ({"listen": (0, 4)}, "expected shortest_listen of 1 or more, got 0"),
        ({"batch_size": 0}, "expected batch_size of 1 or more, got 0"),
    ],
)
def test_the_task_says_what_is_wrong(arguments, words):
    with pytest.raises(ValueError, match=words):
        tasks.count_clicks(np.random.default_rng(0), **{"batch_size": 2, "steps": 80} | arguments)


# Holding gates, kicking cells


@pytest.mark.parametrize("gate", cells.LSTMGates._fields)
@pytest.mark.parametrize("value", [0.0, 0.3, 1.0])
def test_a_clamped_gate_stands_still_and_the_others_keep_their_weights(gate, value):
    parameters = cells.Parameters.initial("lstm", 5, 3, np.random.default_rng(0))
    before = [part.copy() for part in parameters]
    inputs = np.random.default_rng(1).normal(size=(30, 5))
    trace = cells.run(cells.lstm_step, inputs, None, gate_clamping.clamp(parameters, gate, value))
    np.testing.assert_allclose(getattr(trace.gates, gate), value, atol=1e-15)
    for part, was in zip(parameters, before, strict=True):
        np.testing.assert_array_equal(part, was)  # a copy was clamped
    first = cells.run(cells.lstm_step, inputs[:1], None, parameters).gates
    clamped = cells.run(cells.lstm_step, inputs[:1], None, gate_clamping.clamp(parameters, gate, value)).gates
    for name in set(cells.LSTMGates._fields) - {gate}:
        np.testing.assert_array_equal(getattr(first, name), getattr(clamped, name))


def test_a_gate_held_from_the_start_does_not_learn_and_the_others_do():
    counter = gate_clamping.Counter("lstm", 2)
    gate_clamping.hold(counter.layer, "forget", gate_clamping.OPEN)
    counter(torch.ones(9, 3, 5)).sum().backward()
    for parameter in counter.layer.parameters():
        gradient = parameter.grad.reshape(4, 2, -1)
        assert not gradient[1].any() and gradient[[0, 2, 3]].any()


def through_torch(parameters, inputs, t):
    """The Jacobian of the last state with respect to the state after step t, by automatic differentiation."""
    kind = {"lstm": torch.nn.LSTM, "rnn": torch.nn.RNN}[parameters.cell]
    module = kind(5, parameters.weight_hh.shape[1], dtype=torch.float64)
    module.load_state_dict({f"{name}_l0": torch.from_numpy(v) for name, v in parameters._asdict().items()})
    rest = torch.from_numpy(inputs[t + 1 :])
    trace = cells.run(cells.STEPS[parameters.cell], inputs, None, parameters)

    def last(part):
        if parameters.cell == "rnn":
            return module(rest, part[None])[1][0]
        hidden = torch.from_numpy(trace.gates.output[t]) * torch.tanh(part)
        return module(rest, (hidden[None], part[None]))[1][1][0]

    return torch.autograd.functional.jacobian(last, torch.from_numpy(trace.states[-1][t])).numpy()


@pytest.mark.parametrize("cell", ["lstm", "rnn"])
def test_kicks_measure_what_automatic_differentiation_derives(cell):
    parameters = cells.Parameters.initial(cell, 5, 4, np.random.default_rng(2))
    inputs = np.random.default_rng(3).normal(size=(12, 5))
    measured = gate_clamping.kicked(parameters, inputs, end=11)
    np.testing.assert_allclose(measured[11], np.eye(4), atol=1e-9)
    for t in (0, 4, 10):
        np.testing.assert_allclose(measured[t], through_torch(parameters, inputs, t), atol=1e-8)


@pytest.mark.parametrize("t", [1, 7])
def test_road_and_detour_of_the_page_add_up_to_the_derivative_of_one_step(source, t):
    code = re.search(r"(def road_and_detour.*?)\n```", source, re.S)[1]
    exec(code, names := {"np": np})
    parameters = cells.Parameters.initial("lstm", 5, 4, np.random.default_rng(4))
    inputs = np.random.default_rng(5).normal(size=(t + 1, 5))
    trace = cells.run(cells.lstm_step, inputs, None, parameters)
    road, detour = names["road_and_detour"](parameters, trace, t)
    np.testing.assert_array_equal(road, np.diag(trace.gates.forget[t]))
    np.testing.assert_allclose(road + detour, through_torch(parameters, inputs, t - 1), atol=1e-12)


# The numbers of the page


@pytest.mark.notebook
def test_three_implementations_agree(said):
    assert said["gap"] < 1e-14


@pytest.mark.notebook
def test_the_page_trains_the_network_of_the_table(said, results):
    (row,) = results.where(model="lstm", units=1, without=None, seed=1)
    assert said["error"] == pytest.approx(row["error"], abs=results.tolerance["lstm"])
    errors = np.array([row["error"] for row in results.where(model="lstm", units=1, without=None)])
    rnn = [row["error"] for row in results.where(model="rnn", units=16, without=None)]
    assert (said["good"], said["poor"]) == ((errors < 0.2).sum(), (errors > max(rnn)).sum())
    assert said["good"] + said["poor"] == said["n_seeds"] == len(errors)
    assert said["numbers_lstm"] == 4 * 1 * (5 + 1 + 2) + 2 == 34
    counts = {n: sum(p.numel() for p in gate_clamping.Counter("rnn", n).parameters()) for n in (3, 16)}
    assert counts == {3: 3 * (5 + 3 + 2) + 4, 16: 16 * (5 + 16 + 2) + 17} and counts[3] == 34
    assert said["numbers_ratio"] == pytest.approx(counts[16] / 34)


def medians(results, column, **conditions):
    return np.median([row[column] for row in results.where(**conditions)])


@pytest.mark.notebook
def test_what_the_text_says_of_the_contest_is_so(said, results):
    errors = {
        (model, units): medians(results, "error", model=model, units=units, without=None)
        for model, units in [("lstm", 1), ("lstm", 4), ("rnn", 3), ("rnn", 16)]
    }
    assert errors["lstm", 4] < errors["lstm", 1] < 0.55 * errors["rnn", 16]
    assert errors["rnn", 3] > 0.5 * said["spread"]
    assert said["long_lstm4"] > medians(results, "error_long", model="rnn", units=16, without=None)
    assert said["long_lstm4"] > said["long_lstm1"]
    assert said["spread"] == pytest.approx(said["shut_error"], rel=0.01)


@pytest.mark.notebook
def test_what_the_text_says_of_held_gates_is_so(said, results):
    whole = {row["seed"]: row["error"] for row in results.where(model="lstm", units=1, without=None)}
    for gate in cells.LSTMGates._fields:
        rows = results.where(model="lstm", units=1, without=gate)
        assert all(row["error"] > whole[row["seed"]] for row in rows)  # none gets back to where it was
    found = [row["error"] < 1 for row in results.where(model="lstm", units=1, without="forget")]
    assert sum(found) == 1 and found[5] and said["trick_error"] == pytest.approx(0.33, abs=0.05)
    assert said["trick"] < -0.8
    silent = [row["error"] for row in results.where(model="lstm", units=4, without="output")]
    assert sorted(silent)[-2] < 0.15 < 0.3 < max(silent)  # as good as the whole, but for one
    clamped = [row["clamped"] for row in results.where(model="lstm", units=1, without=None)]
    width = {name: np.ptp([row[name][0] for row in clamped]) for name in gate_clamping.CLAMPS}
    assert max(width, key=width.get) == "output open"
    assert said["chatter"] > 50 * said["chatter_whole"]


@pytest.mark.notebook
def test_gates_have_the_jobs_that_the_text_gives_them(said):
    assert said["i_light"] > 50 * said["i_delay"]
    assert said["f_start"] < 0.02 < 0.99 < said["f_delay"]
    assert said["o_delay"] < 0.02 and said["o_go"] > 0.95
    assert abs(said["g_delay"]) > 0.3 and abs(said["added_delay"]) < 0.02
    assert said["tau_delay"] == pytest.approx(-1 / np.log(said["f_delay"]))
    assert said["cell_correlation"] > 0.99


@pytest.mark.notebook
def test_the_sum_is_the_recurrence(said):
    assert said["rebuilt"] < 1e-13
    assert said["worth_left_1"] == pytest.approx(-said["worth_right_1"], rel=0.05)
    ratio = said["worth_right_6"] / said["worth_right_1"]
    assert 1 <= ratio < 1.1  # what was let in earlier was kept for a little less


@pytest.mark.notebook
def test_the_road_is_the_product_of_the_forget_gates(said, trained):
    assert said["road_gap"] < 0.5
    assert abs(said["kick_before"]) < 0.02 < 0.5 < said["kick_delay"]
    assert said["share_trained"] < 1 < said["share_low"]


@pytest.mark.notebook
def test_fresh_networks_lose_the_gradient_as_their_jacobians_say(said):
    """The plain RNN's by the product of its Jacobians, an independent way."""
    inputs, _ = gate_clamping.waiting_trials(64)
    one = inputs[:, :, 2].argmax(axis=0).argmax()
    sizes = []
    for seed in range(8):
        drawn = cells.Parameters.initial("rnn", 5, 16, np.random.default_rng(seed))
        h = cells.run(cells.rnn_step, inputs[:61, one], None, drawn).outputs
        product = np.eye(16)
        for t in range(60, 40, -1):
            product = product @ ((1 - h[t] ** 2)[:, None] * drawn.weight_hh)
        sizes.append(np.linalg.norm(product, 2))
    assert said["untrained_rnn"] == pytest.approx(np.median(sizes), rel=1e-3, abs=1e-8)
    assert said["untrained_rnn"] < said["untrained_lstm"] < said["untrained_lstm_bias"] < 0.5
    assert said["wild"] > 100 * said["wild_road"]


@pytest.mark.notebook
def test_the_answer_is_ready_and_unsaid(said):
    assert said["ready_first"] < 0.3 and said["ready_twenty"] < 0.3
    assert said["ready_last"] < 0.5
    assert said["silent_most"] < 0.1


def test_plain_networks_speak_while_they_remember(results):
    murmur = {
        (model, units): [row["murmur"] for row in results.where(model=model, units=units, without=None)]
        for model, units in [("lstm", 1), ("rnn", 16)]
    }
    assert np.median(murmur["lstm", 1]) < 0.02 < max(murmur["lstm", 1]) < 0.5 < min(murmur["rnn", 16])


def test_the_answer_to_question_1():
    c = 0.9 * 2 + 0.1 * -1
    assert (c, round(0.5 * np.tanh(c), 2)) == (pytest.approx(1.7), 0.47)


def test_the_answer_to_question_3():
    assert round(0.98**30, 2) == 0.55 and round(1 / 0.98**30, 1) == 1.8


# The table


def test_the_table_is_complete(results):
    assert [{name: row[name] for name in KEY} for row in results.rows] == gate_clamping.KEYS()
    assert results.tolerance == gate_clamping.TOLERANCE and results.data == {}


def test_a_row_drawn_at_random_comes_out_again(results):
    row, key, message = drawn(results.rows, KEY)
    again = gate_clamping.compute(key)
    for column in ("error", "leak", "error_long"):
        assert again[column] == pytest.approx(row[column], abs=results.tolerance[row["model"]]), message


# The live figure

SETTINGS = [
    {},
    {"bias_input": 6.0, "bias_forget": 6.0, "bias_candidate": -2.0, "bias_output": -6.0},
    {"feedback": -4.0, "bias_forget": -6.0},
    {"feedback": 4.0, "bias_output": 3.0, "spikes": [0, 1, 79]},
]


@pytest.mark.parametrize("setting", SETTINGS)
def test_the_live_figure_computes_what_the_cell_does(setting):
    figure = widgets.LSTMCell(**setting)
    unit = {
        "weights": list(figure.weights),
        "feedback": 4 * [figure.feedback],
        "biases": [getattr(figure, f"bias_{gate}") for gate in cells.LSTMGates._fields],
    }
    script = f"""
    import {{ lstmUnit }} from {json.dumps(javascript.CORE)};
    const trace = lstmUnit({json.dumps(figure.inputs().ravel().tolist())}, {json.dumps(unit)});
    process.stdout.write(JSON.stringify(trace));
    """
    told, trace = javascript.run(script), figure.trace()
    for name, values in (trace.gates._asdict() | trace.states._asdict()).items():
        np.testing.assert_allclose(told[name], values[:, 0], atol=1e-12)


def test_the_live_figure_moves_as_the_text_says():
    """What a reader is asked to try, tried."""
    shut, open_ = widgets.LSTMCell(bias_output=-6.0).trace(), widgets.LSTMCell(bias_output=6.0).trace()
    np.testing.assert_array_equal(shut.states.cell, open_.states.cell)
    assert np.abs(shut.outputs).max() < 0.003
    counted = widgets.LSTMCell(bias_forget=6.0, bias_input=-4.0).trace().states.cell[:, 0]
    assert (np.diff(counted) > -0.01).all()
    deaf = widgets.LSTMCell(bias_input=-6.0).trace().states.cell
    assert np.abs(deaf).max() < 0.5
    loud = [widgets.LSTMCell(feedback=w, bias_output=6.0).trace().states.cell[-1, 0] for w in (0.0, 3.0)]
    quiet = [widgets.LSTMCell(feedback=w, bias_output=-6.0).trace().states.cell[-1, 0] for w in (0.0, 3.0)]
    assert abs(loud[1] - loud[0]) > 20 * abs(quiet[1] - quiet[0])
