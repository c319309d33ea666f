"""Chapter 10 says what is true: what it glues, what its table holds, and that the table comes out again."""

import re
from pathlib import Path

import numpy as np
import pytest
from conftest import drawn
from gatedrnn.datasets import REGISTRY, locate, simulate_icu
from gatedrnn.experiments import icu_mortality, table

ROOT = Path(__file__).resolve().parent.parent
CHAPTER = ROOT / "chapters" / "applications" / "10-medicine.md"
KEY = ("ward", "model", "fold", "seed")
have_stays = locate("physionet2012_seta") is not None
needs_stays = pytest.mark.skipif(
    not have_stays, reason="needs the stays: gatedrnn data fetch physionet2012_seta"
)


@pytest.fixture(scope="module")
def results():
    return table("icu_mortality")


def by_fold(results, ward, model, column="auc"):
    return results.by_fold(column, ward=ward, model=model)


# The page


@pytest.mark.parametrize("file", ["decay", "inputs", "measures"])
def test_the_package_names_equations_of_the_chapter(file, source):
    code = (ROOT / "code" / "gatedrnn" / "risk" / f"{file}.py").read_text(encoding="utf-8")
    named = set(re.findall(r"# (eq-[\w-]+)", code))
    assert named and named <= set(re.findall(r":label: (eq-[\w-]+)", source))


def test_numbers_worked_out_by_hand():
    assert np.exp(-0.1) == pytest.approx(0.90, abs=0.005) and np.exp(0.1) - 1 == pytest.approx(
        0.11, abs=0.006
    )
    assert np.exp(-1.1) == pytest.approx(0.33, abs=0.005)
    assert pytest.approx(-0.14, abs=0.005) == 0.2 - 0.8 * 0.3 / 0.7
    ward = simulate_icu(seed=0, n_stays=1).ward
    assert ward.time_constant.tolist() == [6, 24, 72, 36]


@pytest.mark.notebook
def test_the_truth_is_recovered_within_what_the_page_states(said):
    assert said["hazard_error"] < 0.15
    assert said["tau_error"] < 16 and said["offset_error"] < 0.05
    assert said["tau_quick"] == pytest.approx(6, rel=0.05) and said["tau_slow"] < 40  # of 72


@pytest.mark.notebook
def test_stale_values_hide_the_effect_and_decay_restores_most_of_it(said):
    assert said["kept_last"] < 60 and said["kept_last"] + 25 < said["kept_decayed"] < 100


@pytest.mark.notebook
def test_gaps_tell(said):
    assert said["often"] > 3 * said["never"]
    assert said["sim_ideal_times"] > 0.7
    assert said["ignorant_mean"] > said["test_death"] + 3 > said["ideal_mean"]


@pytest.mark.notebook
def test_leaks_flatter(said):
    assert said["leak_copied"] > said["leak_honest"] + 0.15 and said["leak_copied"] > said["sim_ideal"]
    assert said["leak_peeping"] > said["leak_24h"] + 0.05


@pytest.mark.notebook
def test_what_is_recomputed_equals_the_table(said, results):
    assert said["sim_drift"] <= results.tolerance["summaries"]


# The table and what the prose makes of it


def test_the_table_is_complete_and_says_where_it_comes_from(results):
    assert [{name: row[name] for name in KEY} for row in results.rows] == icu_mortality.KEYS()
    files = {f"physionet2012_seta/{file.path}": file.digest for file in REGISTRY["physionet2012_seta"].files}
    assert results.data == files
    assert results.tolerance == icu_mortality.TOLERANCE


def test_a_row_drawn_at_random_comes_out_again(results):
    present = [row for row in results.rows if have_stays or row["ward"] == "simulated"]
    row, key, message = drawn(present, KEY)
    again = icu_mortality.compute(key)
    tolerance = results.tolerance[row["model"]]
    for column in ("auc", "ap", "brier", "ece", "benefit", "left_day"):
        if column in row and row[column] is not None:
            one, other = (np.array(r[column], dtype=float) for r in (row, again))
            np.testing.assert_allclose(other, one, atol=tolerance, err_msg=message)


def test_no_model_beats_the_ideal(results):
    ideal = by_fold(results, "simulated", "ideal").mean()
    for model in ("means", "summaries", "boosting", "decay", "ideal_values", "ideal_times"):
        assert by_fold(results, "simulated", model).mean() < ideal, model


def test_quick_numbers_of_before_are_reached(results):
    for model, floor in {
        "saps": 0.64,
        "means": 0.805,
        "summaries": 0.842,
        "decay": 0.83,
        "mask": 0.81,
    }.items():
        assert by_fold(results, "real", model).mean() >= floor, model


def test_balancing_keeps_the_ranking_and_breaks_the_probability(results):
    plain, balanced = (by_fold(results, "real", m).mean() for m in ("summaries", "balanced"))
    assert abs(plain - balanced) < 0.01
    errors = {m: by_fold(results, "real", m, "ece").mean() for m in ("summaries", "balanced")}
    assert errors["balanced"] > 4 * errors["summaries"]
    mended = np.mean([r["recalibrated"]["ece"] for r in results.where(ward="real", model="balanced")])
    assert mended < errors["balanced"] / 4
    at = icu_mortality.THRESHOLDS.tolist().index(0.2)
    worth = {m: np.mean([r["benefit"][at] for r in results.where(ward="real", model=m)]) for m in errors}
    assert worth["balanced"] < worth["summaries"] - 0.01


def test_no_row_holds_a_single_patient(results):
    """Lists are of ten groups, of thresholds or of variables, never of stays."""
    sizes = {10, len(icu_mortality.THRESHOLDS), 4, 37}
    for row in results.rows:
        for part in (row, row.get("recalibrated", {})):
            assert {len(value) for value in part.values() if isinstance(value, list)} <= sizes


@needs_stays
def test_the_data_card_describes_the_stays(source):
    stays = icu_mortality.ward("real")
    assert (len(stays.record_id), int(stays.death.sum()), len(stays.variables)) == (4000, 554, 37)
    assert "4,000 stays, 554 deaths in hospital" in source
    assert (stays.value[stays.variable == stays.variables.index("pH")] > 700).any()
    folds = [test for _, test in icu_mortality.stratified_folds(stays, 5)]
    assert [len(test) for test in folds] == [800] * 5
    assert {int(stays.death[test].sum()) for test in folds} <= {110, 111}


def test_no_network_is_ahead_of_the_regression_on_real_patients_and_the_trees_are(results):
    regression = by_fold(results, "real", "summaries")
    for model in icu_mortality.NETWORKS:
        assert (by_fold(results, "real", model) - regression).mean() < 0, model
    trees = by_fold(results, "real", "boosting") - regression
    assert trees.mean() > trees.std(ddof=1)
    widths = [row["auc_high"] - row["auc_low"] for row in results.where(ward="real", model="decay")]
    assert np.mean(widths) > 3 * abs((by_fold(results, "real", "decay") - regression).mean())


def test_on_the_invented_ward_network_and_summaries_are_level_and_near_the_ideal(results):
    ideal, decay, summaries, means = (
        by_fold(results, "simulated", m) for m in ("ideal", "decay", "summaries", "means")
    )
    assert abs((decay - summaries).mean()) < (decay - summaries).std(ddof=1)
    assert (ideal - decay).mean() < 0.03 < (ideal - means).mean()
