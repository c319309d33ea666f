"""Every set keeps its promises: right answers pass, and each typical mistake is met by its own hint."""

import os
import re
import subprocess
import sys

import numpy as np
import pytest
from banks import SETS, bank, function, verdict
from gatedrnn.practice import check, sandbox, sets, wire
from gatedrnn.practice.checking import ask, describe, hints
from gatedrnn.practice.judge import judge

ITEMS = [item for exercise_set in SETS for item in exercise_set.questions]
QUESTIONS = [(item, question) for item in ITEMS for question in item.questions]
RIGHT = {name: source for each in SETS for name, source in bank(each.name).RIGHT.items()}
WRONG = [mistake for each in SETS for mistake in bank(each.name).WRONG]
every_set = pytest.mark.parametrize("exercise_set", SETS, ids=lambda exercise_set: exercise_set.name)
every_item = pytest.mark.parametrize("item", ITEMS, ids=lambda item: item.name)
every_question = pytest.mark.parametrize(
    ("item", "question"), QUESTIONS, ids=[f"{item.name}: {question.name}" for item, question in QUESTIONS]
)
every_mistake = pytest.mark.parametrize(
    ("name", "mistake", "points", "source"), WRONG, ids=[f"{item}: {mistake}" for item, mistake, *_ in WRONG]
)


# -- the set


@every_set
def test_a_set_keeps_to_its_size(exercise_set):
    assert 10 <= exercise_set.points <= 20
    assert len(exercise_set.written) >= 1 and 3 <= len(exercise_set.questions) <= 8
    assert 20 <= exercise_set.minutes[0] < exercise_set.minutes[1] <= 40


@every_set
def test_times_fit_into_each_other(exercise_set):
    assert all(item.seconds <= exercise_set.seconds for item in exercise_set.questions)
    assert exercise_set.cell_seconds <= exercise_set.seconds


@every_set
def test_a_set_knows_enough_mistakes_and_each_says_something_else(exercise_set):
    misconceptions = [known for item in exercise_set.questions for known in item.misconceptions]
    assert len(misconceptions) >= 5
    assert all(known.wrong or known.error or known.shows for known in misconceptions)
    for item in exercise_set.questions:
        texts = [known.hint for known in item.misconceptions]
        names = [known.name for known in item.misconceptions]
        assert len(set(texts)) == len(texts) and len(set(names)) == len(names)
        assert all(text.endswith((".", "?", "!")) for text in (*texts, *item.hints))
        assert len(set(item.hints)) == 3


def test_item_names_are_unique_over_all_sets():
    names = [item.name for name in sets.MODULES for item in sets.load(name).questions]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"[a-z]\w*", name) for name in names)


def test_sets_are_quick_to_import():
    """A check in a notebook imports all sets: none may load torch or Matplotlib before it needs them."""
    names = ", ".join(sets.MODULES.values())
    program = f"import sys, {names}; print({{'torch', 'matplotlib', 'sklearn'}} & set(sys.modules))"
    words = [sys.executable, "-c", program]
    assert subprocess.run(words, capture_output=True, text=True, check=True).stdout == "set()\n"


