"""Marks in nbgrader's gradebook, each notebook's in one transaction with a note of what was marked.

The note is a row in a table of ours beside nbgrader's. It makes the gradebook a journal: whatever is killed
when, a notebook's marks are there with the note or not there at all, and are made once.
"""

import contextlib
import json
import os
import sys
import warnings
from pathlib import Path

import nbformat
from nbgrader.api import Gradebook, MissingEntry
from nbgrader.utils import parse_utc
from sqlalchemy import Column, MetaData, String, Table, Text, delete, insert, select
from sqlalchemy.exc import SAWarning, SQLAlchemyError

from gatedrnn.cluster import edition
from gatedrnn.practice import products, sets, submission
from gatedrnn.practice.classroom.copies import in_words, marked_copy, without_tags
from gatedrnn.practice.grading import Report
from gatedrnn.practice.journal import Forgetful, Task, UsageError, digest, from_record, to_record
from gatedrnn.practice.judge import Verdict

NOTES = Table(
    "gatedrnn_marks",
    MetaData(),
    Column("student", String(128), primary_key=True),
    Column("assignment", String(128), primary_key=True),
    Column("notebook", String(128), primary_key=True),
    Column("status", String(16)),  # graded, refused or failed
    Column("reason", Text),
    Column("sha256", String(64)),
    Column("report", Text),
    Column("editions", Text),  # of the package, for each item
)
LOST = {"refused": "could not be marked", "failed": "was not marked, through no fault of the notebook"}


def prepare() -> None:
    """Get this process ready for nbgrader.

    It must find ``alembic``, which lies beside this Python even where that is not on the path. SQLAlchemy's
    remarks on how nbgrader builds its rows, which are right, are left out.
    """
    warnings.filterwarnings("ignore", message="Object of type", category=SAWarning)
    folder, path = str(Path(sys.executable).parent), os.environ.get("PATH", "")
    if folder not in path.split(os.pathsep):
        os.environ["PATH"] = f"{folder}{os.pathsep}{path}"


class Place:
    """Whose notebook it is, told by where it lies: ``submitted/<student>/<assignment>/<notebook>.ipynb``."""

    def __init__(self, path: Path):
        path = Path(os.path.abspath(path))  # without following links
        if len(path.parts) < 5:
            raise UsageError(
                f"{path} is not in a course: expected submitted/<student>/<set>/<notebook>.ipynb below one"
            )
        self.notebook, self.assignment, self.student = path.stem, path.parts[-2], path.parts[-3]
        self.course = path.parents[3]

    @property
    def names(self) -> tuple[str, str, str]:
        """As nbgrader's gradebook wants them."""
        return self.notebook, self.assignment, self.student

    @property
    def copy(self) -> Path:
        """Where formgrader looks for the marked notebook."""
        return self.course / "autograded" / self.student / self.assignment / f"{self.notebook}.ipynb"

    @property
    def released(self) -> Path:
        """The notebook as it was handed out."""
        return self.course / "release" / self.assignment / f"{self.notebook}.ipynb"


