"""The page for instructors promises commands: each is run, in the page's order, in a course of its own."""

import csv
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from gatedrnn.practice import products, sets
from gatedrnn.practice.command import add_arguments
from test_grade import save, solved

pytest.importorskip("nbgrader", reason="nbgrader is the extra gatedrnn[classroom]")
PAGE = products.ROOT / "chapters" / "appendices" / "instructors.md"
ELSEWHERE = ("--scheduler", "postgresql://", "GATEDRNN_GRADEBOOK")  # need a cluster or a server: tested apart
SET = sets.load("set-1")


def commands():
    """Every line that the page tells to type."""
    blocks = re.findall(r"```console\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    return [line.removeprefix("$ ") for block in blocks for line in block.splitlines()]


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    """A copy of exercises/ with one submission; what each command did."""
    root = tmp_path_factory.mktemp("book")
    folder = root / "exercises"
    shutil.copytree(products.ROOT / "exercises" / "source" / "set-1", folder / "source" / "set-1")
    config = (products.ROOT / "exercises" / "nbgrader_config.py").read_text(encoding="utf-8")
    (root / "exchange").mkdir()
    (root / "exchange").chmod(0o777)
    config += f"c.Exchange.root = {str(root / 'exchange')!r}\nc.Exchange.cache = {str(root / 'cache')!r}\n"
    (folder / "nbgrader_config.py").write_text(config, encoding="utf-8")
    place = folder / "submitted" / "ann" / "set-1"
    place.mkdir(parents=True)
    save(solved(), place, SET.notebook)
    return folder, [
        (line, run(line, folder, root)) for line in commands() if not any(e in line for e in ELSEWHERE)
    ]


def run(line: str, folder: Path, root: Path) -> subprocess.CompletedProcess:
    """Run one line of the page; a set of one's own goes below `root` instead of into the book."""
    words = shlex.split(line)
    if words[1:3] in (["-m", "gatedrnn.practice.new_set"], ["-m", "gatedrnn.practice.products"]):
        words += ["--root", str(root)]
    environment = {**os.environ, "GATEDRNN_SETS": str(root / "code" / "gatedrnn" / "practice" / "sets")}
    environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{environment['PATH']}"
    return subprocess.run(words, cwd=folder, env=environment, capture_output=True, text=True)


@pytest.mark.skipif(os.name != "posix", reason="nbgrader's exchange needs POSIX")
def test_every_command_of_the_page_does_what_it_says(course):
    folder, done = course
    assert len(done) >= 11
    for line, result in done:
        assert result.returncode == 0, f"{line}\n{result.stderr[-2000:]}"
    stem = Path(SET.notebook).stem
    assert (folder / "release" / "set-1" / SET.notebook).exists()
    assert (folder / "autograded" / "ann" / "set-1" / SET.notebook).exists()
    assert (folder / "feedback" / "ann" / "set-1" / f"{stem}.html").exists()
    assert (folder / "reports" / f"{stem}.html").exists()
    with open(folder / "grades.csv", encoding="utf-8") as file:
        (row,) = csv.DictReader(file)
    assert (row["status"], row["score"], row["pending"]) == ("pending", "15.0", "3.0")
    said = {line: result.stdout for line, result in done}
    again = next(text for line, text in said.items() if "--item echo" in line)
    assert "echo" in again and "run_rnn" not in again
    own = next(text for line, text in said.items() if "a-set-of-your-own" in line)
    assert "7 of 7 points (100 %), 2 pending" in own


def test_the_options_that_it_names_exist():
    import argparse

    parser = argparse.ArgumentParser()
    add_arguments(parser)
    known = set(parser._option_string_actions)
    page = PAGE.read_text(encoding="utf-8")
    named = {
        word for line in commands() if line.startswith("gatedrnn") for word in re.findall(r"--[a-z]+", line)
    }
    named |= {"--journal"}
    assert named <= known and all(
        word in page for word in ("--item", "--scheduler", "--gradebook", "--journal")
    )


def test_the_versions_that_it_names_are_the_pinned_ones():
    pinned = (products.ROOT / "requirements.txt").read_text(encoding="utf-8")
    extras = (products.ROOT / "code" / "pyproject.toml").read_text(encoding="utf-8")
    (version,) = re.findall(r"nbgrader (\d+\.\d+\.\d+)", PAGE.read_text(encoding="utf-8"))
    assert f"nbgrader=={version}\n" in pinned and f'"nbgrader=={version}"' in extras
    for extra in ("classroom", "postgresql", "cluster"):
        assert f"\n{extra} = [" in extras and f"gatedrnn[{extra}]" in PAGE.read_text(encoding="utf-8")
    (dask,) = re.findall(r'"distributed==([^"]+)"', extras)
    assert f"distributed=={dask}\n" in pinned
