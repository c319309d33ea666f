"""Chapter 12 says what is true: scans in pairs, what a gate must see, leaks from the future, its table."""

import json
from pathlib import Path

import javascript
import numpy as np
import pytest
import torch
from conftest import drawn
from gatedrnn import layers, scan, tasks, widgets
from gatedrnn.decoders import RecurrentDecoder
from gatedrnn.experiments import minimal_cells, table
from gatedrnn.widgets.scan_tree import pulses, rounds

ROOT = Path(__file__).resolve().parent.parent
CHAPTER = ROOT / "chapters" / "applications" / "12-what-came-next.md"


# The live figure


@pytest.mark.parametrize("doublings", [2, 3, 6])
def test_rounds_end_at_the_states_of_a_walk_and_are_as_many_as_said(doublings):
    steps, rng = 2**doublings, np.random.default_rng(doublings)
    keep, new = rng.uniform(size=(2, steps))
    told = rounds(keep, new)
    assert len(told) - 1 == 2 * doublings - 1
    walk, h = [], 0.0
    for k, v in zip(keep, new, strict=True):
        h = k * h + v
        walk.append(h)
    np.testing.assert_allclose(told[-1]["new"], walk, rtol=1e-13)
    assert (told[-1]["first"] == 0).all()
    # every summary of every round is what a walk through its own steps gives
    for one in told:
        for t in (0, steps // 2, steps - 1):
            h = 0.0
            for s in range(one["first"][t], t + 1):
                h = keep[s] * h + new[s]
            assert one["new"][t] == pytest.approx(h, rel=1e-12)
    assert sum(one["joined"].sum() for one in told) == 2 * steps - 2 - doublings


@pytest.mark.parametrize("numbers", [{}, {"doublings": 2, "keep": 1.0}, {"doublings": 6, "keep": 0.05}])
def test_the_figure_computes_what_numpy_computes(numbers):
    figure = widgets.ScanTree(**numbers)
    steps = 2**figure.doublings
    script = f"""
    import {{ pulseTrain, scanRounds }} from {json.dumps(javascript.CORE)};
    process.stdout.write(JSON.stringify(scanRounds(Array({steps}).fill({figure.keep}), pulseTrain({steps}))));
    """
    told, expected = javascript.run(script), figure.told()
    assert len(told) == len(expected)
    np.testing.assert_array_equal(told[0]["added"], pulses(steps))
    for one, other in zip(told, expected, strict=True):
        for name, twin in (("kept", "keep"), ("added", "new"), ("first", "first"), ("joined", "joined")):
            np.testing.assert_allclose(one[name], other[twin], rtol=0, atol=1e-6)


def test_the_figure_counts_and_draws_itself():
    from matplotlib import pyplot

    figure = widgets.ScanTree(doublings=6, round=11)
    assert figure.numbers() == {"done": 64.0, "walked": 11.0, "joined": 120.0, "rounds": 11.0}
    still = widgets.ScanTree(doublings=2, round=11)  # four steps are done after three rounds
    assert still.numbers()["done"] == still.numbers()["walked"] == 4
    picture = figure.picture()
    assert len(picture.axes[0].patches) == 64
    pyplot.close(picture)


# What a gate must see


def test_parity_counts_pulses_and_a_step_alone_does_not_tell():
    inputs, odd = tasks.parity(np.random.default_rng(0), 4000, 9)
    assert inputs.shape == (9, 4000, 1) and odd.shape == (9, 4000)
    np.testing.assert_array_equal(odd, [inputs[: t + 1, :, 0].sum(axis=0) % 2 for t in range(9)])
    for press in (0, 1):
        seen = odd[1:][inputs[1:, :, 0] == press]
        assert seen.mean() == pytest.approx(0.5, abs=0.02)
    with pytest.raises(ValueError, match="steps of 1 or more, got 0"):
        tasks.parity(np.random.default_rng(0), 2, 0)


def test_a_minimal_unit_keeps_states_in_their_order():
    torch.manual_seed(0)
    for kind in (scan.MinGRU, scan.MinLSTM):
        cell, x = kind(1, 8, dtype=torch.float64), 5 * torch.randn(40, 3, 1, dtype=torch.float64)
        low, high = (torch.full((1, 3, 8), value, dtype=torch.float64) for value in (-2.0, 3.0))
        assert (cell(x, low)[0] <= cell(x, high)[0]).all()


def test_a_negative_share_turns_the_state_over_and_can_be_scanned_step_by_step():
    inputs, odd = tasks.parity(np.random.default_rng(1), 16, 300)
    assert ((np.cumprod(1 - 2 * inputs[..., 0], axis=0) < 0) == odd).all()


@pytest.mark.parametrize("model", minimal_cells.OPEN)
def test_open_gates_keep_for_the_time_constants_asked_for(model):
    torch.manual_seed(3)
    cell = minimal_cells.layer(model, 5, 4000)
    minimal_cells.open_gates(cell, 40)
    with torch.no_grad():
        bias = cell.to_gates.bias.chunk(cell.gates)
        kept = cell._gates(bias)[0].exp()
        tau = 1 / (1 - kept)  # (τ − 1)/τ is kept
    assert tau.min() >= 1 - 1e-9 and tau.max() <= 40
    assert tau.mean().item() == pytest.approx(20.5, abs=0.6)


# Looking ahead


@pytest.mark.parametrize("made", [scan.MinGRU, scan.MinLSTM, layers.RNN, layers.GRU, layers.LSTM])
def test_no_layer_of_the_book_looks_ahead(made):
    torch.manual_seed(0)
    scan.check_order(made(2, 3), torch.randn(9, 2, 2))


def attention(x, mask):
    scores = torch.einsum("tbi,sbi->tsb", x, x)
    if mask:
        scores = scores.masked_fill(torch.ones(len(x), len(x)).triu(1).bool()[..., None], -torch.inf)
    return torch.einsum("tsb,sbi->tbi", scores.softmax(1), x)


def test_what_looks_ahead_is_found_with_the_step():
    x = torch.randn(9, 2, 2, generator=torch.Generator().manual_seed(1))
    cell = scan.MinGRU(2, 3)
    scan.check_order(lambda x: attention(x, mask=True), x)
    leaks = {
        "step 0 depends on the input of step 1": lambda x: cell(x.flip(0))[0].flip(0),
        "step 0 depends on the input of step 1, which": lambda x: attention(x, mask=False),
        "step 0 depends on the input of step 2": lambda x: torch.cat([x[2:], x[-2:]]),
        "step 4 depends on the input of step 8": lambda x: x + x[8] * (torch.arange(9) == 4)[:, None, None],
    }
    for words, leak in leaks.items():
        with pytest.raises(ValueError, match=words):
            scan.check_order(leak, x)


# The table


def test_a_minimal_decoder_decodes_bin_by_bin_and_has_one_direction():
    recording = minimal_cells.motor_decoding.recording("simulated")
    train, test = minimal_cells.motor_decoding.split(recording, 0, reaches=10)
    decoder = RecurrentDecoder("min_gru", hidden_size=8, epochs=2).fit(train)
    first, whole = slice(0, test.starts[1]), decoder.predict(test)
    state, walked = None, []
    for counts in test.spikes[first]:
        guess, state = decoder.step(counts, state)
        walked.append(guess)
    np.testing.assert_allclose(walked, whole[first], atol=1e-12)
    with pytest.raises(ValueError, match="one direction"):
        RecurrentDecoder("min_lstm", bidirectional=True)


def test_the_table_is_whole():
    rows = table("minimal_cells").rows
    wanted = minimal_cells.KEYS()
    assert [{name: row[name] for name in key} for row, key in zip(rows, wanted, strict=True)] == wanted


def test_a_row_drawn_at_random_comes_out_again():
    found = table("minimal_cells")
    cheap = [row for row in found.rows if row["task"] == "parity" or row["delay"] == 10]
    row, key, message = drawn(cheap, minimal_cells.KEYS()[0])
    again = minimal_cells.compute(key)
    for name in ("accuracy", "accuracy_long"):
        if name in again:
            assert again[name] == pytest.approx(row[name], abs=found.tolerance[row["task"]]), message


# What the page says


@pytest.mark.notebook
def test_both_ways_agree_and_pairs_keep_their_digits(said):
    assert said["apart"] < 1e-12 and said["attention_gap"] < 1e-12
    assert said["products_dead"] < 200
    assert said["off_start"] > 100 * said["off_pairs"] and said["off_pairs"] < 1e-6
    assert said["tree_rounds"] == 11 and said["tree_joined"] == 120


@pytest.mark.notebook
def test_an_open_start_decides_and_not_the_kind_of_cell(said):
    assert said["recall_new_10"] == 8 and said["recall_old_10"] == 4  # all of the GRU, none of the LSTM
    assert said["recall_new_40"] <= 1 and said["recall_old_40"] <= 1
    assert said["recall_new_open_160"] >= 6
    assert said["tau_longest"] > said["tau_half"] > said["tau_start"]


@pytest.mark.notebook
def test_a_switch_needs_a_gate_that_sees_it(said):
    for name in ("gru", "lstm"):
        assert said[f"parity_{name}_accuracy_long"] > 99
    for name in ("min_gru", "min_gru_tall"):
        assert said[f"parity_{name}_accuracy_best"] < 90 and said[f"parity_{name}_accuracy_long_best"] < 55


@pytest.mark.notebook
def test_one_minimal_layer_loses_to_the_regression_and_a_second_closes_most_of_the_gap(said):
    for task in ("simulated", "real"):
        for cell in ("min_gru", "min_lstm"):
            assert said[f"{task}_{cell}_lost"] == 5
            assert said[f"{task}_{cell}"] < said[f"{task}_wiener"] - 0.03
            assert said[f"{task}_{cell}_gap"] + said[f"{task}_{cell}_sd"] < -0.03
            assert said[f"{task}_{cell}_tall_gap"] > 0.25 * said[f"{task}_{cell}_gap"]
        assert abs(said[f"{task}_min_gru_tall"] - said[f"{task}_wiener"]) < 0.03
    assert said["real_min_gru_tall"] < said["real_wiener"]


@pytest.mark.notebook
def test_the_peek_is_worth_much_and_honesty_nothing(said):
    assert abs(said["leak_honest"]) < 0.05 and said["leak_peeking"] > 0.25
