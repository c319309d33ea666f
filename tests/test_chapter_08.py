"""Chapter 8 says what is true: its table, the claims it draws from it, its leak, its data card."""

import os
from pathlib import Path

import numpy as np
import pytest
from conftest import built_book, drawn
from gatedrnn import datasets, decoders
from gatedrnn.experiments import calcium_spikes, table
from nbclient import NotebookClient

ROOT = Path(__file__).resolve().parent.parent
CHAPTER = ROOT / "chapters" / "applications" / "08-spikes-from-calcium.md"
KEY = ("recording", "model", "fold", "seed")

needs_recordings = pytest.mark.skipif(
    datasets.locate("calcium_gt_cascade") is None,
    reason="needs calcium_gt_cascade: gatedrnn data fetch calcium_gt_cascade",
)


@pytest.fixture(scope="module")
def results():
    return table("calcium_spikes")


def scores(results, model, column="r_0.2", recording="real"):
    return calcium_spikes.by_recording(results, column, recording=recording, model=model)


def off(results, model, column="ratio"):
    return np.abs(np.log2(scores(results, model, column)))


# The table


def test_the_table_is_complete(results):
    assert [{name: row[name] for name in KEY} for row in results.rows] == calcium_spikes.KEYS()
    assert results.tolerance == calcium_spikes.TOLERANCE and len(results.data) == 23
    for row in results.rows:
        lists = [value for value in row.values() if isinstance(value, list)]
        assert {len(values) for values in lists} == {len(row["test"])}


def a_row_comes_out_again(results, recording):
    row, key, message = drawn(results.where(recording=recording), KEY)
    again = calcium_spikes.compute(key)
    assert again["test"] == row["test"] and again["chosen"] == row["chosen"], message
    tolerance = results.tolerance[row["model"]]
    for width in calcium_spikes.WIDTHS:
        one, other = again[f"r_{width}"], row[f"r_{width}"]
        np.testing.assert_allclose(one, other, atol=tolerance, err_msg=message)
    np.testing.assert_allclose(again["ratio"], row["ratio"], rtol=5 * tolerance, err_msg=message)


def test_a_random_row_of_the_simulation_comes_out_again(results):
    a_row_comes_out_again(results, "simulated")


@needs_recordings
def test_a_random_row_of_real_neurons_comes_out_again(results):
    a_row_comes_out_again(results, "real")


def test_quick_numbers_of_before_are_reached(results):
    floors = {"derivative": 0.819, "filter": 0.794, "lstm": 0.816, "lstm_tenth": 0.871, "lstm_both": 0.910}
    for model, floor in floors.items():
        assert np.median(scores(results, model)) >= floor, model


# What the prose draws from it


def test_in_the_linear_world_the_filter_is_not_beaten(results):
    linear = {m: scores(results, m, recording="simulated") for m in ("filter", "squashed", "lstm_both")}
    assert np.median(linear["filter"]) > np.median(linear["squashed"])  # squashing costs something
    assert (linear["filter"] > linear["lstm_both"]).sum() > 8


def test_squashing_the_light_helps_real_neurons_in_every_cell(results):
    assert (scores(results, "squashed") > scores(results, "filter")).all()


def test_the_rise_is_worth_more_than_its_spread_and_without_it_the_derivative_wins(results):
    gain = scores(results, "lstm") - scores(results, "lstm_light")
    assert gain.mean() > 2 * gain.std(ddof=1)
    assert np.median(scores(results, "lstm_light")) < np.median(scores(results, "derivative"))


def test_a_tenth_of_a_second_buys_what_the_whole_future_is_worth(results):
    causal, tenth, both = (scores(results, m) for m in ("lstm", "lstm_tenth", "lstm_both"))
    assert (tenth > causal).sum() > 20
    more = both - tenth
    assert abs(more.mean()) < more.std(ddof=1) / 2
    causal_lead = causal - scores(results, "squashed_causal")
    assert 0 < causal_lead.mean() < causal_lead.std(ddof=1)


def test_networks_lead_the_best_simple_reader_and_gru_and_lstm_are_alike(results):
    for model in ("lstm_tenth", "lstm_both"):
        lead = scores(results, model) - scores(results, "squashed")
        assert lead.mean() > 0 and (lead > 0).sum() >= 15, model
    alike = scores(results, "gru_both") - scores(results, "lstm_both")
    assert abs(alike.mean()) < alike.std(ddof=1)


def test_in_the_number_of_spikes_the_deconvolution_is_level_with_the_network(results):
    nearer = (off(results, "deconvolution") < off(results, "lstm_both")).sum()
    assert 8 <= nearer <= 15
    assert np.median(off(results, "deconvolution")) < np.median(off(results, "lstm_both"))
    for model in ("derivative", "squashed"):
        assert np.median(off(results, model)) > np.median(off(results, "lstm_both"))
    assert np.median(off(results, "raw")) < np.log2(1.4)  # the area under the light is a fair count


def test_new_noise_hurts_the_deconvolution_least_and_networks_become_shy(results):
    simple, trained = ("derivative", "squashed"), ("lstm_tenth", "lstm_both")
    loss = {
        model: np.median(scores(results, model)) - np.median(scores(results, model, "r_0.2_added_0.2"))
        for model in (*simple, *trained, "deconvolution")
    }
    assert min(loss, key=loss.get) == "deconvolution"
    for model in (*simple, "deconvolution"):
        assert np.median(scores(results, model, "ratio_added_0.2")) > 1.5
    for model in trained:
        assert np.median(scores(results, model, "ratio_added_0.2")) < 1
    shy = np.median(scores(results, "lstm_tenth", "r_0.2_added_0.2"))
    assert shy < np.median(scores(results, "deconvolution", "r_0.2_added_0.2")) + 0.01
    met = scores(results, "lstm_both_jitter", "r_0.2_added_0.2")
    assert (met - scores(results, "lstm_both", "r_0.2_added_0.2")).mean() > 0


