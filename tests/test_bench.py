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


def report(sizes, threads=(1, 2), repeats=9):
    rows = [{"size": list(size)} for size in sizes]
    return {"threads": [{"threads": count, "layers": rows} for count in threads], "repeats": repeats}


def test_the_book_keeps_only_a_whole_report(tmp_path):
    path = tmp_path / "benchmark.json"
    path.write_text("the old one", encoding="utf-8")
    lacking = {
        "all sizes": report(bench.QUICK),
        "one and two threads": report(bench.SIZES, threads=(1,)),
        "nine pairs or more": report(bench.SIZES, repeats=5),
    }
    for words, one in lacking.items():
        assert words in bench.keep(one, path)
        assert path.read_text(encoding="utf-8") == "the old one"
    assert bench.keep(report(bench.SIZES), path) is None
    assert json.loads(path.read_text(encoding="utf-8")) == report(bench.SIZES)
    assert [file.name for file in tmp_path.iterdir()] == ["benchmark.json"]


def test_what_the_book_shows_has_all_that_the_page_asks_for():
    kept = bench.kept()
    for run in kept["threads"]:
        assert {tuple(row["size"]) for row in run["layers"]} == set(bench.SIZES)
        assert {row["cell"] for row in run["layers"]} == set(bench.CELLS)
        assert {(row["cell"], row["against"]) for row in run["minimal"]} >= {("MinGRU", "GRU")}
        for row in run["lstm"]:
            assert 0 < row["floor_products_ms"] < row["whole_ms"] and row["products_ms"] < row["whole_ms"]
    assert all(row["ours_mb"] <= row["theirs_mb"] for row in kept["memory"] if row["ours_mb"] is not None)


def test_the_products_of_a_step_are_those_that_the_layer_does():
    layer, inputs = layers.LSTM(3, 4), torch.randn(5, 2, 3)
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU]) as watched:
        bench.products_of(layer, inputs)()
    called = sum(
        event.count for event in watched.key_averages() if event.key in ("aten::addmm_", "aten::addmm")
    )
    assert called == 1 + 5 + 5 + 2  # input, forth, back, two weights
