"""The exercises as a class has them: nbgrader's course, gradebook, feedback and formgrader with our marks."""

import csv
import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import nbformat
import numpy as np
import pytest
from gatedrnn.cli import main
from gatedrnn.practice import batch, products, sets

nbgrader = pytest.importorskip("nbgrader", reason="nbgrader is an extra: pip install 'gatedrnn[classroom]'")

from gatedrnn.practice.classroom import gradebook  # noqa: E402
from gatedrnn.practice.classroom.copies import marked_copy, without_tags  # noqa: E402
from gatedrnn.practice.classroom.gradebook import ClassBook  # noqa: E402
from gatedrnn.practice.classroom.plugin import HonestExport, TrustedExporter, plain_files  # noqa: E402
from gatedrnn.practice.grading import grade  # noqa: E402
from gatedrnn.practice.journal import Task, UsageError  # noqa: E402
from gatedrnn.practice.submission import read  # noqa: E402
from nbgrader.api import Gradebook  # noqa: E402
from nbgrader.apps import NbGraderAPI  # noqa: E402
from nbgrader.coursedir import CourseDirectory  # noqa: E402
from nbgrader.exchange.default import ExchangeFetchAssignment, ExchangeFetchFeedback, ExchangeSubmit  # noqa: E402
from nbgrader.utils import compute_checksum  # noqa: E402
from test_grade import answer, released, save, small, solved  # noqa: E402
from traitlets.config import PyFileConfigLoader  # noqa: E402

SET = sets.load("set-1")
NOTEBOOK = SET.notebook
EXERCISES = products.ROOT / "exercises"
ATTACK = "<script>fetch('/formgrader')</script><img src=x onerror=alert(1)>"
WRONG = "def run_rnn(inputs, h0, W_ih, W_hh, b_ih, b_hh):\n    return np.zeros((len(inputs), len(h0))), h0"
posix = pytest.mark.skipif(os.name != "posix", reason="links, and nbgrader's exchange, need POSIX")


def settings(course: Path):
    """The configuration that nbgrader reads in this course."""
    config = PyFileConfigLoader("nbgrader_config.py", path=str(course)).load_config()
    config.CourseDirectory.root = str(course)
    config.CourseDirectory.db_url = f"sqlite:///{course / 'gradebook.db'}"
    config.Exchange.root = str(course / "exchange")
    config.Exchange.cache = str(course / "cache")
    return config


@pytest.fixture(scope="module")
def beginning(tmp_path_factory):
    """A folder with a course in which set 1 is released and nothing handed in."""
    folder = tmp_path_factory.mktemp("course")
    shutil.copy(EXERCISES / "nbgrader_config.py", folder)
    shutil.copytree(EXERCISES / "source" / "set-1", folder / "source" / "set-1")
    config = settings(folder)
    done = NbGraderAPI(CourseDirectory(config=config), config=config).generate_assignment("set-1")
    assert done["success"], done["log"]
    return folder


@pytest.fixture
def course(beginning, tmp_path):
    """The API of a fresh copy of that course."""
    shutil.copytree(beginning, tmp_path, dirs_exist_ok=True)
    config = settings(tmp_path)
    return NbGraderAPI(CourseDirectory(config=config), config=config)


def root(course) -> Path:
    """The folder of the course."""
    return Path(course.coursedir.root)


def url(course) -> str:
    """The address of its gradebook."""
    return course.coursedir.db_url


def hand_in(course, student: str, notebook=None) -> Path:
    """Put a notebook where collecting puts it."""
    folder = root(course) / "submitted" / student / "set-1"
    folder.mkdir(parents=True)
    return save(notebook or solved(), folder, NOTEBOOK)


def scores(course, student: str) -> dict:
    """Score, or None, and whether a person is waited for, by grade cell."""
    with Gradebook(url(course)) as book:
        notebook = book.find_submission_notebook(Path(NOTEBOOK).stem, "set-1", student)
        return {each.name: (each.auto_score, each.needs_manual_grade) for each in notebook.grades}


def comments(course, student: str) -> dict:
    """Comments by solution cell."""
    with Gradebook(url(course)) as book:
        notebook = book.find_submission_notebook(Path(NOTEBOOK).stem, "set-1", student)
        return {each.name: each.comment for each in notebook.comments}


def exported(course) -> dict:
    """The exported table by student."""
    with Gradebook(url(course)) as book:
        HonestExport(to=str(root(course) / "grades.csv")).export(book)
    with open(root(course) / "grades.csv", encoding="utf-8") as file:
        return {row["student_id"]: row for row in csv.DictReader(file)}


