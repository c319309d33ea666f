"""`make book` and what it promises: execute only what changed, fail in words, survive an interruption.

A small book in a folder of its own is built by the very tools/book.py that builds the real one.
"""

import ast
import importlib.util
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import filelock
import pytest

ROOT = Path(__file__).resolve().parent.parent

CHAPTER = """---
jupytext:
  text_representation: {{extension: .md, format_name: myst}}
kernelspec: {{name: python3, display_name: Python 3}}
---

# A chapter

{prose}

```{{code-cell}} ipython3
{options}
{code}
```
"""

# Leaves a line in a file each time it runs, so that a test can count executions.
COUNTED = "from pathlib import Path\nwith Path('runs.txt').open('a') as file:\n    file.write('x')"


@pytest.fixture
def book(tmp_path):
    """A book of one page and one chapter, with a package and the real build tool."""
    folder = tmp_path / "book"
    (folder / "tools").mkdir(parents=True)
    (folder / "code" / "gatedrnn").mkdir(parents=True)
    shutil.copy(ROOT / "tools" / "book.py", folder / "tools")
    for name in ("requirements.txt", "constraints.txt", "references.bib"):
        (folder / name).write_text("")
    (folder / "code" / "gatedrnn" / "cells.py").write_text("ONE = 1\n")
    execute = "execute: {execute_notebooks: cache, cache: _build/.jupyter_cache}\n"
    (folder / "_config.yml").write_text(f"title: Small\nonly_build_toc_files: true\n{execute}")
    (folder / "_toc.yml").write_text("format: jb-book\nroot: index\nchapters:\n  - file: chapter\n")
    (folder / "index.md").write_text("# Small\n\nA page without code.\n")
    write_chapter(folder)
    return folder


def write_chapter(folder, prose="Some prose.", code=COUNTED, options=":tags: [one]"):
    (folder / "chapter.md").write_text(CHAPTER.format(prose=prose, code=code, options=options))


def build(folder, *words, data=""):
    environment = {**os.environ, "XDG_CACHE_HOME": str(folder / "no-cache"), "GATEDRNN_DATA": data}
    return subprocess.run(
        [sys.executable, "tools/book.py", *words],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
    )


def runs(folder):
    return len((folder / "runs.txt").read_text())


def test_prose_does_not_execute_again_but_code_and_package_do(book, tmp_path):
    assert build(book, "--execute").returncode == 0
    assert runs(book) == 1
    write_chapter(book, prose="Other prose, at greater length.")
    assert build(book, "--execute").stdout == ""
    assert runs(book) == 1
    write_chapter(book, code=COUNTED + "\n1 + 1")
    build(book, "--execute")
    assert runs(book) == 2
    (book / "code" / "gatedrnn" / "cells.py").write_text("ONE = 1.0\n")
    build(book, "--execute")
    assert runs(book) == 3
    recordings = tmp_path / "recordings"
    recordings.mkdir()
    (recordings / "new.mat").write_bytes(b"a recording")
    build(book, "--execute", data=str(recordings))
    assert runs(book) == 4


CAPTIONED = """---
mystnb:
  figure: {{caption: "{caption}", name: fig-one}}
  image: {{alt: "{caption} A page with a small picture of nothing."}}
---"""
DRAWN = (
    COUNTED
    + """
import base64
from IPython.display import Image, display
display(Image(base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNk+A8AAQUBAScY42YAAAAASUVORK5CYII="
)))"""
)


def test_a_caption_is_rendered_again_without_executing_again(book):
    page = book / "_build" / "html" / "chapter.html"
    for caption in ("First words.", "Other words.", "First words."):
        write_chapter(book, code=DRAWN, options=CAPTIONED.format(caption=caption))
        result = build(book)
        assert result.returncode == 0, result.stderr
        assert page.read_text().count(caption) >= 2 and "_images/" in page.read_text()
        assert runs(book) == 1
    write_chapter(book, code=DRAWN, options=":tags: [raises-exception]")
    build(book, "--execute")
    assert runs(book) == 2, "a tag that execution heeds is no caption"


def test_a_second_build_at_the_same_time_is_refused_in_one_sentence(book):
    with filelock.FileLock(book / "_build.lock"):
        result = build(book, "--execute")
    assert result.returncode == 1
    assert result.stderr.strip().count("\n") == 0 and "Another `make book` is at work" in result.stderr
    assert not (book / "_build").exists()
    assert build(book, "--execute").returncode == 0