class ClassBook(Forgetful):
    """A gradebook as a journal.

    Parameters
    ----------
    url : str
        ``"sqlite:///gradebook.db"``, ``"postgresql://user@host/name"``.
    copies : bool
        Write the marked copies, too; nbgrader's autograde does that itself.

    Raises
    ------
    UsageError
        If the database cannot be used.
    """

    def __init__(self, url: str, copies: bool = True):
        self.copies = copies
        prepare()
        try:
            self.book = Gradebook(url)
            NOTES.create(self.book.engine, checkfirst=True)
        except (SQLAlchemyError, ImportError, OSError) as error:
            first = (str(error).strip().splitlines() or [type(error).__name__])[0]
            raise UsageError(f"the gradebook {_public(url)} cannot be used: {first}") from None

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.book.close()
        self.book.engine.dispose()

    def assignment(self, path: Path) -> str:
        """The set that a notebook was handed in for; it must be in the gradebook.

        Raises
        ------
        UsageError
            If the notebook does not lie in a course, or its assignment or name is unknown.
        """
        place = Place(path)
        if place.assignment not in sets.MODULES:
            raise UsageError(
                f"{path}: there is no set {place.assignment!r}; known: {', '.join(sets.MODULES)}"
            )
        try:
            self.book.find_notebook(place.notebook, place.assignment)
        except MissingEntry:
            raise UsageError(
                f"{path}: the gradebook has no notebook {place.notebook!r} in {place.assignment}; give it "
                f"its name back, or run `nbgrader generate_assignment {place.assignment}` first"
            ) from None
        return place.assignment

    # -- the journal

    def find(self, task: Task) -> Report | None:
        """The report on this very notebook, if this edition of the package has entered it."""
        place, note = Place(task.path), self.note(Place(task.path))
        if note is None or note.status != "graded" or note.sha256 != digest(task.path):
            return None
        editions, report = json.loads(note.editions), from_record(json.loads(note.report))
        wanted = task.items or [verdict.item for verdict in report.verdicts]
        if any(editions.get(item) != edition() for item in wanted):
            return None
        if self.copies and not place.copy.exists():
            self.write_copy(task.path, report)
        verdicts = [verdict for verdict in report.verdicts if verdict.item in wanted]
        report.path, report.verdicts = task.path, verdicts
        return report

    def note(self, place: Place):
        """The row on one notebook, or None."""
        return self.book.db.execute(select(NOTES).where(*_same(place))).first()

    def add(self, task: Task, report: Report) -> None:
        """Enter a report and write the marked copy; both are there when this returns.

        A notebook that was marked before and could not be marked now keeps its marks.
        """
        place = Place(task.path)
        note = self.note(place)
        known = note is not None and note.status == "graded" and note.sha256 == digest(task.path)
        if report.status != "graded" and known:
            return
        before = from_record(json.loads(note.report)) if known else None
        whole = merged(before, report, task.items) if known else report
        self._require_submission(place)
        if self.copies:
            self.write_copy(task.path, whole)
        self._enter(place, report, before)
        editions = json.loads(note.editions) if known else {}
        editions |= {verdict.item: edition() for verdict in report.verdicts}
        self.book.db.execute(delete(NOTES).where(*_same(place)))
        row = dict(zip(("notebook", "assignment", "student"), place.names, strict=True))
        row |= {"status": report.status, "reason": report.reason, "sha256": report.digest}
        row |= {"report": json.dumps(to_record(whole)), "editions": json.dumps(editions)}
        self.book.db.execute(insert(NOTES).values(**row))
        self.book.db.commit()

    def _require_submission(self, place: Place) -> None:
        self.book.update_or_create_student(place.student)
        words = {}
        with contextlib.suppress(OSError, ValueError, TypeError, OverflowError):
            stamp = place.course / "submitted" / place.student / place.assignment / "timestamp.txt"
            if not stamp.is_symlink() and stamp.stat().st_size < 200:
                words["timestamp"] = parse_utc(stamp.read_text(encoding="utf-8").strip())
        self.book.update_or_create_submission(place.assignment, place.student, **words)

    def _enter(self, place: Place, report: Report, before: Report | None) -> None:
        """Set the scores and comments; nothing is committed."""
        old = {verdict.item: verdict for verdict in before.verdicts} if before else {}
        if report.status != "graded":
            self._enter_nothing(place, f"{LOST[report.status]}: {report.reason}")
            return
        cells = {
            each.name: each for each in self.book.find_notebook(place.notebook, place.assignment).grade_cells
        }
        for verdict in report.verdicts:
            name = f"{verdict.item}-check" if f"{verdict.item}-check" in cells else verdict.item
            grade = self.book.find_grade(name, *place.names)
            _set_score(grade, verdict, old.get(verdict.item))
            self.book.find_comment(verdict.item, *place.names).auto_comment = _comment(verdict)

    def _enter_nothing(self, place: Place, reason: str) -> None:
        """Every mark waits for a person, with the reason beside it."""
        notebook = self.book.find_submission_notebook(*place.names)
        for grade in notebook.grades:
            grade.auto_score, grade.needs_manual_grade = None, True
        for comment in notebook.comments:
            comment.auto_comment = without_tags(reason)

    def write_copy(self, path: Path, report: Report) -> Path:
        """Write the marked copy where formgrader looks for it, whole or not at all."""
        place = Place(path)
        text = products.as_text(self.marked(path, report))
        place.copy.parent.mkdir(parents=True, exist_ok=True)
        part = place.copy.with_suffix(".part")
        part.write_text(text, encoding="utf-8")
        part.chmod(0o444)
        part.replace(place.copy)
        stamp = path.parent / "timestamp.txt"
        if stamp.is_file() and not stamp.is_symlink() and stamp.stat().st_size < 200:
            (place.copy.parent / "timestamp.txt").write_bytes(stamp.read_bytes())
        return place.copy

    def marked(self, path: Path, report: Report):
        """The marked copy as a notebook."""
        try:
            released = nbformat.read(Place(path).released, as_version=4)
        except (OSError, ValueError) as error:
            raise UsageError(
                f"{Place(path).released} cannot be read ({type(error).__name__}); run `nbgrader "
                f"generate_assignment {Place(path).assignment}` first"
            ) from None
        try:
            cells = submission.read(path, sets.load(Place(path).assignment)).cells
        except submission.SubmissionError:
            cells = ()
        return marked_copy(report, cells, released)


def _same(place: Place) -> tuple:
    return (
        NOTES.c.student == place.student,
        NOTES.c.assignment == place.assignment,
        NOTES.c.notebook == place.notebook,
    )


def _public(url: str) -> str:
    """The address without its password."""
    start, at, rest = url.rpartition("@")
    return f"{start.split('://')[0]}://…@{rest}" if at else url


def merged(before: Report, now: Report, items: tuple[str, ...]) -> Report:
    """The report before with the verdicts of some items replaced by new ones."""
    if not items:
        return now
    new = {verdict.item: verdict for verdict in now.verdicts}
    now.cells = now.cells or before.cells
    whole = Report(**{**vars(now), "verdicts": [new.get(each.item, each) for each in before.verdicts]})
    return whole


def _set_score(grade, verdict: Verdict, before: Verdict | None) -> None:
    """A person's mark stays, and has to be looked at again only if what it was given for has changed."""
    same = before is not None and (before.points, before.got, before.status) == (
        verdict.points,
        verdict.got,
        verdict.status,
    )
    if verdict.status == "pending":
        grade.auto_score = None
        grade.needs_manual_grade = not (same and grade.manual_score is not None)
    else:
        grade.auto_score = float(verdict.points)
        grade.needs_manual_grade = grade.manual_score is not None and not same


def _comment(verdict: Verdict) -> str | None:
    if verdict.status == "pending":
        return None
    if verdict.status == "unwritten":
        return "No response."
    return without_tags(in_words(verdict).replace("\n", "\n\n"))  # feedback shows comments as Markdown