FULL = {f"{item.name}-check": (float(item.points), False) for item in SET.questions}
FULL |= {item.name: (None, True) for item in SET.written}
NOTHING = {name: (0.0, False) for name in FULL}
UNKNOWN = {name: (None, True) for name in FULL}


def test_generate_assignment_makes_the_very_notebook_that_we_release(course):
    ours = (EXERCISES / "release" / "set-1" / NOTEBOOK).read_bytes()
    assert (root(course) / "release" / "set-1" / NOTEBOOK).read_bytes().rstrip() == ours.rstrip()


def test_nothing_in_nbgraders_way_runs_a_notebook(course):
    config = settings(root(course))
    steps = [*config.Autograde.sanitize_preprocessors, *config.Autograde.autograde_preprocessors]
    assert [step.__name__ for step in steps] == ["AssignLatePenalties"]
    assert config.Autograde.exporter_class is TrustedExporter
    assert course.coursedir.source_directory == "source" and course.coursedir.release_directory == "release"


def test_another_database_is_named_by_the_environment(monkeypatch):
    monkeypatch.setenv("GATEDRNN_GRADEBOOK", "postgresql://teacher@localhost/marks")
    config = PyFileConfigLoader("nbgrader_config.py", path=str(EXERCISES)).load_config()
    assert config.CourseDirectory.db_url == "postgresql://teacher@localhost/marks"
    assert config.CourseDirectory.course_id == "machines-with-memory"


def test_our_checksums_are_nbgraders():
    for cell in released().cells:
        if "nbgrader" in cell.metadata:
            assert cell.metadata.nbgrader.checksum == compute_checksum(cell)


def mistaken():
    """Set 1 with one wrong function, a deleted check, forged outputs, an attack in words and no metadata."""
    notebook = solved()
    for cell in notebook.cells:
        if cell.id == "run_rnn":
            cell.source = WRONG
        if cell.id == "run_rnn-check":
            cell.outputs = [nbformat.v4.new_output("execute_result", data={"text/plain": "3.0"})]
        if cell.id == "written_answer":
            cell.source = f"Because. {ATTACK}"
    notebook.cells = [cell for cell in notebook.cells if cell.id != "modes-check"]
    notebook.cells.insert(0, nbformat.v4.new_markdown_cell(ATTACK))
    notebook.cells.append(nbformat.v4.new_code_cell(f"raise ValueError({ATTACK!r})"))
    return notebook


def test_autograde_gives_our_marks_and_feedback_says_why(course):
    hand_in(course, "ann"), hand_in(course, "bob", released()), hand_in(course, "eve", mistaken())
    (root(course) / "submitted" / "cid" / "set-1").mkdir(parents=True)
    (root(course) / "submitted" / "cid" / "set-1" / NOTEBOOK).write_text('{"nbformat": 3}')
    for student in ("ann", "bob", "cid", "eve"):
        done = course.autograde("set-1", student)
        assert done["success"], done["log"]
    assert scores(course, "ann") == FULL
    assert scores(course, "bob") == NOTHING
    assert scores(course, "eve") == FULL | {"run_rnn-check": (0.0, False)}
    assert scores(course, "cid") == UNKNOWN  # no zero
    assert comments(course, "cid")["echo"].startswith("could not be marked: this is an old notebook")
    assert (
        "expected" in comments(course, "eve")["run_rnn"] and comments(course, "bob")["echo"] == "No response."
    )
    rows = exported(course)
    assert {name: rows[name]["status"] for name in rows} == {
        "ann": "pending",
        "bob": "graded",
        "cid": "failed",
        "eve": "pending",
    }
    assert (rows["ann"]["score"], rows["ann"]["pending"], rows["bob"]["score"]) == ("15.0", "3.0", "0.0")
    assert rows["cid"]["score"] == "" and "format, 3" in rows["cid"]["reason"]
    assert course.generate_feedback("set-1")["success"]
    page = (root(course) / "feedback" / "eve" / "set-1" / NOTEBOOK).with_suffix(".html").read_text("utf-8")
    assert "0 of 3 points" in page and "Score: 12.0 / 18.0" in page
    assert "<script>fetch" not in page and "<img src=x" not in page