@every_set
def test_what_a_notebook_may_import_can_be_imported_where_it_is_marked(exercise_set, tmp_path):
    """The copy of the package has everything that the allowed modules need."""
    sandbox.make_package(tmp_path, exercise_set)
    names = "".join(f", gatedrnn.{name}" for name in exercise_set.packages)
    program = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); import gatedrnn.practice{names}; "
    words = [sys.executable, "-I", "-c", program + "print(gatedrnn.__file__)"]
    environment = {**os.environ, "GATEDRNN_DATA": str(tmp_path)}
    done = subprocess.run(words, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(str(tmp_path))


# -- questions


@every_question
def test_what_is_asked_travels_unchanged_and_differs_each_time(item, question):
    """A learner's function gets the same kinds of things from the check and from the grader."""
    for draw in filter(None, (question.draw, question.rehearse)):
        first, second = draw(np.random.default_rng(1)), draw(np.random.default_rng(2))
        for value in first:
            assert not isinstance(value, np.generic), f"{item.name}: int() or float() around {value!r}"
            assert_same(value, wire.unpack(wire.pack(value)))
        assert not same(first, second)
        assert same(first, draw(np.random.default_rng(1)))


def assert_same(sent, arrived):
    """Equal, and of the same type as far as a function can tell."""
    if isinstance(sent, list):
        assert len(sent) == len(arrived)
        for one, other in zip(sent, arrived, strict=True):
            assert_same(one, other)
    elif isinstance(sent, np.ndarray):
        assert sent.dtype in (np.float64, np.float32, np.int64, np.bool_) or sent.dtype.kind == "c"
        assert sent.dtype == arrived.dtype
        np.testing.assert_array_equal(sent, arrived)
    else:
        assert type(sent) is type(arrived) and sent == arrived
        assert isinstance(sent, (int, float, str)) and not isinstance(sent, bool)


def same(one, other):
    """Whether two arguments, or lists of them, are equal."""
    if isinstance(one, (list, tuple)):
        return len(one) == len(other) and all(map(same, one, other))
    return np.array_equal(one, other, equal_nan=np.asarray(one).dtype.kind in "fc")


@every_item
def test_reference_and_a_second_right_answer_earn_everything(item):
    assert judge(item, ask(item, item.reference)).points == item.points
    assert verdict(item.name, RIGHT[item.name]).points == item.points


@every_set
def test_references_agree_with_a_second_solution_over_many_draws(exercise_set):
    rng, answers = np.random.default_rng(11), bank(exercise_set.name)
    for item in exercise_set.questions:
        solution = function(item.name, answers.RIGHT[item.name])
        exact = [question for question in item.questions if question.score is None]
        for question in exact:
            for _ in range(getattr(answers, "DRAWS", 40)):
                outcomes = ask_once(question, solution, rng)
                found = judge(item, outcomes)
                earned = dict((name, points) for name, points, _ in found.questions)
                assert earned[question.name] == question.points, found


def ask_once(question, solution, rng):
    """One fresh outcome of one question."""
    from gatedrnn.practice.checking import call
    from gatedrnn.practice.judge import Outcome

    arguments = question.draw(rng)
    return [Outcome(question, arguments, call(solution, arguments))]


# -- mistakes


@every_mistake
def test_a_typical_mistake_meets_its_own_hint(name, mistake, points, source):
    found = verdict(name, source)
    assert found.misconception == mistake, found
    assert found.points == points < found.out_of
    hint = {known.name: known.hint for known in sets.find_item(name).misconceptions}[mistake]
    assert found.hint == hint
    for line in describe(found, hints(sets.find_item(name), 3)).splitlines():
        assert len(line) <= 92


@every_set
def test_every_known_misconception_is_in_the_bank(exercise_set):
    known = {(item.name, each.name) for item in exercise_set.questions for each in item.misconceptions}
    assert known == {(name, mistake) for name, mistake, *_ in bank(exercise_set.name).WRONG}


@pytest.mark.parametrize(
    ("name", "pairs"),
    [("time_constant", r"([\d.]+) s at (?:f = )?([\d.]+)"), ("forget_bias", r"([\d.]+) at ([\d.]+) s")],
)
def test_numbers_that_a_hint_reads_off_the_expected_curve_lie_on_it(name, pairs):
    item = sets.find_item(name)
    found = re.findall(pairs, item.hints[2])
    assert len(found) == 3
    for value, at in found:
        digits = len(value.partition(".")[2])
        assert f"{float(item.reference(float(at.rstrip('.')), 0.01)):.{digits}f}" == value


@every_item
def test_the_third_level_draws_the_expected_plot_beside_the_learners(item, monkeypatch):
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    shown = []
    monkeypatch.setattr(plt, "show", lambda: shown.append(plt.gcf()))
    check(item.name, item.reference, hint=3)
    expected, yours = shown[0].axes
    assert expected.get_title(loc="left") == "expected" and yours.get_title(loc="left") == "yours"
    assert expected.get_xlabel() and expected.get_ylabel()
    assert expected.lines or expected.patches or expected.images or expected.collections
    assert not yours.texts, yours.texts[0].get_text()
    for one, other in zip(expected.lines, yours.lines, strict=True):
        np.testing.assert_array_equal(one.get_ydata(), other.get_ydata())
    plt.close("all")
