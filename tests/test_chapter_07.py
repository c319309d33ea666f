"""Chapter 7 says what is true, with the recording at hand and without it.

With the recordings (skipped where there are none) the chapter is taken as the book has executed it; without
them it is executed here. Claims of the prose are compared with the numbers that it computes.
"""

import os
import re
from pathlib import Path

import jupytext
import numpy as np
import pytest
from conftest import executed
from gatedrnn.datasets import locate
from gatedrnn.experiments import position_decoding, table
from nbclient import NotebookClient

ROOT = Path(__file__).resolve().parent.parent
CHAPTER = ROOT / "chapters" / "applications" / "07-decoding.md"


class Executed:
    """What the chapter glued, displayed and printed."""

    def __init__(self, notebook):
        self.glued, self.markdown, self.pictures, self.streams = {}, [], 0, []
        for cell in notebook.cells:
            for output in cell.get("outputs", []):
                self._take(output)

    def _take(self, output):
        name = output.get("metadata", {}).get("scrapbook", {}).get("name")
        if name:
            text = output["data"]["application/papermill.record/text/plain"]
            self.glued[name] = text.strip("'") if text.startswith("'") else float(text)
        elif output.output_type == "stream":
            self.streams.append((output.name, output.text))
        elif "text/markdown" in output.get("data", {}):
            self.markdown.append(output["data"]["text/markdown"])
        elif "image/svg+xml" in output.get("data", {}):
            self.pictures += 1


def environment(**changes):
    """This environment, in which some variables are set or (None) unset."""
    result = {name: value for name, value in os.environ.items() if changes.get(name, value) is not None}
    return result | {name: value for name, value in changes.items() if value is not None}


@pytest.fixture(scope="module")
def without(tmp_path_factory):
    empty = str(tmp_path_factory.mktemp("cache"))
    # A proxy that nobody serves: an attempt to download would fail loudly.
    blocked = dict.fromkeys(("http_proxy", "https_proxy", "HTTPS_PROXY"), "http://127.0.0.1:9")
    notebook = jupytext.read(CHAPTER)
    client = NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(CHAPTER.parent)}})
    alike = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")  # as the book
    client.execute(env=environment(GATEDRNN_DATA=None, XDG_CACHE_HOME=empty, **blocked, **alike))
    return Executed(notebook)


@pytest.fixture(scope="module")
def with_recording():
    for name in ("m1_reach_dad", "hippocampus_ca1_zivlab"):
        if locate(name) is None:
            pytest.skip(f"the recording {name} is not on this machine: gatedrnn data fetch {name}")
    return Executed(executed(CHAPTER))


@pytest.fixture(scope="module")
def results():
    return table("motor_decoding")


@pytest.fixture(scope="module")
def places():
    return table("position_decoding")


# Both ways


@pytest.mark.notebook
@pytest.mark.parametrize("way", ["without", "with_recording"])
def test_every_number_in_the_prose_is_computed_and_every_computed_number_is_used(way, source, request):
    glued = request.getfixturevalue(way).glued
    assert set(re.findall(r"\{glue:text\}`(\w+)", source)) == set(glued)
    assert all(np.isfinite(value) for value in glued.values() if isinstance(value, float))


@pytest.mark.notebook
def test_the_page_says_which_way_it_was_built(without, with_recording):
    assert any("built without the recording" in text for text in without.markdown)
    assert any("built with the recording at hand" in text for text in with_recording.markdown)
    assert not any("Recomputed on this page" in text for text in without.markdown)
    assert any("Recomputed on this page" in text for text in with_recording.markdown)


@pytest.mark.notebook
@pytest.mark.parametrize("way", ["without", "with_recording"])
def test_every_figure_is_drawn_and_nothing_is_written_to_stderr(way, request):
    page = request.getfixturevalue(way)
    assert page.pictures >= 10
    assert [text for name, text in page.streams if name == "stderr"] == []


@pytest.mark.notebook
def test_numbers_from_table_and_simulation_do_not_depend_on_the_recording(without, with_recording):
    timed = {"slowest_step"}
    for name in without.glued.keys() - timed:
        assert without.glued[name] == with_recording.glued[name], name


@pytest.mark.notebook
def test_what_is_recomputed_equals_the_table(without, with_recording, results):
    assert without.glued["sim_drift"] <= results.tolerance["lstm"]
    (line,) = [text for text in with_recording.markdown if "Recomputed on this page" in text]
    for model, label in {"wiener": "Wiener", "kalman": "Kalman", "gru": "GRU", "lstm": "LSTM"}.items():
        (row,) = results.where(recording="real", model=model, fold=1, seed=0, reaches=None)
        shown = float(re.search(rf"{label} (\d\.\d+)", line)[1])
        assert shown == pytest.approx(row["r2"], abs=results.tolerance[model] + 5e-4)