def test_one_person_s_marks_do_not_touch_another_s(course):
    hand_in(course, "ann"), hand_in(course, "eve", mistaken())
    for student in ("ann", "eve"):
        course.autograde("set-1", student)
    (root(course) / "submitted" / "eve" / "set-1" / NOTEBOOK).write_text("nothing any more")
    assert course.autograde("set-1", "eve")["success"]
    assert scores(course, "ann") == FULL and scores(course, "eve") == UNKNOWN


def test_a_read_answer_is_not_unread_by_marking_again(course):
    path = hand_in(course, "ann")
    course.autograde("set-1", "ann")
    with Gradebook(url(course)) as book:
        grade_row = book.find_grade("written_answer", path.stem, "set-1", "ann")
        grade_row.manual_score, grade_row.needs_manual_grade = 2.0, False
        book.db.commit()
    assert course.autograde("set-1", "ann")["success"]
    assert scores(course, "ann")["written_answer"] == (None, False)
    notebook = solved()
    next(cell for cell in notebook.cells if cell.id == "written_answer").source = "Another answer."
    save(notebook, path.parent, NOTEBOOK)
    assert course.autograde("set-1", "ann")["success"]
    assert scores(course, "ann")["written_answer"] == (None, True)  # a person gave 2 points for other words


@posix
def test_links_and_pipes_beside_a_notebook_are_left_alone(course, tmp_path):
    folder = hand_in(course, "ann").parent
    (folder / "numpy.py").write_text("allclose = True")
    (folder / "secret.txt").symlink_to("/etc/passwd")
    (folder / "endless").symlink_to("/dev/zero")
    os.mkfifo(folder / "pipe")
    assert {Path(path).name for path in plain_files(str(folder))} == {"numpy.py", NOTEBOOK}
    assert course.autograde("set-1", "ann")["success"]
    assert scores(course, "ann") == FULL
    kept = {path.name for path in (root(course) / "autograded" / "ann" / "set-1").iterdir()}
    assert kept == {"numpy.py", NOTEBOOK}


@posix
def test_a_notebook_that_is_a_link_is_no_zero_and_not_followed(course):
    original = hand_in(course, "ann")
    folder = root(course) / "submitted" / "dan" / "set-1"
    folder.mkdir(parents=True)
    (folder / NOTEBOOK).symlink_to(original)
    assert course.autograde("set-1", "dan")["success"]
    assert scores(course, "dan") == UNKNOWN
    copy = nbformat.read(root(course) / "autograded" / "dan" / "set-1" / NOTEBOOK, 4)
    assert "symbolic link" in copy.cells[0].source


@posix
def test_exchange_from_release_to_feedback(course, monkeypatch):
    """What an instructor with JupyterHub does, with everybody on one machine."""
    (root(course) / "exchange").mkdir(mode=0o777)
    (root(course) / "exchange").chmod(0o777)
    assert course.release_assignment("set-1")["success"]
    student = root(course) / "home"
    student.mkdir()
    monkeypatch.chdir(student)
    config = settings(root(course))
    config.CourseDirectory.root, config.CourseDirectory.assignment_id = str(student), "set-1"

    def exchange(step):
        step(
            coursedir=CourseDirectory(config=config), authenticator=course.authenticator, config=config
        ).start()

    exchange(ExchangeFetchAssignment)
    save(solved(), student / "set-1", NOTEBOOK)
    exchange(ExchangeSubmit)
    assert course.collect("set-1")["success"]
    (name,) = [path.name for path in (root(course) / "submitted").iterdir()]
    assert course.autograde("set-1", name)["success"]
    assert scores(course, name) == FULL
    assert course.generate_feedback("set-1")["success"] and course.release_feedback("set-1")["success"]
    exchange(ExchangeFetchFeedback)
    assert list((student / "set-1" / "feedback").rglob("*.html"))


# -- gatedrnn grade --gradebook


def command(course, *words) -> int:
    """Mark everything that was handed in."""
    return main(["grade", str(root(course) / "submitted"), "--gradebook", url(course), *words])


def test_our_command_enters_the_same_marks_as_nbgraders(course, capsys):
    hand_in(course, "ann"), hand_in(course, "bob", released()), hand_in(course, "eve", mistaken())
    assert command(course) == 0
    assert "15 of 15 points" in capsys.readouterr().out
    ours = {name: (scores(course, name), comments(course, name)) for name in ("ann", "bob", "eve")}
    assert [ours[name][0] for name in ours] == [FULL, NOTHING, FULL | {"run_rnn-check": (0.0, False)}]
    copies = {name: root(course) / "autograded" / name / "set-1" / NOTEBOOK for name in ours}
    for name in ours:
        assert ("0 of 3 points" in copies[name].read_text("utf-8")) == (name != "ann")
        assert course.autograde("set-1", name)["success"]
        assert scores(course, name) == ours[name][0]
    assert course.generate_feedback("set-1")["success"]


