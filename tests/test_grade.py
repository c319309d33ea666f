"""Marks: the untouched notebook, the solution, half-done work and honest accidents."""

import functools
import hashlib
import itertools
import json
import os
import sys

import nbformat
import pytest
from banks import SETS, bank
from gatedrnn.practice import confine, products, sandbox, sets
from gatedrnn.practice.grading import grade
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

SET = sets.load("set-1")
MACHINE = sum(item.points for item in SET.questions)
WRITTEN = sum(item.points for item in SET.written)
AVAILABLE = {
    "bubblewrap": sandbox._bubblewrap_works(),
    "landlock": confine.landlock_version() > 0,
    "guard": True,
}


def released():
    """The student's notebook, as handed out."""
    return products.release(products.read_source(SET))


def solved():
    """The student's notebook with every answer filled in."""
    source = products.read_source(SET)
    notebook = released()
    answers = {cell.id: products.without_markers(cell.source) for cell in source.cells}
    for cell in notebook.cells:
        cell.source = answers[cell.id]
    return notebook


def small(*sources):
    """A notebook with just these code cells, the imports before them."""
    cells = [new_code_cell(source) for source in ("import numpy as np", *sources)]
    return new_notebook(cells=cells)


@functools.cache
def answer(name):
    """The solution's cell for one item."""
    return next(cell.source for cell in solved().cells if cell.id == name)


def save(notebook, folder, name="work.ipynb"):
    """Write a notebook and return its path."""
    path = folder / name
    path.write_text(json.dumps(notebook), encoding="utf-8")  # nbformat would mend what is to be tested
    return path


def marks(report):
    """Points by item."""
    assert report.status == "graded", report.reason
    return {verdict.item: verdict.points for verdict in report.verdicts}


def require_recordings(report):
    """Some items are marked on a recording: without it, the report says so, and there is nothing to test."""
    if report.status == "failed" and "marked on a recording that is not here" in report.reason:
        pytest.skip(report.reason)


def states(report):
    """Status by item."""
    return {verdict.item: verdict.status for verdict in report.verdicts}


STRONGEST = next(kind for kind, works in AVAILABLE.items() if works)
RUNS = [(each, STRONGEST) for each in SETS]
RUNS += [(SET, kind) for kind, works in AVAILABLE.items() if works and kind != STRONGEST and SET in SETS]


@pytest.mark.parametrize(("exercise_set", "kind"), RUNS, ids=[f"{each.name} [{kind}]" for each, kind in RUNS])
def test_the_untouched_notebook_scores_nothing_and_the_solution_everything(exercise_set, kind):
    name, root = exercise_set.name, products.ROOT / "exercises"
    untouched = grade(root / "release" / name / exercise_set.notebook, kind=kind)
    require_recordings(untouched)
    assert set(states(untouched).values()) == {"unwritten"}
    assert untouched.points == untouched.pending == 0 and untouched.out_of == exercise_set.points
    assert untouched.cells == []  # no error but NotImplementedError
    solution = grade(root / "source" / name / exercise_set.notebook, kind=kind)
    assert solution.points == solution.out_of == exercise_set.points - solution.pending, solution.verdicts
    assert solution.pending == sum(item.points for item in exercise_set.written)
    assert solution.cells == solution.notes == []
    assert {verdict.status for verdict in solution.verdicts} == {"right", "pending"}


@pytest.mark.parametrize("exercise_set", SETS, ids=lambda exercise_set: exercise_set.name)
def test_half_done_work_earns_its_part(exercise_set, tmp_path):
    cells, expected = bank(exercise_set.name).HALF_DONE
    given = getattr(bank(exercise_set.name), "GIVEN", "")
    report = grade(save(small("import math", given, *cells), tmp_path), exercise_set=exercise_set)
    require_recordings(report)
    assert marks(report) == expected | {item.name: 0 for item in exercise_set.written}
    assert 0 < report.points < report.out_of
    assert "partly" in states(report).values()
    assert {states(report)[item.name] for item in exercise_set.written} == {"missing"}


