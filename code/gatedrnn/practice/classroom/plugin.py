"""What ``nbgrader_config.py`` plugs into nbgrader: our students' notebooks, our marks, an honest export.

nbgrader's own way of marking runs a learner's notebook in the grader's reach and believes its outputs. Here
its autograde reads each submission through :class:`TrustedExporter`, which marks it apart, enters the marks
and hands on a copy in which nothing runs.
"""

import csv
import os
import stat
from pathlib import Path

from nbconvert.exporters import NotebookExporter
from nbgrader.api import MissingEntry
from nbgrader.converters import base
from nbgrader.plugins import ExportPlugin
from nbgrader.preprocessors import (
    AssignLatePenalties,
    CheckCellMetadata,
    ComputeChecksums,
    LockCells,
    NbGraderPreprocessor,
    SaveCells,
)
from sqlalchemy import inspect, select

from gatedrnn.practice import batch, products
from gatedrnn.practice.classroom.gradebook import NOTES, ClassBook, prepare
from gatedrnn.practice.journal import Task, UsageError


def plug_in(config) -> None:
    """Set nbgrader up for this course; ``config`` is what ``get_config()`` gives."""
    prepare()
    config.GenerateAssignment.preprocessors = [
        StudentNotebook,
        LockCells,
        CheckCellMetadata,
        ComputeChecksums,
        SaveCells,
        CheckCellMetadata,
    ]
    config.Autograde.exporter_class = TrustedExporter
    config.Autograde.sanitize_preprocessors = []
    config.Autograde.autograde_preprocessors = [AssignLatePenalties]  # Execute is not among them
    config.ExportApp.plugin_class = HonestExport
    base.find_all_files = plain_files


class StudentNotebook(NbGraderPreprocessor):
    """Makes the student's notebook from the source, as ``make exercises`` does."""

    def preprocess(self, notebook, resources):
        """Return the student's notebook."""
        return products.release(notebook), resources


def plain_files(path: str, exclude: list[str] | None = None) -> list[str]:
    """nbgrader's own list of the files of a submission, without links, pipes, devices and giants.

    nbgrader copies them to where feedback is made; a link would take along whatever it points to.
    """
    found = _find_all_files(path, exclude)
    return [each for each in found if _is_plain(each)]


_find_all_files = base.find_all_files if base.find_all_files.__name__ != "plain_files" else None


def _is_plain(path: str) -> bool:
    try:
        status = os.lstat(path)
    except OSError:
        return False
    return stat.S_ISREG(status.st_mode) and status.st_size <= 10_000_000


class TrustedExporter(NotebookExporter):
    """Reads a submission by marking it: the notebook that comes out is the marked copy.

    All submissions of the run are marked at once, on all cores, when the first is asked for.
    """

    def __init__(self, *words, **options):
        super().__init__(*words, **options)
        self.reports: dict = {}

    def from_filename(self, filename, resources=None, **options):
        """Mark a submission, or pass on what was marked."""
        if not self.parent._sanitizing:  # nbgrader comes twice: for the submission, then for the copy
            return super().from_filename(filename, resources=resources, **options)
        with ClassBook(resources["nbgrader"]["db_url"], copies=False) as book:
            if filename not in self.reports:
                self._mark_all(book, filename)
            report = self.reports[filename]
            if report.status != "graded":
                self.log.error("%s: %s, %s", filename, report.status, report.reason)
            notebook = book.marked(Path(filename), report)
        return self.from_notebook_node(notebook, resources=resources, **options)

    def _mark_all(self, book: ClassBook, asked: str) -> None:
        """Mark what this run will come to; what is known already is not marked again unless forced."""
        tasks = []
        for path in dict.fromkeys([asked, *self._waiting()]):
            try:
                tasks.append(Task(Path(path), book.assignment(Path(path))))
            except UsageError:
                if path == asked:
                    raise  # nbgrader reports it and goes on with the next student
        journal = Entering(book, again=self.parent.force)
        for task, report in zip(tasks, batch.run(tasks, journal=journal, progress=True), strict=True):
            self.reports[str(task.path)] = report

    def _waiting(self) -> list[str]:
        """Notebooks of this run that nbgrader has no marked copy of."""
        every = [path for paths in self.parent.assignments.values() for path in paths]
        return [path for path in every if self.parent.force or not _has_copy(path)]


def _has_copy(path: str) -> bool:
    from gatedrnn.practice.classroom.gradebook import Place

    return Place(Path(path)).copy.exists()


class Entering:
    """A gradebook that is asked again only if nobody insists on new marks."""

    def __init__(self, book: ClassBook, again: bool):
        self.book, self.again = book, again

    def find(self, task: Task):
        """What is known."""
        return None if self.again else self.book.find(task)

    def add(self, task: Task, report) -> None:
        """Enter it."""
        self.book.add(task, report)


FIELDS = ("assignment", "student_id", "last_name", "first_name", "email", "timestamp", "status", "score")
FIELDS += ("pending", "late_submission_penalty", "max_score", "reason")


class HonestExport(ExportPlugin):
    """A table of marks that tells a zero from what is not known: ``nbgrader export``.

    ``status`` is *graded*, *pending* (points that a person has still to give are in ``pending``), *failed*
    (with the ``reason``; there is no score) or *missing* (nothing was handed in).
    """

    def export(self, gradebook) -> None:
        """Write ``grades.csv``, or the file named by ``--to``."""
        notes = _notes(gradebook)
        with open(self.to or "grades.csv", "w", newline="", encoding="utf-8") as file:
            table = csv.DictWriter(file, FIELDS)
            table.writeheader()
            for assignment in sorted(gradebook.assignments, key=lambda each: each.name):
                for student in sorted(gradebook.students, key=lambda each: each.id):
                    if (self.assignment and assignment.name not in map(str, self.assignment)) or (
                        self.student and student.id not in map(str, self.student)
                    ):
                        continue
                    table.writerow(row(gradebook, assignment, student, notes))


def row(gradebook, assignment, student, notes: dict) -> dict:
    """One student's line for one assignment."""
    found = {"assignment": assignment.name, "student_id": student.id, "max_score": assignment.max_score}
    found |= {name: getattr(student, name) for name in ("last_name", "first_name", "email")}
    try:
        submission = gradebook.find_submission(assignment.name, student.id)
    except MissingEntry:
        return found | {"status": "missing"}
    found["timestamp"] = submission.timestamp
    reason = next(
        (text for (who, what), text in notes.items() if (who, what) == (student.id, assignment.name)), ""
    )
    grades = [grade for notebook in submission.notebooks for grade in notebook.grades]
    waiting = [grade for grade in grades if grade.needs_manual_grade]
    if reason and waiting:
        return found | {"status": "failed", "reason": reason}
    found["pending"] = sum(grade.max_score for grade in waiting)
    penalty = submission.late_submission_penalty or 0.0
    found |= {"late_submission_penalty": penalty, "score": max(0.0, submission.score - penalty)}
    return found | {"status": "pending" if waiting else "graded"}


def _notes(gradebook) -> dict:
    """Why submissions could not be marked, by student and assignment."""
    if not inspect(gradebook.engine).has_table(NOTES.name):
        return {}
    rows = gradebook.db.execute(select(NOTES).where(NOTES.c.status != "graded"))
    return {(each.student, each.assignment): f"{each.status}: {each.reason}" for each in rows}
