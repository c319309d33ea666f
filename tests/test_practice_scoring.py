"""Answers that are scored rather than compared: scales, verdicts, large arguments, recordings."""

import dataclasses

import numpy as np
import pytest
from gatedrnn.practice import checking, grading, sandbox, sets
from gatedrnn.practice.items import ExerciseSet, Item, Misconception, Part, Question
from gatedrnn.practice.judge import judge
from gatedrnn.practice.reporting import as_json, as_text
from gatedrnn.practice.scoring import Rung, Score, UnfitError, numbers, scale
from gatedrnn.practice.wire import Other
from test_grade import AVAILABLE, save, small

RUNGS = [Rung(0.0, 1, "the mean"), Rung(0.9, 3, "a straight line")]


def draw(rng):
    """More numbers than one message may hold; the slope is what is to be found."""
    x = rng.normal(size=300_000)
    return x, 2 * x + rng.normal(size=x.size), rng.normal(size=50).astype(np.float32), int(rng.integers(2, 5))


def rehearse(rng):
    """The same, small."""
    x = rng.normal(size=100)
    return x, 2 * x, rng.normal(size=50).astype(np.float32), 3


def score(arguments, answer):
    """R² of the prediction on the inputs that were kept back."""
    target = 2 * arguments[2].astype(float)
    error = numbers(answer, target.shape) - target
    return scale("R²", 1 - (error**2).mean() / target.var(), RUNGS)


ITEM = Item(
    name="predict_line",
    signature="predict_line(x, y, new, count)",
    title="A line",
    parts=(Part("prediction"),),
    reference=lambda x, y, new, count: (x @ y) / (x @ x) * new,
    questions=(Question("new inputs", 3, draw, score=score, rehearse=rehearse, repeats=2),),
    misconceptions=(
        Misconception("sign turned", "Your line falls.", shows=lambda given, answer: given[2] @ answer < 0),
    ),
    hints=("One.", "Two.", "Three."),
    plot=lambda axes, function: None,
)
SET = ExerciseSet("set-0", "Lines", "lines.ipynb", (ITEM,), (20, 30), recordings=("m1_reach_dad",))


def found(function):
    """The verdict of the check."""
    return judge(ITEM, checking.ask(ITEM, function))


def test_a_scale_gives_the_points_of_the_highest_rung_in_a_row():
    assert [scale("R²", value, RUNGS).points for value in (-1, 0, 0.8, 0.9, 2)] == [0, 1, 1, 3, 3]
    assert scale("loss", 0.2, [Rung(0.3, 2, "a baseline")], higher=False).points == 2
    assert scale("loss", 0.4, [Rung(0.3, 2, "a baseline")], higher=False).expected == "at most 0.3"
    assert scale("R²", float("nan"), RUNGS).points == 0


@pytest.mark.parametrize(
    ("answer", "kind", "got"),
    [
        ("text", "type", "the text 'text'"),
        (Other("NoneType"), "type", "None (is there a return?)"),
        (Other("dict"), "type", "a dict"),
        (np.ones(2) * 1j, "type", "complex numbers"),
        ((1.0, (2.0, 3.0)), "type", "2 values"),
        (np.ones((2, 3)), "shape", "(2, 3)"),
        (np.array([1.0, np.nan, 0]), "not finite", "nan"),
    ],
)
def test_what_cannot_be_scored_says_why(answer, kind, got):
    with pytest.raises(UnfitError) as unfit:
        numbers(answer, (3,))
    assert (unfit.value.kind, unfit.value.got) == (kind, got)


def test_a_scored_answer_is_told_what_was_measured_and_what_comes_next():
    right = found(ITEM.reference)
    assert (right.status, right.points) == ("right", 3)
    assert right.measured == ["R² is 1, past 0.9, a straight line"]
    assert "R² is 1" in checking.describe(right)
    partly = found(lambda x, y, new, count: 1.2 * new)
    assert (partly.status, partly.points, partly.off) == ("partly", 1, "number")
    assert "the next points need 0.9, a straight line" in partly.message
    assert partly.expected == "at least 0.9" and partly.hint == "One." and partly.measured == []
    shape = found(lambda x, y, new, count: x)
    assert shape.off == "shape" and shape.points == 0


def test_of_several_repeats_the_lowest_counts():
    calls = []

    def sometimes(x, y, new, count):
        calls.append(1)
        return 2 * new if len(calls) == 1 else 1.2 * new

    assert found(sometimes).points == 1


