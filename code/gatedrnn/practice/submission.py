"""Reading a notebook that somebody handed in, trusting nothing about it; it is opened read-only, once."""

import base64
import contextlib
import hashlib
import json
import os
import stat
from dataclasses import dataclass
from pathlib import Path

from gatedrnn.practice import sets
from gatedrnn.practice.items import ExerciseSet

LARGEST = 20_000_000  # bytes; a finished notebook with all its figures has a tenth of that
MOST_CODE = 1_000_000  # characters in code cells; a finished notebook has a hundredth of that


LARGEST_PICTURE = 2_000_000  # letters of base64


class SubmissionError(Exception):
    """The file cannot be marked; the message says in one sentence why and what to do."""


@dataclass(frozen=True)
class Cell:
    """One cell: its place in the notebook, its names, its text, the pictures stored with it."""

    index: int
    kind: str  # "code", "markdown" or "raw"
    names: tuple[str, ...]  # the nbgrader grade_id, then the notebook's own cell id
    source: str
    pictures: tuple[str, ...] = ()  # PNG files in base64; nothing believes them, a reader may look at them


@dataclass(frozen=True)
class Submission:
    """A notebook as far as marking needs it."""

    path: Path
    digest: str  # sha256 of the file
    exercise_set: ExerciseSet
    cells: tuple[Cell, ...]


def read(path: Path, wanted: ExerciseSet | None = None) -> Submission:
    """Read one notebook.

    Parameters
    ----------
    path : Path
    wanted : ExerciseSet, optional
        The set that it was handed in for; by default it is found out.

    Raises
    ------
    SubmissionError
        If it is missing, a link, too large, not a notebook of format 4, not written for Python, or of no
        known set.
    """
    content = read_content(Path(path))
    notebook = _notebook(content)
    cells = tuple(_cell(index, cell) for index, cell in enumerate(notebook["cells"]))
    _refuse_other_languages(notebook)
    if sum(len(cell.source) for cell in cells if cell.kind == "code") > MOST_CODE:
        raise SubmissionError(f"its code has more than {MOST_CODE} characters, which is no exercise any more")
    exercise_set = wanted or _find_set(cells, _said_set(notebook))
    return Submission(Path(path), hashlib.sha256(content).hexdigest(), exercise_set, cells)


def read_content(path: Path) -> bytes:
    """Return the bytes of a notebook that is an ordinary file of an ordinary size.

    Raises
    ------
    SubmissionError
        If it is not.
    """
    if path.is_symlink():
        raise SubmissionError("this is a symbolic link; give the notebook itself")
    if path.is_dir():
        raise SubmissionError("this is a folder without a notebook; give an .ipynb file")
    if path.suffix != ".ipynb":
        raise SubmissionError("expected a notebook, a file whose name ends in .ipynb")
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
    except FileNotFoundError:
        raise SubmissionError("there is no such file") from None
    except OSError as error:
        raise SubmissionError(f"the file cannot be read: {error.strerror}") from None
    with os.fdopen(descriptor, "rb") as file:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise SubmissionError("this is not an ordinary file")
        content = file.read(LARGEST + 1) if status.st_size <= LARGEST else b""
    if status.st_size > LARGEST or len(content) > LARGEST:
        raise SubmissionError(
            f"the file has {status.st_size / 1e6:.0f} MB, more than {LARGEST / 1e6:.0f}: clear all outputs "
            "in Jupyter, save, and try again"
        )
    return content


