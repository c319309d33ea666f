"""The template is a set that works: copied, made and marked as it stands."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest
from gatedrnn.practice import new_set, template
from gatedrnn.practice.checking import ask
from gatedrnn.practice.judge import judge
from gatedrnn.practice.template import bank

ITEMS = {item.name: item for item in template.SET.questions}


def run(root, *words):
    """Run a module of the package that knows the sets below `root`."""
    folder = root / "code" / "gatedrnn" / "practice" / "sets"
    environment = {**os.environ, "GATEDRNN_SETS": str(folder)}
    words = [sys.executable, "-m", *map(str, words)]
    return subprocess.run(words, capture_output=True, text=True, env=environment)


def test_a_copy_of_the_template_is_a_set(tmp_path):
    assert new_set.main(["set-99", "--root", str(tmp_path)]) == 0
    texts = [path.read_text(encoding="utf-8") for path in tmp_path.rglob("*.*")]
    assert not [text for text in texts if "set-0" in text or "set 0" in text.lower() or "set0" in text]
    made = run(tmp_path, "gatedrnn.practice.products", "set-99", "--root", tmp_path)
    assert made.returncode == 0, made.stderr
    notebook = tmp_path / "exercises" / "{}" / "set-99" / template.SET.notebook
    page = tmp_path / "chapters" / "practice" / "set-99-solution.md"
    assert "Set 99" in str(notebook) or "(page-set-99-solution)=" in page.read_text(encoding="utf-8")
    paths = [str(notebook).format(folder) for folder in ("release", "source")]
    graded = run(tmp_path, "gatedrnn", "grade", *paths, "--json")
    untouched, solved = json.loads(graded.stdout)["submissions"]
    assert untouched["set"] == solved["set"] == "set-99"
    assert (untouched["points"], untouched["out_of"]) == (0, 9)
    assert (solved["points"], solved["out_of"], solved["pending"]) == (7, 7, 2)


def test_what_exists_is_never_written_over(tmp_path, capsys):
    page = tmp_path / "chapters" / "practice" / "set-99.md"
    page.parent.mkdir(parents=True)
    page.write_text("mine")
    assert new_set.main(["set-99", "--root", str(tmp_path)]) == 2
    assert "exists" in capsys.readouterr().err
    assert [path for path in tmp_path.rglob("*.*")] == [page] and page.read_text() == "mine"


@pytest.mark.parametrize("name", ["set8", "set-", "set-0", "set-8/../x", "other"])
def test_other_names_are_refused(name, tmp_path, capsys):
    assert new_set.main([name, "--root", str(tmp_path)]) == 2
    assert capsys.readouterr().err == f"expected a name such as set-8, got {name!r}\n"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ITEMS)
def test_its_right_answers_are_right(name):
    assert judge(ITEMS[name], ask(ITEMS[name], ITEMS[name].reference)).points == ITEMS[name].points
    assert found(name, bank.RIGHT[name]).points == ITEMS[name].points


@pytest.mark.parametrize(
    ("name", "mistake", "points", "source"), bank.WRONG, ids=[mistake for _, mistake, *_ in bank.WRONG]
)
def test_its_mistakes_meet_their_hints(name, mistake, points, source):
    verdict = found(name, source)
    assert (verdict.misconception, verdict.points) == (mistake, points), verdict


def test_every_mistake_it_knows_is_in_its_bank():
    known = {(name, each.name) for name, item in ITEMS.items() for each in item.misconceptions}
    assert known == {(name, mistake) for name, mistake, *_ in bank.WRONG}


def found(name, source):
    """The verdict of the check on a learner's source."""
    namespace = {"np": np}
    exec(source, namespace)
    return judge(ITEMS[name], ask(ITEMS[name], namespace[name]))