@pytest.mark.notebook
def test_the_leaky_split_is_refused_and_flatters(without):
    assert any("keep every reach whole" in text for _, text in without.streams)
    said = without.glued
    assert said["leak_sliding_shuffled"] > said["leak_sliding_blocks"] + 0.5
    assert abs(said["leak_fine_shuffled"] - said["leak_fine_blocks"]) < 0.05


@pytest.mark.notebook
def test_the_tuning_is_recovered(without):
    assert without.glued["angle_error"] < 6
    assert without.glued["explained"] < 20  # a cell alone says little


@pytest.mark.notebook
def test_no_decoder_beats_the_ideal(without, results):
    ideal = results.by_fold(recording="simulated", model="ideal", reaches=None)
    for model in ("wiener", "kalman", "rnn", "gru", "lstm"):
        assert (results.by_fold(recording="simulated", model=model, reaches=None) < ideal).all()
    assert without.glued["ideal_here"] == pytest.approx(without.glued["sim_ideal"], abs=0.02)


@pytest.mark.notebook
def test_the_echo_of_the_wiener_filter_ends_with_its_last_tap(without):
    assert without.glued["wiener_beyond"] == 0
    assert without.glued["kalman_slowest"] > 50


@pytest.mark.notebook
def test_streaming_equals_decoding_at_once(without):
    assert without.glued["stream_gap"] < 1e-9


# The claims that the prose makes about the table


def paired(results, recording, model):
    both = [results.by_fold(recording=recording, model=m, reaches=None) for m in (model, "wiener")]
    return both[0] - both[1]


def test_on_the_simulation_the_lstm_beats_the_wiener_filter_by_more_than_the_spread(results):
    difference = paired(results, "simulated", "lstm")
    assert difference.min() > 0 and difference.mean() > 2 * difference.std(ddof=1)
    assert (paired(results, "simulated", "rnn") < 0).all()


def test_on_the_simulation_a_bent_wiener_filter_is_level_with_the_gru(results):
    cascade, gru = (
        results.by_fold(recording="simulated", model=m, reaches=None) for m in ("wiener_cascade", "gru")
    )
    assert abs((cascade - gru).mean()) < 0.01 < paired(results, "simulated", "wiener_cascade").mean()


def test_quick_numbers_of_before_are_reached(results):
    floors = {"wiener_short": 0.604, "rnn": 0.649, "gru": 0.673, "lstm": 0.668}
    for model, floor in floors.items():
        assert results.by_fold(recording="real_overlapping", model=model, reaches=None).mean() > floor


def test_on_the_published_counts_the_gates_beat_the_wiener_filter(results):
    for model in ("gru", "lstm"):
        difference = paired(results, "real_overlapping", model)
        assert difference.mean() > difference.std(ddof=1), model


def test_on_own_spikes_the_gates_lead_by_less_than_the_spread_and_lose_the_first_fold(results):
    for model in ("gru", "lstm"):
        difference = paired(results, "real", model)
        assert 0 < difference.mean() < difference.std(ddof=1), model
        assert difference[0] < 0, model
    assert paired(results, "real", "rnn").mean() < 0


def test_pairing_does_not_narrow_the_spread_on_the_real_recording(results):
    wiener = results.by_fold(recording="real", model="wiener", reaches=None)
    assert paired(results, "real", "gru").std(ddof=1) > wiener.std(ddof=1)
    gru = results.by_fold(recording="real", model="gru", reaches=None)
    assert gru.argmin() == 0 != wiener.argmin()


def test_our_motor_ranking_differs_from_the_published_one_as_said(without):
    theirs, ours = (without.glued[f"rank_{whose}_motor"].split(" > ") for whose in ("theirs", "ours"))
    networks = ["LSTM", "GRU", "RNN"]
    assert theirs == [*networks, "cascade", "Wiener", "Kalman"]
    assert ours[-2:] == ["RNN", "Kalman"] and ours[0] == "LSTM"


def test_a_window_is_as_good_as_a_carried_state(results):
    window, state = (
        results.by_fold(recording="real", model=m, seed=0, reaches=None) for m in ("gru_window", "gru")
    )
    assert abs((window - state).mean()) < (window - state).std(ddof=1)


def test_the_data_card_describes_the_recording(source, with_recording):
    from gatedrnn.datasets import load_motor

    published = load_motor(locate("m1_reach_dad") / "chewie_demo.mat")
    assert (published.n_bins, published.n_cells, len(published.starts)) == (3018, 71, 98)
    assert "98 reaches to four targets, 71 cells,\n3,018 rows" in source
    assert len(set(published.targets)) == 4 and published.count_bins == 8
    sums = [np.hypot(*part.sum(axis=0)) for part in np.split(published.kinematics, published.starts[1:])]
    assert 180 < np.mean(sums) < 220
    assert np.bincount(published.stops - published.starts).argmax() == 31