def _notebook(content: bytes) -> dict:
    try:
        notebook = json.loads(content.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise SubmissionError("this is not a notebook: its text is not UTF-8") from None
    except RecursionError:
        raise SubmissionError("this is not a notebook: its JSON is nested too deeply") from None
    except ValueError as error:
        place = f", line {error.lineno}" if isinstance(error, json.JSONDecodeError) else ""
        raise SubmissionError(f"this is not a notebook: it is not JSON{place}") from None
    version = notebook.get("nbformat") if isinstance(notebook, dict) else None
    if type(version) is not int:
        raise SubmissionError("this is JSON, but not a notebook")
    if version != 4:
        what = "an old" if version < 4 else "a newer"
        raise SubmissionError(
            f"this is {what} notebook format, {version}: open it in Jupyter, save it as format 4"
        )
    if not isinstance(notebook.get("cells"), list):
        raise SubmissionError("this notebook has no list of cells")
    return notebook


def _cell(index: int, cell) -> Cell:
    source = cell.get("source") if isinstance(cell, dict) else None
    if isinstance(source, list) and all(isinstance(line, str) for line in source):
        source = "".join(source)
    if not isinstance(source, str) or not isinstance(cell.get("cell_type"), str):
        raise SubmissionError(f"cell {index + 1} of this notebook is damaged: it has no type or no text")
    metadata = cell.get("metadata")
    marking = metadata.get("nbgrader") if isinstance(metadata, dict) else None
    names = [marking.get("grade_id") if isinstance(marking, dict) else None, cell.get("id")]
    names = tuple(name for name in names if isinstance(name, str))
    return Cell(index, cell["cell_type"], names, _clean(source), _pictures(cell))


def _pictures(cell: dict) -> tuple[str, ...]:
    """The stored pictures that are what they say they are, a few at most."""
    outputs, found = cell.get("outputs"), []
    for output in outputs[:50] if isinstance(outputs, list) else ():
        data = output.get("data") if isinstance(output, dict) else None
        text = data.get("image/png") if isinstance(data, dict) else None
        text = "".join(text) if isinstance(text, list) and all(isinstance(t, str) for t in text) else text
        if isinstance(text, str) and len(text) < LARGEST_PICTURE and len(found) < 5:
            with contextlib.suppress(ValueError):
                picture = base64.b64decode(text.replace("\n", ""), validate=True)
                if picture.startswith(b"\x89PNG\r\n\x1a\n"):
                    found.append(base64.b64encode(picture).decode())
    return tuple(found)


def _clean(source: str) -> str:
    """Replace what no text can hold (lone surrogates), so that the cell can travel."""
    return source.encode("utf-8", "replace").decode("utf-8")


def _refuse_other_languages(notebook: dict) -> None:
    metadata = notebook.get("metadata")
    metadata = metadata if isinstance(metadata, dict) else {}
    for key, field in (("language_info", "name"), ("kernelspec", "language")):
        entry = metadata.get(key)
        language = entry.get(field) if isinstance(entry, dict) else None
        if isinstance(language, str) and language.lower() not in ("python", "ipython", "python3", ""):
            raise SubmissionError(f"this notebook is written for {language[:40]}, not for Python")


def _said_set(notebook: dict) -> str:
    """The set's name as the student's notebook carries it, or ""."""
    metadata = notebook.get("metadata")
    ours = metadata.get("gatedrnn") if isinstance(metadata, dict) else None
    name = ours.get("set") if isinstance(ours, dict) else None
    return name if isinstance(name, str) else ""


def _find_set(cells: tuple[Cell, ...], said: str) -> ExerciseSet:
    """The set with most items in this notebook, by cell name or by ``def``; metadata may have been lost.

    A learner may keep functions of an earlier set in the notebook of a later one: what the notebook says
    of itself decides as long as it has one item of that set.
    """
    best, most = None, 0
    for exercise_set in map(sets.load, sets.MODULES):
        names = {item.name for item in exercise_set.items}
        named = {name for cell in cells for name in cell.names} & names
        defined = {name for name in names for cell in cells if f"def {name}(" in cell.source}
        count = len(named | defined) * (1000 if exercise_set.name == said else 1)
        if count > most:
            best, most = exercise_set, count
    if best is None:
        raise SubmissionError(f"this notebook belongs to no set that I know ({', '.join(sets.MODULES)})")
    return best
