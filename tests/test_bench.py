"""The benchmark runs and writes what it says; nothing here looks at a time."""

import json

import pytest
import torch
from gatedrnn import bench, layers


def test_it_measures_everything_and_writes_it_down(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(bench, "QUICK", [(3, 2, 2, 2)])
    monkeypatch.setattr(bench, "LENGTHS", [5])
    # A fresh process takes seconds to import torch; here the step is taken in this one.
    monkeypatch.setattr(
        bench, "peak_memory", lambda cell, size, module: float(bench.one_step(module, cell, size))
    )
    before = torch.get_num_threads(), layers.HAND_OVER
    path = tmp_path / "bench.json"
    try:
        assert bench.main(["--quick", "--threads", "1", "--repeats", "2", "--json", str(path)]) == 0
    finally:
        torch.set_num_threads(before[0])
    assert before[1] == layers.HAND_OVER
    report = json.loads(path.read_text(encoding="utf-8"))
    assert [row["cell"] for row in report["threads"][0]["layers"]] == bench.CELLS
    assert [row["cell"] for row in report["threads"][0]["loop"]] == ["RNN", "GRU", "LSTM"]
    assert [row["cell"] for row in report["memory"]] == bench.CELLS
    assert report["threads"][0]["minimal"][0]["steps"] == 5
    printed = capsys.readouterr().out
    assert "LSTM by hand, ours against torch.nn, 1 thread" in printed
    assert "geometric mean of the ratios: training" in printed


@pytest.mark.parametrize("cell", ["RNN", "LSTM", "GRU"])
def test_the_textbook_loop_computes_the_same_cell(cell):
    loop, module = bench.Loop(cell, 3, 4), getattr(torch.nn, cell)(3, 4)
    with torch.no_grad():
        module.weight_ih_l0.copy_(loop.from_input.weight)
        module.weight_hh_l0.copy_(loop.from_hidden.weight)
        module.bias_ih_l0.copy_(loop.from_input.bias)
        module.bias_hh_l0.copy_(loop.from_hidden.bias)
    x = torch.randn(5, 2, 3)
    torch.testing.assert_close(loop(x)[0], module(x)[0])


def test_the_geometric_mean_lets_opposite_ratios_cancel():
    assert bench.geometric_mean([0.5, 2.0]) == pytest.approx(1.0)
