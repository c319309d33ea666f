"""Open JupyterLab on the learner's own copies of the chapters and exercises.

    python tools/lab.py [--no-browser] [more words for JupyterLab]

The copies lie in my-work/. A notebook that is there already is never touched: what a learner wrote stays.
Where the book has a newer edition of a chapter, it is said, and moving the old copy away brings the new one.
What is an instructor's is left out: the solutions, which are on the book's pages, and nbgrader's menu, which
``jupyter lab`` in exercises/ has.
"""

import contextlib
import hashlib
import os
import subprocess
import sys
from pathlib import Path

from gatedrnn.practice.handout import copy_new, copy_release

ROOT = Path(__file__).resolve().parent.parent
WORK = ROOT / "my-work"
SETTINGS = ROOT / "tools" / "jupyterlab"
EDITIONS = WORK / ".editions"  # one file per notebook: the hash of the edition it was copied from


def digest(path: Path) -> str:
    """Hash of a file's content."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def hand_out(originals: list[tuple[Path, Path]]) -> list[str]:
    """Copy what is not there yet; return a sentence for each notebook of which there is a newer edition.

    Each pair says where the book's notebook is and where, below my-work/, the learner's copy belongs.
    """
    newer = []
    for original, place in originals:
        copy = copy_new(original, WORK / place)
        edition = EDITIONS / place.with_suffix(".sha256")
        if copy.new:
            edition.parent.mkdir(parents=True, exist_ok=True)
            edition.write_text(digest(original))
        elif edition.exists() and edition.read_text() != digest(original):
            newer.append(f"my-work/{place.as_posix()} is of an older edition; yours is kept.")
    return newer


def settings() -> list[str]:
    """Words for this JupyterLab and no other: nothing is written, and a terminal in it inherits nothing.

    What a learner has configured comes after the files in tools/jupyterlab/ and may overrule them.
    """
    parts = ("assignment_list", "course_list", "formgrader", "validate_assignment")
    server = [f"--ServerApp.jpserver_extensions=nbgrader.server_extensions.{part}=False" for part in parts]
    return [
        f"--ServerApp.root_dir={WORK}",
        f"--LabApp.app_settings_dir={SETTINGS}",
        # Nothing of the learner's is handed to anybody: no news feed, no look for extensions elsewhere.
        "--LabApp.news_url=None",
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
        "--LabApp.extension_manager=readonly",
        *server,
    ]


def serve(words: list[str]) -> int:
    """Run JupyterLab until it ends; Ctrl-C is its own to answer, for it asks whether that is meant."""
    command = [sys.executable, "-m", "jupyterlab", *settings(), *words]
    server = subprocess.Popen(command, env={**os.environ, "PYDEVD_DISABLE_FILE_VALIDATION": "1"})
    while True:
        with contextlib.suppress(KeyboardInterrupt):
            return server.wait()


def main(words: list[str]) -> int:
    """Hand out, say what is there, start JupyterLab."""
    notebooks = sorted((ROOT / "_build" / "html" / "downloads").glob("*.ipynb"))
    chapters = [path for path in notebooks if not path.stem.endswith("-solution")]
    if not chapters:
        print("The chapters are not built yet: run `make lab` or `python tools/run.py lab`.", file=sys.stderr)
        return 1
    newer = hand_out([(path, Path("chapters") / path.name) for path in chapters])
    exercises = copy_release(WORK)
    print(
        f"{len(chapters)} chapters and appendices and {len(exercises)} exercise sets are in {WORK}",
        flush=True,
    )
    if newer:
        print("\n".join([*newer, "Move your copy away to get the newer one."]), flush=True)
    return serve(words)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