def test_own_spikes_give_the_wiener_filter_as_much_as_gates_gave(results):
    own = results.by_fold(recording="real", model="wiener", reaches=None)
    published = results.by_fold(recording="real_overlapping", model="wiener", reaches=None)
    gates = (
        paired(results, "real_overlapping", "gru").mean(),
        paired(results, "real_overlapping", "lstm").mean(),
    )
    assert (own > published).all()
    assert (own - published).mean() == pytest.approx(np.mean(gates), abs=0.005)


def test_with_ten_reaches_the_wiener_filter_wins(results):
    few = {
        m: results.by_fold(recording="real", model=m, reaches=10).mean() for m in ("wiener", "gru", "lstm")
    }
    assert few["wiener"] > max(few["gru"], few["lstm"])


# The second half: place


def place(places, model, recording="1-1-1", way="carried", column="r2"):
    return places.by_fold(column, recording=recording, way=way, model=model)


def test_quick_numbers_of_before_in_ca1(places):
    """Reached by the GRU and, given the border, by the filter; LSTM and both ways come close."""
    assert place(places, "gru").mean() > 0.839
    assert place(places, "wiener", way="reset").mean() > 0.76
    assert place(places, "gru_offline").mean() == pytest.approx(0.872, abs=0.002)
    assert place(places, "lstm").mean() == pytest.approx(0.825, abs=0.02)


def test_bayes_and_the_gru_cannot_be_told_apart_in_ca1(places):
    lead = place(places, "bayes") - place(places, "gru")
    assert abs(lead.mean()) < lead.std(ddof=1)
    assert (place(places, "bayes", "simulated") > place(places, "gru", "simulated")).all()


def test_the_clock_helps_where_laps_are_alike_and_misleads_where_they_are_not(places):
    reset, carried = (place(places, "gru", way=way) for way in ("reset", "carried"))
    assert (reset[1:] > carried[1:] + 0.02).all() and reset[0] < carried[0] - 0.1
    best = max(
        place(places, model)[1:].mean() for model in (*position_decoding.CAUSAL, *position_decoding.OFFLINE)
    )
    assert reset[1:].mean() > best
    assert place(places, "clock", way="reset").argmin() == 0


def test_the_first_block_of_ca1_is_the_hardest_for_everybody(places):
    for model in (*position_decoding.CAUSAL, *position_decoding.OFFLINE):
        assert place(places, model).argmin() == 0, model


def test_networks_and_bayes_beat_every_filter_in_ca1(places):
    filters = [place(places, model) for model in ("ridge", "wiener", "cascade", "kalman", "naive_bayes")]
    for model in ("rnn", "gru", "lstm", "bayes"):
        assert all((place(places, model) - other).mean() > 0 for other in filters), model
    assert place(places, "lstm").mean() < place(places, "rnn").mean() < place(places, "gru").mean()
    for recording in ("1-4-1", "2-1-2", "2-3-1"):
        wiener = place(places, "wiener", recording)
        assert all((place(places, m, recording) > wiener).all() for m in ("bayes", "gru"))


@pytest.mark.notebook
def test_the_clock_flatters_and_a_carried_state_does_not(without):
    said = without.glued
    assert said["clock_laps"] > 0.7 and said["clock_reaches"] < 0.1
    assert said["deaf_reset"] > 0.7 and abs(said["deaf_carried"]) < 0.1
    assert any("need not hear a cell" in text for _, text in without.streams)


@pytest.mark.notebook
def test_the_place_fields_are_recovered(without):
    assert without.glued["field_error"] < 1 and without.glued["map_explained"] > 0.8


@pytest.mark.notebook
def test_what_is_recomputed_about_place_equals_the_table(without, with_recording, places):
    assert without.glued["place_drift"] <= places.tolerance["gru"]
    (line,) = [text for text in with_recording.markdown if "Trained again on this page" in text]
    labels = {"wiener": "Wiener", "bayes": "Bayes, carried", "kalman": "Kalman"}
    for model, label in labels.items():
        (row,) = places.where(recording="1-1-1", way="carried", model=model, fold=1, seed=0)
        shown = float(re.search(rf"{label} (\d\.\d+)", line)[1])
        assert shown == pytest.approx(row["r2"], abs=places.tolerance[model] + 5e-4)
    assert not any("Trained again on this page" in text for text in without.markdown)


def test_the_data_card_of_ca1_describes_the_recording(source):
    from gatedrnn.datasets import load_ca1

    if locate("hippocampus_ca1_zivlab") is None:
        pytest.skip("needs hippocampus_ca1_zivlab: gatedrnn data fetch hippocampus_ca1_zivlab")
    sessions = load_ca1()
    cells = [session.n_cells for session in sessions]
    assert len(sessions) == 16 and f"{min(cells)} to {max(cells)} cells" in source
    assert all(100 < session.n_bins * session.bin_width < 175 for session in sessions)
    assert {session.kinematics.min() for session in sessions} == {3}
    assert {session.kinematics.max() for session in sessions} == {22}