def test_a_cell_that_raises_fails_the_build_and_says_where(book):
    write_chapter(book, code="1 / 0")
    result = build(book)
    assert result.returncode == 1
    assert "chapter: code cell 1 of 1 failed" in result.stderr
    assert "ZeroDivisionError" in result.stderr
    assert not (book / "_build" / "html" / "index.html").exists()
    write_chapter(book)
    assert build(book, "--execute").returncode == 0


def test_a_warning_fails_the_build_every_time_until_it_is_mended(book):
    write_chapter(book, prose="A link to {ref}`nowhere-at-all`.")
    for _ in range(2):
        result = build(book)
        assert result.returncode == 1
        assert "nowhere-at-all" in result.stderr
    write_chapter(book, prose="No link.")
    result = build(book)
    assert result.returncode == 0, result.stderr
    assert "No link." in (book / "_build" / "html" / "chapter.html").read_text()
    assert f"Open {book / '_build' / 'html' / 'index.html'}" in result.stdout


def test_a_page_cut_short_by_a_killed_build_is_rendered_again(book):
    assert build(book).returncode == 0
    page = book / "_build" / "html" / "index.html"
    whole = page.read_text()
    page.write_text(whole[:100])  # what a kill in the middle of writing leaves, newer than its source
    (book / "_build" / "unfinished").write_text("")
    assert build(book).returncode == 0
    assert page.read_text() == whole


@pytest.mark.skipif(os.name == "nt", reason="Windows has no process groups to kill in one stroke")
def test_a_killed_execution_leaves_nothing_that_the_next_build_trips_over(book):
    write_chapter(book, code="import time\nfrom pathlib import Path\nPath('begun').touch()\ntime.sleep(60)")
    process = subprocess.Popen(
        [sys.executable, "tools/book.py", "--execute"],
        cwd=book,
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 60
    while not (book / "begun").exists():
        assert time.monotonic() < deadline, "the chapter never began to run"
        time.sleep(0.1)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    write_chapter(book)
    result = build(book, "--execute")
    assert result.returncode == 0, result.stderr
    assert runs(book) == 1


def test_a_page_missing_from_the_table_of_contents_is_named(book):
    (book / "_toc.yml").write_text("format: jb-book\nroot: index\nchapters:\n  - file: chaptre\n")
    result = build(book)
    assert result.returncode == 1
    assert "_toc.yml names 'chaptre'" in result.stderr


def load(name):
    spec = importlib.util.spec_from_file_location(name, ROOT / "tools" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_an_old_python_can_read_the_set_up_far_enough_to_be_told(monkeypatch, capsys):
    ast.parse((ROOT / "tools" / "run.py").read_text(), feature_version=(3, 4))
    run = load("run")
    monkeypatch.setattr(run.sys, "version_info", (3, 10, 13))
    with pytest.raises(SystemExit):
        run.require_python()
    assert "needs Python 3.11 or newer and was started with Python 3.10" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("pip_says", "sentence"),
    [
        (
            "ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device",
            "disk is full",
        ),
        ("NewConnectionError('... Temporary failure in name resolution')", "this needs a network once"),
        ("ERROR: ResolutionImpossible: a 1 needs b 2", "a 1 needs b 2"),
    ],
)
def test_what_pip_says_becomes_one_sentence(pip_says, sentence):
    assert sentence in load("run").explain_failure(["Collecting numpy", pip_says])


def test_a_full_disk_is_said_before_the_work_starts(monkeypatch, capsys):
    run = load("run")
    monkeypatch.setattr(
        run.shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(10**12, 10**12, 10**8)
    )
    with pytest.raises(SystemExit):
        run.require_disk()
    assert "The disk is full" in capsys.readouterr().err


@pytest.mark.parametrize(
    "schema, file",
    [("github-workflows", ".github/workflows/test.yml"), ("citation-file-format", "CITATION.cff")],
)
def test_the_public_files_fit_their_schemas(schema, file):
    command = [
        sys.executable,
        "-m",
        "check_jsonschema",
        "--builtin-schema",
        f"vendor.{schema}",
        str(ROOT / file),
    ]
    result = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert result.returncode == 0, result.stdout


def test_no_package_shadows_the_standard_library():
    assert not (ROOT / "code" / "__init__.py").exists()