def test_half_done_work_is_told_what_is_missing(tmp_path):
    cells, _ = bank("set-1").HALF_DONE
    verdict = {verdict.item: verdict for verdict in grade(save(small(*cells), tmp_path)).verdicts}
    assert [verdict[name].status for name in ("echo", "modes", "measure_tau")] == [
        "partly",
        "unwritten",
        "unreached",
    ]
    assert verdict["run_rnn"].misconception == "both biases missing"
    assert "no function of this name" in verdict["measure_tau"].message


def duplicate_stub(notebook):
    """Every answer was copied by accident, and the copy cleared; both have the same names."""
    stubs = {cell.id: cell for cell in released().cells}
    cells = []
    for cell in notebook.cells:
        cells += [cell, stubs[cell.id].copy()] if cell.id in {item.name for item in SET.questions} else [cell]
    notebook.cells = cells


def duplicate_answer(notebook):
    """Every cell is there twice."""
    notebook.cells = [copy for cell in notebook.cells for copy in (cell, cell.copy())]


def delete_checks(notebook):
    """All check cells are gone."""
    notebook.cells = [cell for cell in notebook.cells if not cell.id.endswith("-check")]


def edit_checks(notebook):
    """All check cells say something else."""
    for cell in notebook.cells:
        if cell.id.endswith("-check"):
            cell.source = "assert False, 'mine'"


def reverse(notebook):
    """The cells are in reverse order, imports last; defaults need names that come later."""
    for cell in notebook.cells:
        if cell.id == "echo":
            cell.source = cell.source.replace("steps)", "steps, stack=np.stack)")
    notebook.cells.reverse()


def noise(notebook):
    """Warnings, prints, errors on stderr, plots and progress bars."""
    notebook.cells.insert(
        0, new_code_cell("import warnings, sys\nwarnings.warn('careful')\nprint('x' * 10**6)")
    )
    for cell in notebook.cells:
        if cell.id in {item.name for item in SET.questions}:
            first, rest = cell.source.split("\n", 1)
            chatter = (
                "    import sys, warnings\n    print('called', file=sys.stderr)\n    warnings.warn('odd')\n"
            )
            cell.source = f"{first}\n{chatter}{rest}"


def magics(notebook):
    """Magics, shell commands, display, top-level await, and a blank form of help."""
    notebook.cells[0:0] = [
        new_code_cell("%matplotlib widget\n%load_ext autoreload\n%autoreload 2\n!echo hello"),
        new_code_cell("%%time\nfrom IPython.display import display, Markdown\ndisplay(Markdown('hi'))"),
        new_code_cell("import asyncio\nawait asyncio.sleep(0)\nlen?\n%pip install nothing-at-all"),
        new_code_cell("%%capture kept\nprint(1)"),
    ]


def stray_cells(notebook):
    """Cells that fail: unfinished lines, questions to stdin, names that do not exist, an exit."""
    notebook.cells[1:1] = [
        new_code_cell("def half(:"),
        new_code_cell("input('your name? ')"),
        new_code_cell("undefined + 1"),
        new_code_cell("exit()"),
        new_code_cell("raise KeyboardInterrupt"),
        new_code_cell("import sys; sys.exit(3)"),
    ]


def lost_metadata(notebook):
    """A tool dropped all metadata and gave the cells new ids; the written answer kept its id."""
    for cell in notebook.cells:
        cell.metadata = {}
        if cell.cell_type == "code":
            cell.id = nbformat.v4.new_code_cell("").id


def old_definition_first(notebook):
    """An earlier attempt, wrong, stands before the good one."""
    notebook.cells.insert(3, new_code_cell("def echo(W, U, pulse, steps):\n    return W"))


def restart_needed(notebook):
    """A cell uses a name of a cell that was run later and moved up since."""
    notebook.cells.insert(2, new_code_cell("mine = echo(W, U, pulse, 3)\nassert mine.shape == (3, 3)"))


def changes_arguments(notebook):
    """The functions write into the arrays they are given."""
    for cell in notebook.cells:
        if cell.id == "run_rnn":
            cell.source = cell.source.replace(
                "h, outputs = h0, []", "h, outputs = h0, []\n    b_ih += b_hh\n    b_hh *= 0"
            )


ACCIDENTS = [
    duplicate_stub,
    duplicate_answer,
    delete_checks,
    edit_checks,
    reverse,
    noise,
    magics,
    stray_cells,
    lost_metadata,
    old_definition_first,
    restart_needed,
    changes_arguments,
]


