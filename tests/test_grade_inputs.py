"""Whatever is given to ``gatedrnn grade``, it answers in one sentence and goes on with the rest."""

import json
import os
import subprocess
import sys

import pytest
from gatedrnn.cli import main
from gatedrnn.practice import batch, command, grading, reporting, sandbox, submission
from gatedrnn.practice.session import Session
from nbformat.v4 import new_markdown_cell, new_notebook
from test_grade import answer, save, small


def notebook_text(**changes):
    """A small valid notebook as text, with some keys changed."""
    return json.dumps({**small(answer("echo")), **changes})


BROKEN = {
    "not JSON": ("{'cells': []}", "it is not JSON, line 1"),
    "cut short": (notebook_text()[:100], "it is not JSON, line 1"),
    "empty": ("", "it is not JSON"),
    "JSON of another kind": ("[1, 2, 3]", "but not a notebook"),
    "no format": ('{"cells": []}', "but not a notebook"),
    "format that is no number": ('{"cells": [], "nbformat": true}', "but not a notebook"),
    "format 3": ('{"nbformat": 3, "worksheets": []}', "old notebook format, 3: open it in Jupyter"),
    "format 5": (notebook_text(nbformat=5), "newer notebook format, 5"),
    "no cells": ('{"nbformat": 4}', "no list of cells"),
    "cells that are no list": ('{"nbformat": 4, "cells": {}}', "no list of cells"),
    "a cell that is no object": (notebook_text(cells=[3]), "cell 1 of this notebook is damaged"),
    "a cell without text": (
        notebook_text(cells=[{"cell_type": "code"}]),
        "cell 1 of this notebook is damaged",
    ),
    "a cell of numbers": (notebook_text(cells=[{"cell_type": "code", "source": [1]}]), "cell 1"),
    "another language": (
        notebook_text(metadata={"kernelspec": {"language": "R"}}),
        "written for R, not for Python",
    ),
    "another language, said otherwise": (
        notebook_text(metadata={"language_info": {"name": "julia"}}),
        "written for julia",
    ),
    "no exercise": (
        json.dumps(new_notebook(cells=[new_markdown_cell("Hello")])),
        "no set that I know (set-1",
    ),
    "very deep": ("[" * 200_000, "nested too deeply"),
}


@pytest.mark.parametrize(("text", "sentence"), BROKEN.values(), ids=BROKEN)
def test_a_broken_file_is_refused_in_one_sentence(text, sentence, tmp_path, capsys):
    path = tmp_path / "work.ipynb"
    path.write_text(text)
    assert main(["grade", str(path)]) == 2
    out, err = capsys.readouterr()
    assert out == "" and sentence in err
    assert len(err.splitlines()) == 1 and err.startswith(f"{path}: refused, ")


OTHERS = {
    "missing.ipynb": "there is no such file",
    "latin.ipynb": "not UTF-8",
    "utf16.ipynb": "not UTF-8",
    "numpy.py": "name ends in .ipynb",
    "link.ipynb": "a symbolic link",
    "folder": "a folder without a notebook",
    "large.ipynb": "50 MB, more than 20",
}