def test_mistakes_in_scored_answers_are_recognised():
    assert found(lambda x, y, new, count: -2 * new).misconception == "sign turned"
    assert found(lambda x, y, new, count: 2 * new).misconception == ""
    assert found(lambda x, y, new, count: -new[:3]).misconception == ""


def test_a_score_that_stumbles_over_an_answer_costs_the_answer_alone():
    def fragile(arguments, answer):
        return Score(int(answer["key"]), "")

    item = dataclasses.replace(ITEM, questions=(dataclasses.replace(ITEM.questions[0], score=fragile),))
    verdict = judge(item, checking.ask(item, lambda *a: 3.0))
    assert (verdict.points, verdict.off, verdict.expected) == (0, "type", "one value, the prediction")


SOLUTION = """
import os
def predict_line(x, y, new, count):
    assert x.shape == (300_000,) and x.dtype == float and new.dtype == np.float32 and range(count)
    x += 0  # an argument is the learner's own
    return (x @ y) / (x @ x) * new
"""


@pytest.mark.parametrize("kind", [kind for kind, works in AVAILABLE.items() if works])
def test_large_arguments_reach_the_function_as_they_are(kind, tmp_path):
    report = grading.grade(save(small(SOLUTION), tmp_path), kind=kind, exercise_set=SET)
    (verdict,) = report.verdicts
    assert verdict.status == "right", verdict
    assert verdict.measured[0] in as_text(report)
    assert as_json([report])["submissions"][0]["items"][0]["measured"] == verdict.measured


READS = """
import os
from pathlib import Path
folder = Path(os.environ["GATEDRNN_DATA"], "m1_reach_dad")
def predict_line(x, y, new, count):
    try:
        (folder / "mine").write_text("mine")
    except OSError:
        raise ValueError((folder / "recording.txt").read_text() + ", " + " ".join(os.listdir(folder.parent)))
"""


@pytest.mark.parametrize("kind", [kind for kind, works in AVAILABLE.items() if works])
def test_a_recording_of_the_set_can_be_read_and_nothing_beside_it(kind, tmp_path, monkeypatch):
    data = tmp_path / "data"
    for name in ("m1_reach_dad", "another"):
        (data / name).mkdir(parents=True)
        (data / name / "recording.txt").write_text(f"spikes of {name}")
    monkeypatch.setattr(sandbox, "_located", lambda name: (data / name).resolve())
    report = grading.grade(save(small(READS), tmp_path), kind=kind, exercise_set=SET)
    assert report.verdicts[0].got == "ValueError: spikes of m1_reach_dad, m1_reach_dad"
    assert not (data / "m1_reach_dad" / "mine").exists()


def test_a_recording_that_is_not_on_this_machine_is_just_not_there(tmp_path, monkeypatch):
    monkeypatch.setattr(sandbox, "_located", lambda name: None)
    report = grading.grade(save(small(READS), tmp_path), exercise_set=SET)
    assert "FileNotFoundError" in report.verdicts[0].got


def test_marking_on_a_recording_that_is_not_here_fails_with_the_reason_and_is_no_zero(tmp_path):
    from gatedrnn.datasets import DataUnavailable

    def missing(rng):
        raise DataUnavailable("there is no network.")

    item = dataclasses.replace(ITEM, questions=(dataclasses.replace(ITEM.questions[0], draw=missing),))
    exercise_set = dataclasses.replace(SET, items=(item,))
    report = grading.grade(save(small(SOLUTION), tmp_path), exercise_set=exercise_set)
    assert report.status == "failed" and report.reason.endswith("not here: there is no network")
    assert report.verdicts == []


def test_the_notebook_says_which_set_it_belongs_to(tmp_path):
    """A learner may keep functions of earlier sets in the notebook of a later one."""
    first = sets.load("set-1")
    names = [item.name for item in first.questions]
    notebook = small(*(f"def {name}(): pass" for name in names[1:]), f"def {names[0]}(): pass")
    notebook.metadata["gatedrnn"] = {"set": "set-1"}
    assert grading.grade(save(notebook, tmp_path)).set == "set-1"
    notebook.metadata["gatedrnn"] = {"set": ["set-1"]}
    assert grading.grade(save(notebook, tmp_path)).set == "set-1"