def test_a_run_that_was_killed_goes_on_and_marks_nobody_twice(course, monkeypatch, capsys):
    for name in ("ann", "bob", "cid", "dan"):
        hand_in(course, name, small(answer("time_constant")))
    seen, mark = [], batch.mark

    def dies(task):
        if len(seen) == 2:
            raise KeyboardInterrupt
        seen.append(task.path.parts[-3])
        return mark(task)

    monkeypatch.setattr(batch, "mark", dies)
    assert command(course, "--jobs", "1") == 130
    assert "2 notebooks are marked" in capsys.readouterr().err
    monkeypatch.setattr(batch, "mark", lambda task: seen.append(task.path.parts[-3]) or mark(task))
    assert command(course, "--jobs", "1") == 0
    assert seen == ["ann", "bob", "cid", "dan"]
    for name in seen:
        assert scores(course, name)["time_constant-check"] == (2.0, False)
    assert command(course) == 0 and len(seen) == 4  # all known


def test_one_item_is_marked_again_after_a_fix(course, monkeypatch, capsys):
    """An item whose check was wrong: its points change, and nothing else, a person's marks least of all."""
    hand_in(course, "ann", mistaken())
    assert command(course) == 0
    with Gradebook(url(course)) as book:
        for name in ("echo-check", "written_answer"):
            found = book.find_grade(name, Path(NOTEBOOK).stem, "set-1", "ann")
            found.manual_score, found.needs_manual_grade = 1.0, False
        book.db.commit()
    asked, mark = [], batch.mark
    monkeypatch.setattr(batch, "mark", lambda task: asked.append(task.items) or mark(task))
    assert command(course, "--item", "run_rnn") == 0 and asked == []  # nothing has changed
    monkeypatch.setattr(gradebook, "edition", lambda: "with the fix")
    monkeypatch.setattr("gatedrnn.practice.sets.set1.run_rnn.reference.__code__", fixed.__code__)
    assert command(course, "--item", "run_rnn") == 0 and asked == [("run_rnn",)]
    assert scores(course, "ann") == FULL | {"written_answer": (None, False)}
    capsys.readouterr()
    assert command(course, "--item", "run_rnn", "--json") == 0 and len(asked) == 1
    (submission,) = json.loads(capsys.readouterr().out)["submissions"]
    assert [item["item"] for item in submission["items"]] == ["run_rnn"]
    copy = (root(course) / "autograded" / "ann" / "set-1" / NOTEBOOK).read_text("utf-8")
    assert "run_rnn: 3 of 3 points" in copy and "echo: 3 of 3 points" in copy


def fixed(inputs, h0, W_ih, W_hh, b_ih, b_hh):
    """A reference that asks for something else."""
    return np.zeros((len(inputs), len(h0))), h0


def test_a_machine_that_fails_takes_no_mark_away(course, monkeypatch):
    path = hand_in(course, "ann")
    assert command(course) == 0
    report = grade(path)
    report.status, report.reason, report.verdicts = "failed", "no memory left", []
    with ClassBook(url(course)) as book:
        book.add(Task(path, "set-1"), report)
    assert scores(course, "ann") == FULL


@pytest.mark.parametrize(
    ("folder", "name", "words"),
    [
        ("ann/set-1", "renamed.ipynb", "has no notebook 'renamed' in set-1"),
        ("ann/set-2000", NOTEBOOK, "there is no set 'set-2000'"),
    ],
)
def test_what_is_not_in_the_gradebook_is_said_in_one_sentence(folder, name, words, course, capsys):
    place = root(course) / "submitted" / folder
    place.mkdir(parents=True)
    save(solved(), place, name)
    assert command(course) == 2
    assert words in capsys.readouterr().err


def test_a_gradebook_that_cannot_be_used_is_said_without_its_password(course, capsys):
    hand_in(course, "ann")
    bad = "sqlite://user:secret@host/x"
    assert main(["grade", str(root(course) / "submitted"), "--gradebook", bad]) == 2
    err = capsys.readouterr().err
    assert "cannot be used" in err and "secret" not in err.split("cannot")[0] and len(err.splitlines()) == 1
    with pytest.raises(UsageError, match="a gradebook is a journal already"):
        from argparse import Namespace

        from gatedrnn.practice.command import _journal

        _journal(Namespace(paths=[], item=[], timeout=None, gradebook="x", journal=Path("y")), None)


