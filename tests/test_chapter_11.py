"""Chapter 11 says what is true: its numbers and its table, its leak, and its path for the real file."""

import os
import re
from pathlib import Path

import nbformat
import numpy as np
import pytest
from conftest import built_book, drawn
from gatedrnn import datasets
from gatedrnn.datasets.digests import git_blob
from gatedrnn.datasets.registry import REGISTRY
from gatedrnn.experiments import disruption_warning, table
from nbclient import NotebookClient

ROOT = Path(__file__).resolve().parent.parent
CHAPTER = ROOT / "chapters" / "applications" / "11-fusion.md"
KEY = ("regime", "model", "fold", "seed")


@pytest.fixture(scope="module")
def results():
    return table("disruption_warning")


# The table


def test_the_table_is_complete(results):
    assert [{name: row[name] for name in KEY} for row in results.rows] == disruption_warning.KEYS()
    assert results.tolerance == disruption_warning.TOLERANCE and results.data == {}
    assert {"python", "gatedrnn", "numpy", "torch", "scikit-learn"} <= results.versions.keys()
    for row in results.rows:
        assert len(row["costs"]) == len(disruption_warning.RATIOS)
        assert row["caught"] + row["missed"] <= row["limited"] and len(row["warnings"]) == row["caught"]
        assert np.diff(row["caught_at"]).min() >= 0 and min(row["warnings"]) >= 0.03


def test_a_row_drawn_at_random_comes_out_again(results):
    row, key, message = drawn(results.rows, KEY)
    again = disruption_warning.compute(key)
    tolerance = results.tolerance[row["model"]]
    for column in ("area", "precision_rows", "auc_rows"):
        assert again[column] == pytest.approx(row[column], abs=tolerance), message
    assert again["chosen"] == row["chosen"], message


def test_settings_and_alarms_are_chosen_without_the_test_discharges(monkeypatch):
    whole = disruption_warning.discharges("slow")
    train, test = disruption_warning.split(whole, 2)
    assert not set(train.discharge_ID) & set(test.discharge_ID)
    seen = []
    tune = disruption_warning.tune

    def watch(held, *words):
        seen.append(held)
        return tune(held, *words)

    monkeypatch.setattr(disruption_warning, "tune", watch)
    fitted = []

    class Watched(disruption_warning.GreenwaldFraction):
        def fit(self, discharges):
            fitted.append(set(discharges.discharge_ID))
            return self

    monkeypatch.setattr(disruption_warning, "GreenwaldFraction", Watched)
    monkeypatch.setattr(disruption_warning, "settings", lambda predictor: {})
    disruption_warning.fitted("fraction_mean", train)
    for held in seen:
        assert set(held.discharge_ID) < set(train.discharge_ID)
        assert not set(held.discharge_ID) & fitted[0]  # what tunes the alarm was not fitted to
    assert fitted[-1] == set(train.discharge_ID)


# The page


@pytest.mark.notebook
def test_the_disruptions_that_are_not_caught_have_a_fate(said, results):
    rows = results.where(regime="slow", model="fraction_mean")
    lost = sum(row["limited"] - row["caught"] for row in rows)
    assert said["fate_none"] + said["fate_early"] + said["fate_late"] == lost
    assert said["fate_late"] < said["fate_none"] + said["fate_early"]


@pytest.mark.notebook
def test_what_is_fitted_again_equals_the_table(said, results):
    assert said["drift"] <= max(results.tolerance[m] for m in ("fraction_mean", "logistic_history", "gru"))


@pytest.mark.notebook
def test_the_truth_is_recovered_within_what_the_page_says(said):
    assert said["limit_error"] < 5 and said["spread_error"] < 0.05 and said["tau_error"] <= 30
    assert abs(said["exponent_current"] - 1) < 2 * said["exponent_current_error"]
    assert said["exponent_radius_error"] > 1


@pytest.mark.notebook
def test_the_leak_flatters_and_most_who_can_memorise(said):
    assert said["leak_lookup_row"] > said["leak_lookup_shot"] + 0.3
    assert said["leak_trees_row"] > said["leak_trees_shot"] + 0.2
    assert 0 < said["leak_logistic_row"] - said["leak_logistic_shot"] < 0.1
    for kind, order in (("shot", ("logistic", "trees", "lookup")), ("row", ("trees", "lookup", "logistic"))):
        scores = [said[f"leak_{name}_{kind}"] for name in order]
        assert scores == sorted(scores, reverse=True)


@pytest.mark.notebook
def test_the_missing_sensor_is_worth_more_than_a_network(said):
    assert said["area_with"] > said["area_without"]
    assert said["precision_with"] > said["precision_without"] + 0.05
    assert said["precision_with"] > said["precision_gru_here"] + 0.05


@pytest.mark.notebook
def test_an_area_over_rows_is_kind_to_everybody(said):
    assert said["svm_auc"] > 0.95 and said["svm_false"] > 0.5 * said["svm_caught"]


@pytest.mark.notebook
def test_no_alarm_is_dearer_than_the_rule_of_thumb(said):
    assert said["example_cost"] < said["never_cost"]
    assert said["puff_time"] == pytest.approx(109.86, abs=0.01)


@pytest.mark.notebook
def test_rows_from_the_future_are_told_apart(said):
    assert said["ahead_held"] == 0 and 48 < said["ahead_filled"] < 52


# The real file, by a simulated one of its form


@pytest.fixture(scope="module")
def stand_in(tmp_path_factory):
    """A data folder with a simulated table in the place of the real one."""
    folder = tmp_path_factory.mktemp("data")
    (folder / "open_density_limit").mkdir()
    d = datasets.simulate_density_limit(seed=9, n_discharges=220, interpolated=True)
    names = list(d.units)
    columns = np.column_stack([getattr(d, name) for name in names])
    path = folder / "open_density_limit" / "DL_DataFrame.csv"
    np.savetxt(path, columns, delimiter=",", header=",".join(names), comments="", fmt="%.9g")
    return path


