"""`make lab`: a learner's copies are made once and never touched again; JupyterLab as a learner finds it."""

import importlib.util
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import nbformat
import pytest
from jupyterlab_server.config import get_page_config

ROOT = Path(__file__).resolve().parent.parent
NBGRADER = "@jupyter/nbgrader"
TOKEN = "learner"


@pytest.fixture
def lab(tmp_path, monkeypatch):
    spec = importlib.util.spec_from_file_location("lab", ROOT / "tools" / "lab.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "WORK", tmp_path / "my-work")
    monkeypatch.setattr(module, "EDITIONS", tmp_path / "my-work" / ".editions")
    return module


def test_a_learners_copy_is_kept_and_a_newer_edition_is_said(lab, tmp_path):
    original, place = tmp_path / "01.ipynb", Path("chapters/01.ipynb")
    original.write_text("first edition")
    assert lab.hand_out([(original, place)]) == []
    copy = lab.WORK / place
    assert copy.read_text() == "first edition"
    copy.write_text("first edition, with the learner's notes")
    assert lab.hand_out([(original, place)]) == []  # notes are no edition
    original.write_text("second edition")
    (sentence,) = lab.hand_out([(original, place)])
    assert sentence == "my-work/chapters/01.ipynb is of an older edition; yours is kept."
    assert copy.read_text() == "first edition, with the learner's notes"
    copy.rename(tmp_path / "moved away")
    assert lab.hand_out([(original, place)]) == []
    assert copy.read_text() == "second edition"


def test_without_a_built_book_it_says_what_to_run(lab, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(lab, "ROOT", tmp_path)
    assert lab.main([]) == 1
    assert "run `make lab`" in capsys.readouterr().err


def test_chapters_and_sets_are_handed_out_and_solutions_are_not(lab, tmp_path, monkeypatch, capsys):
    downloads = tmp_path / "_build" / "html" / "downloads"
    downloads.mkdir(parents=True)
    for name in ("01-machine", "notation", "set-1-solution"):
        (downloads / f"{name}.ipynb").write_text(name)
    words = []
    monkeypatch.setattr(lab, "ROOT", tmp_path)
    monkeypatch.setattr(lab, "serve", lambda said: words.append(said) or 0)
    assert lab.main(["--no-browser"]) == 0 and words == [["--no-browser"]]
    assert sorted(path.name for path in (lab.WORK / "chapters").iterdir()) == [
        "01-machine.ipynb",
        "notation.ipynb",
    ]
    mine = lab.WORK / "set-1" / "echo-and-time-scales.ipynb"
    assert mine.exists() and "2 chapters and appendices and 7 exercise sets" in capsys.readouterr().out
    mine.write_text("my answer")
    assert lab.main([]) == 0
    assert mine.read_text() == "my answer"


LATE = """
import sys, time
try:
    print("started", flush=True)
    time.sleep(60)
except KeyboardInterrupt:
    time.sleep(1)  # longer than Python itself waits for a child
    print("ended in its own way", flush=True)
    sys.exit(int(sys.argv[1]))
"""
RUN = """
import sys
sys.path.insert(0, "tools")
import run
run.VENV_PYTHON = sys.executable
run.install = lambda: None
run.COMMANDS["lab"] = lambda words: run.python("-c", sys.argv[1], *words)
run.main(["lab", sys.argv[2]])
"""


@pytest.mark.skipif(os.name != "posix", reason="sends a signal to a group of processes")
@pytest.mark.parametrize(("code", "ends_with", "said"), [(0, 0, ""), (130, 130, "Stopped.")])
def test_ctrl_c_is_the_jobs_to_answer(code, ends_with, said):
    """JupyterLab asks whether Ctrl-C is meant, a build puts its tools away: neither is cut short."""
    words = [sys.executable, "-c", RUN, LATE, str(code)]
    job = subprocess.Popen(
        words, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    assert job.stdout.readline() == "started\n"
    os.killpg(job.pid, signal.SIGINT)
    out, err = job.communicate(timeout=30)
    assert (job.returncode, out) == (ends_with, "ended in its own way\n")
    assert said in err and "Traceback" not in err


# ---- JupyterLab itself -----------------------------------------------------------------------------------


def test_nbgrader_is_left_to_instructors(lab):
    """Its menu is off in `make lab` and on in a JupyterLab that is started any other way."""
    extensions = [str(Path(sys.prefix, "share", "jupyter", "labextensions"))]
    if not Path(extensions[0], NBGRADER).exists():
        pytest.skip("nbgrader is the extra gatedrnn[classroom]")
    settings = dict(word.removeprefix("--").split("=", 1) for word in lab.settings())
    learners = get_page_config(extensions, settings["LabApp.app_settings_dir"])
    instructors = get_page_config(extensions)
    for config in (learners, instructors):
        assert NBGRADER in [extension["name"] for extension in config["federated_extensions"]]
    assert NBGRADER in learners["disabledExtensions"]
    assert NBGRADER not in instructors["disabledExtensions"]


def ask(address: str) -> tuple[int, str]:
    """The status and the text of an answer; status 0 where nobody answers."""
    try:
        with urllib.request.urlopen(address, timeout=30) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, ""
    except OSError:
        return 0, ""


@pytest.fixture
def served(lab, tmp_path, monkeypatch):
    """JupyterLab as `make lab` starts it, for a learner who has nothing of Jupyter's at home."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_CONFIG_PATH", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR"):
        monkeypatch.delenv(name, raising=False)
    lab.WORK.mkdir()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    words = ["--no-browser", f"--port={port}", f"--IdentityProvider.token={TOKEN}", "--allow-root"]
    log = tmp_path / "log"
    with log.open("w") as file:
        server = subprocess.Popen(
            [sys.executable, "-m", "jupyterlab", *lab.settings(), *words], stdout=file, stderr=file
        )
        address = f"http://127.0.0.1:{port}"
        until = time.monotonic() + 120
        while ask(f"{address}/api/status?token={TOKEN}")[0] != 200:
            assert server.poll() is None and time.monotonic() < until, log.read_text()
            time.sleep(0.3)
        yield address, log
        server.terminate()
        server.wait(timeout=30)


def test_the_server_brings_neither_formgrader_nor_news(served):
    address, log = served
    assert ask(f"{address}/formgrader?token={TOKEN}")[0] == 404
    status, text = ask(
        f"{address}/lab/api/settings/@jupyterlab/apputils-extension:notification?token={TOKEN}"
    )
    assert status == 200
    defaults = {name: part["default"] for name, part in json.loads(text)["schema"]["properties"].items()}
    assert defaults["fetchNews"] == "false" and defaults["checkForUpdates"] is False
    assert "nbgrader" not in log.read_text()


def write_notebook(path: Path) -> None:
    """A title above a live figure, and a check that somebody has not yet answered."""
    cells = [
        nbformat.v4.new_markdown_cell("# A title"),
        nbformat.v4.new_code_cell("from gatedrnn import widgets\nwidgets.EigenvalueEcho(radius=0.5)"),
        nbformat.v4.new_markdown_cell("## A part that could be folded"),
        nbformat.v4.new_code_cell(
            "from gatedrnn.practice import check\n"
            "def echo(W, U, pulse, steps):\n    raise NotImplementedError\ncheck('echo', echo)"
        ),
    ]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel}), path)


SELECTED = "[...document.querySelectorAll('.jp-Cell')].map((cell) => cell.matches('.jp-mod-selected'))"


@pytest.mark.browser
def test_a_figure_in_jupyterlab_answers_to_the_keyboard_and_the_notebook_stays(lab, served, browser):
    address, _ = served
    write_notebook(lab.WORK / "page.ipynb")
    page = browser.new_page(viewport={"width": 1400, "height": 1000})
    page.goto(f"{address}/lab?token={TOKEN}")
    page.locator(".jp-DirListing-item", has_text="page.ipynb").dblclick(timeout=90_000)
    page.locator(".jp-Notebook .jp-CodeCell").first.wait_for(timeout=60_000)
    assert "Nbgrader" not in page.locator(".lm-MenuBar-itemLabel").all_inner_texts()
    page.get_by_text("| Idle").wait_for(timeout=90_000)  # the kernel is there
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
    slider = page.locator(".live input[type=range]").first
    slider.wait_for(timeout=90_000)
    page.get_by_text("not written yet").wait_for(timeout=60_000)
    slider.focus()
    selected = page.evaluate(SELECTED)
    cells = page.locator(".jp-Notebook .jp-Cell").count()
    before = slider.input_value()
    for key in ("ArrowLeft", "ArrowLeft", "ArrowUp", "x", "x"):
        page.keyboard.press(key)
    assert float(slider.input_value()) < float(before)
    assert page.locator(".jp-Notebook .jp-Cell").count() == cells
    assert page.evaluate(SELECTED) == selected
    assert page.get_by_text("cells hidden").count() == 0
    handle = page.locator(".live [role=slider]").first
    handle.focus()
    place = handle.get_attribute("transform")
    page.keyboard.press("ArrowDown")
    page.wait_for_function(
        "([node, before]) => node.getAttribute('transform') !== before", arg=[handle.element_handle(), place]
    )
    assert page.evaluate("document.activeElement.getAttribute('role')") == "slider"
    page.close()
