"""What has been marked already, on disk at once: a grader that was killed goes on where it was.

A journal is a text file with one line for each notebook that was marked. A line counts as long as the
notebook and the package are what they were: the notebook is known by the hash of its content, the package by
the hash of its source.
"""

import dataclasses
import hashlib
import json
import os
from pathlib import Path
from typing import NamedTuple

from gatedrnn.cluster import edition
from gatedrnn.practice.grading import Report
from gatedrnn.practice.judge import Verdict
from gatedrnn.practice.submission import LARGEST

START = b'{"path": "'  # of every line of a journal


class UsageError(ValueError):
    """What was asked for does not fit together or to what is there; one sentence."""


class Task(NamedTuple):
    """One notebook to mark.

    Attributes
    ----------
    path : Path
    set : str
        Name of the set that it was handed in for, "" if the notebook tells.
    items : tuple of str
        Only these items; all if empty.
    timeout : float, optional
        Seconds for the whole notebook; the set's own by default.
    """

    path: Path
    set: str = ""
    items: tuple[str, ...] = ()
    timeout: float | None = None


def digest(path: Path) -> str:
    """Hash of a notebook as it is now; "" for what no grader reads: a link, a folder, a giant."""
    try:
        if path.is_symlink() or not path.is_file() or path.stat().st_size > LARGEST:
            return ""
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return ""


def to_record(report: Report) -> dict:
    """A report as plain JSON, from which :func:`from_record` makes it again."""
    return {**dataclasses.asdict(report), "path": str(report.path)}


def from_record(record: dict) -> Report:
    """The report that :func:`to_record` wrote."""
    verdicts = [
        Verdict(**{**verdict, "questions": [tuple(each) for each in verdict["questions"]]})
        for verdict in record["verdicts"]
    ]
    return Report(**{**record, "path": Path(record["path"]), "verdicts": verdicts})


class Forgetful:
    """A journal for runs that need none."""

    def find(self, task: Task) -> Report | None:
        """Nothing is known."""
        return None

    def add(self, task: Task, report: Report) -> None:
        """Nothing is kept."""


class Journal(Forgetful):
    """A journal in a file.

    Parameters
    ----------
    path : Path
        The file; it is made if it is not there.

    Notes
    -----
    One process writes it at a time: a second one is refused with ``BlockingIOError``.
    """

    def __init__(self, path: Path):
        path.parent.mkdir(parents=True, exist_ok=True)
        self.file = open(path, "a+b")  # noqa: SIM115 – open as long as the run lasts
        _lock(self.file)
        self.known = dict(map(_entry, self._lines()))

    def _lines(self) -> list[dict]:
        """Every whole line; the rest of one that was cut short by a kill is removed."""
        self.file.seek(0)
        content = self.file.read()
        whole, newline, rest = content.rpartition(b"\n")
        if not (whole or rest).startswith(START[: len(whole or rest)]):
            raise ValueError("it is no journal")
        entries = [json.loads(line) for line in whole.splitlines()]
        self.file.truncate(len(whole) + len(newline))
        return entries

    def find(self, task: Task) -> Report | None:
        """The report on this very notebook, if this edition of the package has made it."""
        known = self.known.get((str(task.path), task.set, task.items))
        fits = known and known["edition"] == edition() and known["report"]["digest"] == digest(task.path)
        return from_record(known["report"]) if fits else None

    def add(self, task: Task, report: Report) -> None:
        """Write down a mark, on disk when this returns. What was not marked is tried again next time."""
        if report.status != "graded":
            return
        entry = {"path": str(task.path), "set": task.set, "items": list(task.items)}
        entry |= {"edition": edition(), "report": to_record(report)}
        self.file.write(json.dumps(entry).encode() + b"\n")
        self.file.flush()
        os.fsync(self.file.fileno())
        self.known.update([_entry(entry)])

    def close(self) -> None:
        """Let another process have it."""
        self.file.close()


def _entry(entry: dict) -> tuple[tuple, dict]:
    return (entry["path"], entry["set"], tuple(entry["items"])), entry


def _lock(file) -> None:
    """Keep other graders out of this file, where the system can (it lets go when this process ends)."""
    try:
        import fcntl
    except ImportError:  # Windows
        return
    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