def test_the_quiet_leak_flatters_who_can_tell_the_cells_apart(results):
    for model, low, high in (("squashed", -0.005, 0.005), ("lstm_both", 0.001, 0.05)):
        dealt, apart = (
            np.nanmedian(scores(results, model, recording=name))
            for name in ("real_stretches", "stretches_by_neuron")
        )
        assert low < dealt - apart < high, model


# The leak, and the honest split


def test_the_split_of_the_table_passes_the_check_and_the_leak_does_not(monkeypatch):
    stand_ins = [datasets.simulate_calcium(seed, 130.0, frame_rate=30.0) for seed in range(8)]
    monkeypatch.setattr(calcium_spikes, "load_calcium", lambda: stand_ins)
    calcium_spikes.recordings.cache_clear()
    try:
        for name in ("simulated", "real", "stretches_by_neuron"):
            for fold in range(calcium_spikes.FOLDS):
                sides = calcium_spikes.split(name, fold)
                everything = calcium_spikes.recordings(name)
                decoders.check_neurons(*([everything[k] for k in side] for side in sides))
        everything = calcium_spikes.recordings("real_stretches")
        for fold in range(calcium_spikes.FOLDS):
            sides = calcium_spikes.split("real_stretches", fold)
            with pytest.raises(decoders.LeakError, match="on both sides"):
                decoders.check_neurons(*([everything[k] for k in side] for side in sides))
    finally:
        calcium_spikes.recordings.cache_clear()


@pytest.mark.notebook
def test_the_page_shows_what_the_leak_pretends(said):
    assert said["leak_shuffled"] > said["leak_neuron"] + 0.15


# The page


@pytest.mark.notebook
def test_the_kinetics_are_recovered(said):
    for name, within in {"rise": 10, "decay": 5, "amplitude": 5}.items():
        assert said[f"off_{name}"] < within
        assert said[f"found_{name}"] == pytest.approx(said[f"true_{name}"], rel=within / 100)


@pytest.mark.notebook
def test_what_is_recomputed_on_the_page_equals_the_table(said, results):
    assert said["sim_drift"] <= 2 * results.tolerance["derivative"]
    assert said["again_drift"] <= results.tolerance["lstm_tenth"]


@pytest.mark.notebook
def test_the_page_builds_without_the_recordings_and_says_so(tmp_path):
    notebook = built_book().read_notebook(CHAPTER)
    blocked = dict.fromkeys(("http_proxy", "https_proxy", "HTTPS_PROXY"), "http://127.0.0.1:9")
    environment = {name: value for name, value in os.environ.items() if name != "GATEDRNN_DATA"}
    environment |= {"XDG_CACHE_HOME": str(tmp_path), **blocked}
    client = NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(CHAPTER.parent)}})
    client.execute(env=environment)
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    words = [o["data"]["text/markdown"] for o in outputs if "text/markdown" in o.get("data", {})]
    assert any("built without the recordings" in text for text in words)
    assert any(text.startswith("**Recomputed on simulated light**") for text in words)
    assert not any("Recomputed on this page" in text for text in words)


def grown(seed, exponent):
    """A recording whose light is bent: each group of n spikes peaks at n ** exponent single ones."""
    rng = np.random.default_rng(seed)
    starts = 2.0 + 3.0 * np.arange(60)
    sizes = rng.integers(1, 4, size=60)
    fired = np.concatenate([start + 0.01 * np.arange(n) for start, n in zip(starts, sizes, strict=True)])
    time = np.arange(0, 185, 1 / 100)
    light = sum(
        n**exponent * np.where(time > start + 0.05, np.exp(-(time - start) / 0.5), 0.0)
        for start, n in zip(starts, sizes, strict=True)
    )
    return datasets.CalciumRecording(time, light, fired, np.array([0]), "bent")


@pytest.mark.parametrize("exponent", [1.0, 1.6])
def test_the_growth_of_the_light_with_the_spikes_is_measured(exponent):
    peaks = [calcium_spikes.peak(grown(1, exponent), n) for n in (1, 2, 3)]
    np.testing.assert_allclose(np.array(peaks) / peaks[0], np.arange(1, 4) ** exponent, rtol=0.05)
    assert np.isnan(calcium_spikes.peak(grown(1, exponent), 9))


@needs_recordings
def test_the_data_card_describes_the_recordings(source):
    recordings = datasets.load_calcium()
    spikes = sum(len(recording.spike_times) for recording in recordings)
    seconds = sum(recording.time[-1] for recording in recordings)
    assert (len(recordings), spikes, round(seconds)) == (23, 6783, 4297)
    assert "4,297 s and 6,783 spikes" in source and "23 neurons" in source
    speeds = [recording.frame_rate for recording in recordings]
    assert (round(min(speeds)), round(max(speeds))) == (158, 180) and "158 to 180 frames" in source
    assert len({recording.neuron for recording in recordings}) == 23
    relative = [calcium_spikes.peak(r, 3) / calcium_spikes.peak(r, 1) for r in recordings]
    assert np.nanmedian(relative) > 3.5  # more than in proportion