# -- marked copies


def test_a_copy_has_every_graded_cell_once_and_nothing_that_was_forged(tmp_path):
    notebook = mistaken()
    stubs = {cell.id: cell for cell in released().cells}
    notebook.cells += [stubs["echo"].copy(), stubs["echo-check"].copy()]
    notebook.metadata["widgets"] = {"evil": 1}
    path = save(notebook, tmp_path)
    copy = marked_copy(grade(path), read(path).cells, released())
    nbformat.validate(copy)
    names = [cell.metadata.nbgrader.grade_id for cell in copy.cells if "nbgrader" in cell.metadata]
    assert sorted(names) == sorted(cell.id for cell in released().cells if "nbgrader" in cell.metadata)
    cells = {cell.metadata.nbgrader.grade_id: cell for cell in copy.cells if "nbgrader" in cell.metadata}
    assert "np.stack" in cells["echo"].source  # not its unwritten twin
    assert cells["run_rnn"].source == WRONG
    assert "0 of 3 points" in cells["run_rnn-check"].outputs[0].text
    assert "evil" not in json.dumps(copy) and "3.0" not in json.dumps(cells["run_rnn-check"].outputs)


def test_pictures_are_kept_if_they_are_pictures(tmp_path):
    import base64

    png = base64.b64encode(b"\x89PNG\r\n\x1a\n" + bytes(20)).decode()
    notebook = small(answer("echo"))
    display = nbformat.v4.new_output
    notebook.cells[0].outputs = [
        display("display_data", data={"image/png": png, "text/html": ATTACK}),
        display("display_data", data={"image/png": base64.b64encode(b"<svg onload=x>").decode()}),
        display("display_data", data={"image/png": "not base64!"}),
        display("display_data", data={"image/svg+xml": ATTACK}),
    ]
    path = save(notebook, tmp_path)
    cells = read(path).cells
    assert cells[0].pictures == (png,)
    copy = marked_copy(grade(path), cells, released())
    assert [output.data for output in copy.cells[1].outputs] == [{"image/png": png}]


@pytest.mark.parametrize("text", ["a < b", "`x<3`", "$h<1$, 1 <2", "<- left"])
def test_comparisons_in_words_stay_as_they_are(text):
    assert without_tags(text) == text


@pytest.mark.parametrize("text", ["<b", "</p", "<!--", "<?x", "<SCRIPT>"])
def test_no_tag_survives(text):
    assert text not in without_tags(text)


# -- formgrader


@pytest.fixture
def server(course):
    """A Jupyter server in the course, as an instructor starts it."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    words = [sys.executable, "-m", "jupyter_server", "--no-browser", f"--port={port}", "--allow-root"]
    words += ["--ServerApp.token=chalk", "--ServerApp.disable_check_xsrf=True"]
    folder = root(course)
    environment = {**os.environ, "JUPYTER_CONFIG_DIR": str(folder / "config"), "JUPYTER_PREFER_ENV_PATH": "1"}
    process = subprocess.Popen(words, cwd=folder, env=environment, stderr=subprocess.DEVNULL)

    def ask(path, method="GET"):
        request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", method=method)
        request.add_header("Authorization", "token chalk")
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.read().decode()

    for _ in range(120):
        try:
            ask("/api/status")
            break
        except OSError:
            assert process.poll() is None
            time.sleep(0.25)
    yield ask
    process.terminate()
    process.wait(20)


def test_formgrader_marks_and_shows_what_we_marked(course, server):
    hand_in(course, "ann", mistaken())
    (assignment,) = json.loads(server("/formgrader/api/assignments"))
    assert assignment["name"] == "set-1" and assignment["num_submissions"] == 1
    done = json.loads(server("/formgrader/api/submission/set-1/ann/autograde", "POST"))
    assert done["success"], done["log"]
    assert scores(course, "ann") == FULL | {"run_rnn-check": (0.0, False)}
    stem = Path(NOTEBOOK).stem
    (row,) = json.loads(server(f"/formgrader/api/submitted_notebooks/set-1/{stem}"))
    assert row["score"] == 12.0 and row["needs_manual_grade"]
    page = server(f"/formgrader/submissions/{row['id']}/")
    assert "Because." in page and "<script>fetch" not in page and "<img src=x" not in page
