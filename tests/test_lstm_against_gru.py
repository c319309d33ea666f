"""The contest of LSTM and GRU: its tasks, its rules, its arithmetic, and a row of its table made again."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from conftest import drawn
from gatedrnn import counting, layers, tasks
from gatedrnn.cells import Parameters, gru_step, initial_state, lstm_step, rnn_step
from gatedrnn.experiments import lstm_against_gru as contest
from gatedrnn.experiments.reading import Table, table
from scipy import stats

KEY = ("task", "model", "seed", "learning_rate")


# The tasks


def test_a_delayed_copy_shows_each_symbol_once_and_asks_at_the_end():
    inputs, targets = tasks.delayed_copy(np.random.default_rng(0), 50, delay=7, length=4, alphabet=5)
    assert inputs.shape == (15, 50, 6) and targets.shape == (4, 50)
    np.testing.assert_array_equal(inputs[:4, :, :5].argmax(-1), targets)
    np.testing.assert_array_equal(inputs[:4].sum(-1), 1)
    assert not inputs[4:11].any()
    assert (inputs[11:, :, 5] == 1).all() and not inputs[11:, :, :5].any()
    assert set(np.unique(targets)) == set(range(5))


def test_a_comparison_can_be_made_from_the_two_means():
    inputs, targets = tasks.comparison(np.random.default_rng(1), 20_000, delay=3, shown=5, noise=0.3)
    assert inputs.shape == (13, 20_000, 1)
    first, second = inputs[:5, :, 0].mean(0), inputs[-5:, :, 0].mean(0)
    right = ((first > second) == targets).mean()
    # Two uniform stimuli differ by d with density (2 − d)/2 on [0, 2]; the observer errs with Φ(−d/s).
    d, s = np.linspace(0, 2, 20_001), 0.3 * np.sqrt(2 / 5)
    expected = 1 - np.trapezoid((2 - d) / 2 * stats.norm.cdf(-d / s), d)
    assert right == pytest.approx(expected, abs=4 * np.sqrt(expected * (1 - expected) / 20_000))
    assert inputs[5:8].std() == pytest.approx(0.3, rel=0.02)
    assert targets.mean() == pytest.approx(0.5, abs=0.02)


def test_clicks_are_counted_one_by_one():
    inputs, targets = tasks.click_difference(np.random.default_rng(2), 30, 25, rate=0.4)
    count = np.zeros(30)
    for click, target in zip(inputs, targets, strict=True):
        count += click[:, 0] - click[:, 1]
        np.testing.assert_allclose(target, count / 5)
    _, lead = tasks.leading_side(np.random.default_rng(2), 30, 25, rate=0.4)
    np.testing.assert_array_equal(lead - 1, np.sign(np.rint(5 * targets)))
    assert {0, 1, 2} == set(np.unique(lead))


def test_a_sample_is_held_until_the_next_mark():
    inputs, targets = tasks.sample_and_hold(np.random.default_rng(3), 40, 30, rate=0.2)
    held = np.full(40, np.nan)
    for step, target in zip(inputs, targets, strict=True):
        held = np.where(step[:, 1] > 0, step[:, 0], held)
        np.testing.assert_array_equal(target, held)
    assert inputs[0, :, 1].all()


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda rng: tasks.delayed_copy(rng, 2, delay=0), "delay of 1 or more, got 0"),
        (lambda rng: tasks.comparison(rng, 2, delay=3, shown=0), "shown of 1 or more"),
        (lambda rng: tasks.click_difference(rng, 0, 3), "batch_size of 1 or more"),
        (lambda rng: tasks.sample_and_hold(rng, 2, 0), "steps of 1 or more"),
    ],
)
def test_a_task_without_a_size_says_so(make, words):
    with pytest.raises(ValueError, match=words):
        make(np.random.default_rng(0))


# The rules


@pytest.mark.parametrize("task", contest.TASKS)
def test_the_contestants_have_equally_many_numbers(task):
    sizes = []
    for model in contest.MODELS:
        network = contest.network(task, model, seed=0)
        sizes.append(sum(p.numel() for p in network.parameters()))
        cell = model.split("_")[0]
        inputs, outputs = network.layer.input_size, network.readout.out_features
        assert sizes[-1] == contest.count(cell, inputs, network.layer.hidden_size, outputs)
    assert max(sizes) / min(sizes) < 1.02
    assert abs(np.mean(sizes) / contest.PARAMETERS - 1) < 0.03


def test_the_open_lstm_differs_from_the_plain_one_in_its_forget_bias_alone():
    plain, opened = (contest.network("hold", model, seed=3).state_dict() for model in ("lstm", "lstm_open"))
    for name, values in plain.items():
        difference = opened[name] - values
        if name == "layer.bias_ih_l0":
            size = len(values) // 4
            torch.testing.assert_close(difference[size : 2 * size], torch.ones(size).double())
            difference[size : 2 * size] = 0
        assert not difference.any(), name


@pytest.mark.parametrize("task", contest.TASKS)
def test_an_answer_that_does_not_look_scores_one(task):
    """Of all constant answers, none beats 1 (for classes: guessing with even odds scores exactly 1)."""
    outputs = contest.TASKS[task].outputs
    _, targets = contest.TASKS[task].draw(np.random.default_rng((9, 2)), contest.TEST)
    constant = targets.mean() if targets.dtype.kind == "f" else 0.0

    class Blind(torch.nn.Module):
        def forward(self, inputs):
            return torch.full((*inputs.shape[:2], outputs), constant, dtype=torch.float64)

    assert contest.error(task, Blind(), contest.TASKS[task].draw, (9, 2)) == pytest.approx(1)


def test_models_of_a_seed_are_trained_and_tested_on_the_same_sequences(monkeypatch):
    seen = {}
    short = contest.TASKS["hold"]._replace(steps=2)
    monkeypatch.setitem(contest.TASKS, "hold", short)
    fit = contest.training.fit

    def watch(model, loss, data, **settings):
        seen.setdefault(type(model.layer), []).append([part.numpy().copy() for part in data])
        return fit(model, loss, data, **settings)

    monkeypatch.setattr(contest.training, "fit", watch)
    for model in ("lstm", "gru"):
        contest.train("hold", model, seed=1, rate=0.01)
    for mine, other in zip(seen[layers.LSTM][0], seen[layers.GRU][0], strict=True):
        np.testing.assert_array_equal(mine, other)
    # and what is tested on was not trained on
    test, _ = short.draw(np.random.default_rng((1, 2)), 50)
    trained = {sequence.tobytes() for sequence in seen[layers.GRU][0][0].swapaxes(0, 1)}
    assert not trained & {sequence.tobytes() for sequence in test.swapaxes(0, 1)}


# The arithmetic


def made_up(gru, lstm):
    """A table with one task, whose second learning rate is the better one on validation and worse on test."""
    rows = []
    for model, errors in {"gru": gru, "lstm": lstm}.items():
        for seed, error in enumerate(errors):
            key = {"task": "t", "model": model, "seed": seed}
            rows.append(key | {"learning_rate": 1, "validation": 0.5, "error": 1e-9, "error_longer": 1e-9})
            rows.append(
                key | {"learning_rate": 2, "validation": 0.4, "error": error, "error_longer": 2 * error}
            )
    return Table("made_up", "2026-11-24", {}, {}, {}, rows)


def test_the_learning_rate_is_chosen_without_looking_at_the_test():
    results = made_up(np.full(8, 0.3), np.full(8, 0.6))
    assert [row["learning_rate"] for row in contest.chosen(results, "t", "gru")] == 8 * [2]


def test_a_comparison_is_students_t_on_paired_logarithms():
    rng = np.random.default_rng(0)
    lstm = np.exp(rng.normal(size=8))
    gru = lstm * np.exp(-0.5 + 0.3 * rng.normal(size=8))
    found = contest.compare(made_up(gru, lstm), "t", "gru", "lstm", level=0.9)
    known = stats.ttest_1samp(np.log(gru / lstm), 0).confidence_interval(0.9)
    np.testing.assert_allclose(np.log(found[1:]), known)
    assert np.log(found.ratio) == pytest.approx(np.log(gru / lstm).mean())
    wider = contest.compare(made_up(gru, lstm), "t", "gru", "lstm", level=0.99)
    assert wider.low < found.low < found.ratio < found.high < wider.high


def test_equal_networks_are_noise_and_unequal_ones_are_not():
    rng = np.random.default_rng(1)
    lstm = np.exp(rng.normal(size=8))
    same = contest.compare(made_up(lstm * np.exp(0.2 * rng.normal(size=8)), lstm), "t", "gru", "lstm")
    other = contest.compare(made_up(0.2 * lstm * np.exp(0.2 * rng.normal(size=8)), lstm), "t", "gru", "lstm")
    assert same.noise and not other.noise and other.high < 1


def test_the_interval_holds_what_it_should_as_often_as_it_says():
    rng = np.random.default_rng(2)
    held = 0
    for _ in range(400):
        fake = SimpleNamespace(gru=np.exp(rng.normal(size=8)), lstm=np.exp(rng.normal(size=8)))
        held += contest.compare(made_up(fake.gru, fake.lstm), "t", "gru", "lstm", level=0.8).noise
    assert abs(held / 400 - 0.8) < 4 * np.sqrt(0.8 * 0.2 / 400)


@pytest.mark.parametrize(
    ("cell", "step", "gates", "curves", "single"),
    [("rnn", rnn_step, 1, 1, 3), ("gru", gru_step, 3, 3, 14), ("lstm", lstm_step, 4, 5, 16)],
)
@pytest.mark.parametrize("batch", [(), (6,)])
def test_operations_are_what_the_equations_say(cell, step, gates, curves, single, batch):
    m, n = 7, 5
    parameters = Parameters.initial(cell, m, n, np.random.default_rng(0))
    state = initial_state(cell, n, batch)
    found = counting.operations(step, np.ones((*batch, m)), state, parameters)
    copies = int(np.prod(batch))
    assert found["multiply-adds"] == copies * gates * n * (m + n)
    assert found["curves"] == copies * curves * n
    assert found["element-wise"] == copies * single * n


# The table


@pytest.fixture(scope="module")
def results():
    return table("lstm_against_gru")


def test_the_table_is_complete(results):
    assert [{name: row[name] for name in KEY} for row in results.rows] == contest.KEYS()
    assert {"python", "gatedrnn", "numpy", "torch"} <= results.versions.keys()
    assert results.tolerance == contest.TOLERANCE and results.data == {}
    for row in results.rows:
        assert all(value > 0 for value in (row["validation"], row["error"], row["error_longer"]))
        assert len(row["curve"]) == contest.PIECES


def test_a_row_drawn_at_random_comes_out_again(results):
    """The first tenth of the training to many digits, the end of it within the tolerance.

    Rounding that differs between processors grows during training, so the two are held apart.
    """
    row, key, message = drawn(results.rows, KEY)
    again = contest.compute(key)
    assert again["curve"][0] == pytest.approx(row["curve"][0], rel=2e-4), message
    tolerance = results.tolerance[row["model"]]
    for column in ("validation", "error"):
        assert again[column] == pytest.approx(row[column], abs=tolerance), message