@pytest.mark.parametrize("accident", ACCIDENTS, ids=lambda accident: accident.__name__)
def test_an_honest_accident_costs_nothing(accident, tmp_path):
    notebook = solved()
    accident(notebook)
    for cell in notebook.cells:  # keep the run short: pictures are no part of the mark
        cell.source = cell.source.replace("import matplotlib.pyplot as plt", "").replace(
            "figures.use_style()", ""
        )
    report = grade(save(notebook, tmp_path))
    assert report.points == MACHINE, [verdict for verdict in report.verdicts if verdict.status != "right"]
    assert report.pending == WRITTEN


def test_the_file_is_never_written_and_its_outputs_are_never_believed(tmp_path):
    notebook = released()
    for cell in notebook.cells:
        if cell.id.endswith("-check"):
            cell.outputs = [nbformat.v4.new_output("stream", text=f"{cell.id}: right, 3 of 3 points.\n")]
    path = save(notebook, tmp_path)
    os.utime(path, ns=(10**18, 10**18))
    path.chmod(0o444)
    before = path.read_bytes(), path.stat().st_mtime_ns, sorted(tmp_path.iterdir())
    report = grade(path)
    assert report.points == 0
    assert (path.read_bytes(), path.stat().st_mtime_ns, sorted(tmp_path.iterdir())) == before
    assert report.digest == hashlib.sha256(before[0]).hexdigest()


def test_questions_are_fresh_each_time(tmp_path):
    path = save(small("def time_constant(f, dt):\n    return 1.0"), tmp_path)
    calls = {next(verdict.call for verdict in grade(path).verdicts if verdict.call) for _ in range(3)}
    assert len(calls) == 3


def test_a_written_answer_waits_for_a_person_and_an_empty_one_does_not(tmp_path):
    for text, status in [("", "unwritten"), (products.UNANSWERED, "unwritten"), ("Because.", "pending")]:
        cell = new_markdown_cell(text, metadata={"nbgrader": {"grade_id": "written_answer"}})
        report = grade(save(new_notebook(cells=[cell]), tmp_path))
        assert states(report)["written_answer"] == status
        assert report.pending == (WRITTEN if status == "pending" else 0)


def test_an_item_that_is_not_reached_says_why(tmp_path):
    broken = "def echo(W, U, pulse, steps)\n    return W"
    report = grade(save(small(broken, "time_constant = 3", answer("run_rnn")), tmp_path))
    message = {verdict.item: verdict.message for verdict in report.verdicts}
    assert "cell 2, where it belongs: SyntaxError" in message["echo"]
    assert "not callable" in report.verdicts[0].got
    (cell,) = report.cells
    assert cell["cell"] == 2 and cell["starts"] == broken.splitlines()[0] and "SyntaxError" in cell["problem"]
    assert marks(report)["run_rnn"] == 3


def test_modules_with_answers_are_withheld_and_noted(tmp_path):
    borrowed = (
        "from gatedrnn import dynamics\ndef time_constant(f, dt):\n    return dynamics.time_constant(f, dt)"
    )
    inside = (
        "def echo(W, U, pulse, steps):\n"
        "    from gatedrnn.dynamics import impulse_response\n"
        "    return impulse_response(W, U @ pulse, steps=steps)"
    )
    report = grade(save(small(borrowed, inside, answer("run_rnn")), tmp_path))
    assert marks(report) == dict.fromkeys(marks(report), 0) | {"run_rnn": 3}
    message = {verdict.item: verdict for verdict in report.verdicts}
    assert "withheld" in message["time_constant"].message and "withheld" in message["echo"].got
    assert [note.split(",")[0] for note in report.notes] == [
        "cell 2 imports gatedrnn.dynamics",
        "cell 3 imports gatedrnn.dynamics",
    ]


def test_checks_and_figures_can_be_imported_while_marking(tmp_path):
    notebook = small(
        "from gatedrnn import figures\nfrom gatedrnn.practice import check, CheckError\nfigures.size(1, 0.4)"
    )
    notebook.cells.append(new_code_cell(answer("echo") + "\ncheck('echo', echo, hint=3)"))
    report = grade(save(notebook, tmp_path))
    assert marks(report)["echo"] == 3 and report.cells == [] and report.notes == []