def test_a_file_with_another_hash_is_not_taken_for_the_real_one(stand_in, monkeypatch):
    monkeypatch.setenv("GATEDRNN_DATA", str(stand_in.parent.parent))
    assert datasets.locate("open_density_limit") is None
    with pytest.raises(datasets.DataUnavailable, match="git_blob differs"):
        datasets.load_density_limit()
    (entry,) = REGISTRY["open_density_limit"].files
    assert (entry.kind, entry.digest) == ("git_blob", "59666c60dddaf042a858392e000919570cd87612")


ACCEPT = """
import dataclasses
from gatedrnn.datasets.registry import REGISTRY

entry = REGISTRY["open_density_limit"]
files = (dataclasses.replace(entry.files[0], digest="{digest}"),)
REGISTRY["open_density_limit"] = dataclasses.replace(entry, files=files)
"""


@pytest.mark.notebook
def test_the_page_runs_the_same_cells_on_the_file_once_it_is_there(stand_in):
    """The set-up and the cells of the real machine, with the stand-in's hash in place of the real one."""
    page = built_book().read_notebook(CHAPTER)
    cells = [cell for cell in page.cells if cell.cell_type == "code"]
    begin = next(n for n, cell in enumerate(cells) if cell.source.startswith("place = datasets.locate"))
    end = next(n for n, cell in enumerate(cells) if "built without the table" in cell.source)
    chosen = [*cells[:2], nbformat.v4.new_code_cell(ACCEPT.format(digest=git_blob(stand_in)))]
    page.cells = [*chosen, *cells[begin : end + 1]]
    environment = os.environ | {"GATEDRNN_DATA": str(stand_in.parent.parent)}
    NotebookClient(page, timeout=300, resources={"metadata": {"path": str(CHAPTER.parent)}}).execute(
        env=environment
    )
    (told,) = [
        o["data"]["text/markdown"] for o in page.cells[-1].outputs if "text/markdown" in o.get("data", {})
    ]
    assert "built with the table at hand" in told and "220 discharges" in told
    limit, wait = (float(re.search(words, told)[1]) for words in (r"load of (\d\.\d+)", r"constant (\d+) ms"))
    assert limit == pytest.approx(0.85, abs=0.12) and 40 <= wait <= 200
    assert re.search(r"(49|50|51) % of the changing rows", told)
    for label in ("Greenwald, averaged", "logistic, history", "GRU"):
        row = re.search(rf"\| {label} \| (\d\.\d+) \|", told)
        assert float(row[1]) > 0.8


@pytest.mark.notebook
def test_without_the_file_the_page_says_how_to_get_it(source):
    assert "This page was built without the table" in source
    assert "gatedrnn data fetch open_density_limit" in source


# The claims that the prose makes about the table


def paired(results, regime, model, baseline="fraction_mean", column="precision_rows"):
    one, other = (results.by_fold(column, regime=regime, model=name) for name in (model, baseline))
    return one - other


def costs(results, regime, model):
    place = disruption_warning.RATIOS.index(disruption_warning.RATIO)
    return np.mean([row["costs"][place] for row in results.where(regime=regime, model=model)])


def test_history_lifts_precision_in_most_folds(results):
    assert (paired(results, "slow", "fraction_mean", "fraction") > 0).sum() >= 4
    assert (paired(results, "slow", "logistic_history", "logistic") > 0).all()


def test_on_slow_nobody_is_ahead_of_an_average_by_more_than_the_spread(results):
    for model in ("logistic_history", "boosting_history", "gru", "lstm"):
        gap = paired(results, "slow", model)
        assert gap.mean() < gap.std(ddof=1), model
    assert paired(results, "slow", "lstm").mean() < 0


def test_with_many_discharges_the_regression_with_history_is_ahead_of_average_and_gru(results):
    gap = paired(results, "many", "logistic_history")
    assert (gap > 0).all() and gap.mean() > gap.std(ddof=1)
    assert (paired(results, "many", "gru", "logistic_history") < 0).all()
    assert (paired(results, "many", "boosting_history") > 0).all()


def test_where_the_limit_is_prompt_one_row_is_enough(results):
    areas = {m: results.by_fold("area", regime="prompt", model=m).mean() for m in ("fraction", "gru")}
    assert areas["fraction"] > 0.997 and abs(areas["gru"] - areas["fraction"]) < 0.003
    assert costs(results, "prompt", "fraction") < costs(results, "prompt", "fraction_mean")
    assert costs(results, "prompt", "boosting_history") < costs(results, "prompt", "fraction") / 2
    place = disruption_warning.RATIOS.index(10)
    paid = {
        model: np.array(
            [
                np.mean([r["costs"][place] for r in results.where(regime="prompt", model=model, fold=fold)])
                for fold in range(disruption_warning.FOLDS)
            ]
        )
        for model in ("fraction", "gru")
    }
    saved = paid["fraction"] - paid["gru"]
    assert abs(saved.mean()) < saved.std(ddof=1)


def test_every_predictor_is_cheaper_than_not_looking(results):
    for row in results.rows:
        share = row["limited"] / row["discharges"]
        assert row["costs"][2] < min(1, 10 * share), {name: row[name] for name in KEY}


def test_warnings_are_longer_than_the_deadline_by_far_and_begin_before_the_phase(results):
    for model in disruption_warning.WITH_HISTORY:
        warned = np.concatenate([row["warnings"] for row in results.where(regime="slow", model=model)])
        assert 0.16 < np.median(warned) < 0.25
        assert (warned < 0.05).mean() < 0.1