def test_other_things_are_refused_in_one_sentence(tmp_path, capsys):
    (tmp_path / "latin.ipynb").write_bytes(notebook_text().encode().replace(b"echo", b"\xe9cho"))
    (tmp_path / "utf16.ipynb").write_bytes(notebook_text().encode("utf-16"))
    (tmp_path / "numpy.py").write_text("allclose = True")
    (tmp_path / "link.ipynb").symlink_to(save(small(answer("echo")), tmp_path, "real.ipynb"))
    (tmp_path / "folder").mkdir()
    with open(tmp_path / "large.ipynb", "wb") as file:
        file.truncate(50_000_000)
    assert main(["grade", *(str(tmp_path / name) for name in OTHERS)]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == len(OTHERS)
    for line, (name, sentence) in zip(lines, OTHERS.items(), strict=True):
        assert line.startswith(f"{tmp_path / name}: refused, ") and sentence in line


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_pipe_does_not_hang_the_grader(tmp_path):
    os.mkfifo(tmp_path / "pipe.ipynb")
    with pytest.raises(submission.SubmissionError, match="not an ordinary file"):
        submission.read(tmp_path / "pipe.ipynb")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")
def test_an_unreadable_file_says_so(tmp_path):
    path = save(small(answer("echo")), tmp_path)
    path.chmod(0)
    with pytest.raises(submission.SubmissionError, match="cannot be read"):
        submission.read(path)


def test_odd_but_valid_notebooks_are_marked(tmp_path):
    odd = json.loads(notebook_text())
    odd["cells"][1]["source"] = odd["cells"][1]["source"].splitlines(keepends=True)
    odd["cells"][1]["metadata"] = {"nbgrader": "not an object"}
    odd["cells"] += [
        {"cell_type": "raw", "source": "raw"},
        {"cell_type": "code", "source": "x = '\ud800\\0'"},
    ]
    odd["metadata"] = {"kernelspec": "none", "language_info": None}
    path = tmp_path / "odd.ipynb"
    path.write_bytes(b"\xef\xbb\xbf" + json.dumps(odd).encode())
    report = grading.grade(path)
    assert report.status == "graded" and report.points == 3


def test_a_folder_stands_for_its_notebooks_and_one_bad_file_stops_nobody(tmp_path, capsys):
    (tmp_path / ".ipynb_checkpoints").mkdir()
    save(small(answer("echo")), tmp_path / ".ipynb_checkpoints", "old.ipynb")
    (tmp_path / "b").mkdir()
    save(small(answer("run_rnn")), tmp_path / "b", "work.ipynb")
    save(small(answer("echo")), tmp_path, "a.ipynb")
    (tmp_path / "broken.ipynb").write_text("nothing")
    pages = tmp_path / "pages"
    assert main(["grade", str(tmp_path), str(tmp_path / "a.ipynb"), "--json", "--html", str(pages)]) == 2
    submissions = json.loads(capsys.readouterr().out)["submissions"]
    assert [each["path"] for each in submissions] == [
        str(tmp_path / "a.ipynb"),
        str(tmp_path / "b" / "work.ipynb"),
        str(tmp_path / "broken.ipynb"),
    ]
    assert [each["points"] for each in submissions] == [3, 3, 0]
    assert [each["status"] for each in submissions] == ["graded", "graded", "refused"]
    assert sorted(page.name for page in pages.iterdir()) == ["a.html", "broken.html", "work.html"]


def test_the_exit_code_is_0_whatever_the_mark_and_the_report_is_readable(tmp_path, capsys):
    path = save(small(answer("echo").replace("W @ h", "h @ W")), tmp_path)
    assert main(["grade", str(path)]) == 0
    text = capsys.readouterr().out
    for piece in (
        "set-1, Echo and time scales",
        "echo",
        "1 of 3   partly right",
        "hint: Your states follow h @ W",
    ):
        assert piece in text
    assert "not reached" in text and "points (" in text
    assert max(map(len, text.splitlines())) <= max(100, len(str(path)) + 40)


def test_json_follows_the_documented_schema(tmp_path, capsys):
    assert main(["grade", str(save(small(answer("echo")), tmp_path)), "--json"]) == 0
    run = json.loads(capsys.readouterr().out)
    page = (sandbox.PACKAGE.parents[1] / "chapters/practice/grading.md").read_text(encoding="utf-8")
    described = page.split("## The report as data")[1]
    for part in (run, run["submissions"][0], run["submissions"][0]["items"][0]):
        for key in part:
            assert f"`{key}`" in described, key
    assert run["schema"] == "gatedrnn-grade-1" and f'`"{run["schema"]}"`' in described


def test_a_page_escapes_what_a_learner_wrote(tmp_path, capsys):
    source = "def echo(W, U, pulse, steps):\n    raise ValueError('<script>alert(1)</script>')"
    path = save(small(source, "raise Exception('<b>')"), tmp_path, "a<i>.ipynb")
    assert main(["grade", str(path), "--html", str(tmp_path / "pages")]) == 0
    page = (tmp_path / "pages" / "a<i>.html").read_text(encoding="utf-8")
    assert "&lt;script&gt;" in page and "<script" not in page and "<b>" not in page and "<i>" not in page
    assert "http" not in page and "<link" not in page and "src=" not in page  # needs nothing from anywhere


def test_a_folder_for_pages_that_cannot_be_made_is_said_in_words(tmp_path, capsys):
    (tmp_path / "taken").write_text("")
    path = save(small(answer("echo")), tmp_path)
    assert main(["grade", str(path), "--html", str(tmp_path / "taken")]) == 2
    assert "could not be written" in capsys.readouterr().err


@pytest.mark.parametrize("word", ["0", "-1", "soon", "nan"])
def test_a_bad_timeout_is_said_in_words(word, capsys):
    with pytest.raises(SystemExit) as stopped:
        main(["grade", "x.ipynb", f"--timeout={word}"])
    assert stopped.value.code == 2
    assert "number of seconds from 1 to 86400" in capsys.readouterr().err


def test_a_machine_that_cannot_start_a_worker_is_nobodys_zero(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(Session, "complaint", lambda self: "no such interpreter")
    monkeypatch.setattr(sandbox, "command", lambda *words: [sys.executable, "-c", "raise SystemExit(1)"])
    assert main(["grade", str(save(small(answer("echo")), tmp_path))]) == 1
    err = capsys.readouterr().err
    assert "failed, the process for the notebook did not start (no such interpreter)" in err


def test_grading_imports_neither_torch_nor_matplotlib(tmp_path):
    path = save(small(answer("echo")), tmp_path)
    code = (
        "import sys; from gatedrnn.cli import main; "
        f"code = main(['grade', {str(path)!r}]); "
        "assert code == 0; "
        "print(sorted({'torch', 'matplotlib', 'nbformat', 'IPython'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "[]"


def test_notebooks_named_twice_are_marked_once(tmp_path):
    path = save(small(answer("echo")), tmp_path)
    assert command.notebooks([path, tmp_path, path]) == [path]


def test_what_a_learner_wrote_cannot_steer_the_terminal(tmp_path, capsys):
    odd = "def echo(*words):\n    raise type('\\x1b[31mRed', (Exception,), {})('\\x1b[2J\\u202e\\x07')"
    other = "raise Exception('\\x1b[2J')", "def modes(W, dt): return '\\x1b[2J'"
    path = save(small(odd, *other), tmp_path)
    assert main(["grade", str(path)]) == 0
    out = capsys.readouterr().out
    assert "Red" in out and all(letter.isprintable() or letter == "\n" for letter in out)


def test_too_much_code_is_refused(tmp_path):
    with pytest.raises(submission.SubmissionError, match="more than 1000000 characters"):
        submission.read(save(small("#" * 600_000, "#" * 600_000, answer("echo")), tmp_path))


def test_many_cells_are_no_burden(tmp_path):
    report = grading.grade(save(small(*["1"] * 3000, answer("echo")), tmp_path))
    assert report.points == 3


def test_a_pending_answer_is_in_the_page_with_its_criteria(tmp_path):
    cell = new_markdown_cell("Because *x* < y.", metadata={"nbgrader": {"grade_id": "written_answer"}})
    report = grading.grade(save(new_notebook(cells=[cell]), tmp_path))
    page = reporting.as_html(report)
    assert "<blockquote>Because *x* &lt; y.</blockquote>" in page and "One point each" in page
    assert "Because" not in reporting.as_text(report)


def test_a_run_that_is_stopped_says_so(tmp_path, monkeypatch, capsys):
    def stopped(task):
        raise KeyboardInterrupt

    monkeypatch.setattr(batch, "mark", stopped)
    assert main(["grade", str(save(small(answer("echo")), tmp_path))]) == 130
    assert "stopped; 0 notebooks are marked" in capsys.readouterr().err