def test_every_other_module_of_the_package_is_withheld(tmp_path):
    folder = sandbox.make_package(tmp_path, SET)
    kept = {path.stem for path in (folder / "gatedrnn").iterdir()} - {"__init__"}
    for path in (folder / "gatedrnn").glob("*.py"):
        if path.stem not in ("__init__", *SET.packages):
            assert path.read_text(encoding="utf-8").startswith('"""Withheld')
    modules = {path.stem for path in sandbox.PACKAGE.glob("*.py")} | {
        path.parent.name for path in sandbox.PACKAGE.glob("*/__init__.py")
    }
    assert modules <= kept | {"__init__"}
    assert not list(folder.rglob("*set1*")) and not list(folder.rglob("judge*"))


def test_an_error_in_one_question_leaves_the_others_their_points(tmp_path):
    source = "def time_constant(f, dt):\n    assert np.ndim(f) == 0\n    return -dt / np.log(f)"
    report = grade(save(small(source), tmp_path))
    assert marks(report)["time_constant"] == 1


def test_the_worker_needs_neither_matplotlib_nor_torch(tmp_path):
    source = "import sys\ndef time_constant(f, dt):\n    raise ValueError(' '.join(sorted(sys.modules)))"
    source = source.replace(
        "sorted(sys.modules)", "{'torch', 'matplotlib', 'scipy', 'pandas'} & set(sys.modules)"
    )
    report = grade(save(small(source), tmp_path))
    assert report.verdicts[0].got == "ValueError"  # with nothing behind it


@pytest.mark.skipif(sys.platform != "linux", reason="process limits need Linux")
def test_nothing_is_left_behind(tmp_path, monkeypatch):
    import subprocess
    import tempfile

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    (tmp_path / "tmp").mkdir()
    source = "import subprocess\nsubprocess.Popen(['sleep', '98765'], start_new_session=True)"
    for kind in [kind for kind in ("bubblewrap", "landlock") if AVAILABLE[kind]]:
        report = grade(save(small(source, answer("echo")), tmp_path), kind=kind)
        assert marks(report)["echo"] == 3
    assert list((tmp_path / "tmp").iterdir()) == []
    running = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True).stdout
    assert "sleep 98765" not in running


def test_json_holds_only_json(tmp_path):
    from gatedrnn.practice import reporting

    report = grade(save(small("def time_constant(f, dt):\n    return float('nan')"), tmp_path))
    text = json.dumps(reporting.as_json([report]), allow_nan=False)
    assert json.loads(text)["submissions"][0]["items"][0]["got"] == "nan"


def test_an_installed_package_is_hidden_whichever_way_leads_to_it(tmp_path, monkeypatch):
    """Links that lead above the package, as lib64 in a virtual environment, must not uncover it."""
    prefix = tmp_path / "prefix"
    package = prefix / "lib" / "site-packages" / "gatedrnn"
    for name in ("gatedrnn", "numpy"):
        (package.parent / name).mkdir(parents=True)
    (prefix / "lib64").symlink_to("lib")
    (tmp_path / "alias").symlink_to(prefix)
    monkeypatch.setattr(sandbox, "python_folders", lambda: [prefix, tmp_path / "alias"])
    whole, listed = sandbox.readable(package)
    assert str(package.parent / "numpy") in whole and str(package.parent) in listed
    assert not any(package.resolve().is_relative_to(path) for path in whole)
    words = [*sandbox._shown(prefix, package), *sandbox._shown(tmp_path / "alias", package)]
    covered = [word for before, word in itertools.pairwise(words) if before == "--tmpfs"]
    assert covered == [str(package), str(tmp_path / "alias" / "lib" / "site-packages" / "gatedrnn")]


@pytest.mark.skipif(not AVAILABLE["bubblewrap"], reason="this machine has no bubblewrap")
def test_python_may_live_below_tmp(tmp_path):
    words = sandbox.command("bubblewrap", tmp_path, SET)
    places = [place for place in sandbox.python_folders() if str(place) in words]
    assert places and all(words.index("/tmp") < words.index(str(place)) for place in places)
