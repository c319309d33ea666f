"""Exercise notebooks in a real kernel: solutions give their stored outputs, unfinished ones fail rightly."""

import subprocess
import sys

import nbformat
import pytest
from banks import SETS
from gatedrnn.practice import products
from nbclient import NotebookClient

EXERCISES = products.ROOT / "exercises"
pytestmark = pytest.mark.notebook


@pytest.mark.parametrize("exercise_set", SETS, ids=lambda exercise_set: exercise_set.name)
def test_solutions_reproduce_their_stored_outputs(exercise_set):
    """nbval compares every output, apart from those of cells that only draw."""
    path = products.source_path(exercise_set)
    words = [
        sys.executable,
        "-m",
        "pytest",
        "-p",
        "no:cacheprovider",
        "--nbval",
        "--nbval-current-env",
        "-q",
        path,
    ]
    done = subprocess.run(words, capture_output=True, text=True, cwd=EXERCISES)
    assert done.returncode == 0, done.stdout[-3000:]


@pytest.mark.parametrize("exercise_set", SETS, ids=lambda exercise_set: exercise_set.name)
def test_stored_outputs_are_complete_and_hold_no_error(exercise_set):
    source = products.read_source(exercise_set)
    for cell in source.cells:
        outputs = cell.get("outputs", [])
        assert all(output.output_type == "stream" and output.name == "stdout" for output in outputs)
        if cell.id.endswith("-check"):
            name = cell.id.removesuffix("-check")
            points = cell.metadata.nbgrader.points
            first, *measured = outputs[0].text.splitlines()  # a scored item also says what was measured
            assert first == f"{name}: right, {points} of {points} points."
            assert all(line.startswith("  ") for line in measured)
        if "print(" in cell.source:
            assert outputs


@pytest.mark.parametrize("exercise_set", SETS, ids=lambda exercise_set: exercise_set.name)
def test_an_untouched_notebook_fails_with_not_implemented_and_nothing_else(exercise_set):
    path = EXERCISES / "release" / exercise_set.name / exercise_set.notebook
    notebook = nbformat.read(path, as_version=4)
    NotebookClient(notebook, timeout=120, allow_errors=True, kernel_name="python3").execute()
    failed = {}
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            if output.output_type == "error":
                failed[cell.id] = output.ename
                if cell.id.endswith("-check"):  # said in two lines, without a traceback
                    name = cell.id.removesuffix("-check")
                    first, second = output.traceback
                    assert first.startswith(f"{name}: not written yet") and "hint=1" in second
            else:
                assert output.get("name") != "stderr", output.text
    assert set(failed.values()) == {"NotImplementedError"}
    assert {f"{item.name}-check" for item in exercise_set.questions} <= set(failed)
