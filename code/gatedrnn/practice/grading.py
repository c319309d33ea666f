"""Marks: run a copy of the notebook apart, ask it for values on fresh secret inputs, compare here.

This process never runs a learner's code. It draws the inputs, knows the right answers, and reads replies of a
strict form; whatever goes wrong with a worker is the verdict on one item, not the end of the run.
"""

import ast
import hashlib
import secrets
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from gatedrnn.practice import sandbox, submission
from gatedrnn.practice.items import ExerciseSet, Item, WrittenItem
from gatedrnn.practice.judge import Failure, Outcome, Verdict, judge, unreached
from gatedrnn.practice.session import GRACE, START, Session, WorkerEndedError
from gatedrnn.practice.submission import Cell, Submission, SubmissionError
from gatedrnn.practice.wire import printable

RESTARTS = 8  # of the worker, for one submission
SHORTEST = 0.5  # seconds that a cell gets at least
HARMLESS = ("gatedrnn", "gatedrnn.practice", "gatedrnn.practice.check", "gatedrnn.practice.CheckError")
MAX_WRITTEN = 10_000  # characters of a written answer that a report repeats
UNANSWERED = "*Write your answer here.*"  # what the student's notebook holds for a written item


class GradingError(Exception):
    """No mark could be made, through no fault of the notebook; the message says why."""


@dataclass
class Report:
    """What came of one notebook.

    Attributes
    ----------
    path : Path
    set : str
        Name of the set, "" if the file could not be read.
    status : {"graded", "refused", "failed"}
        Refused: the file cannot be marked. Failed: it could not be run, which is not its fault and no zero.
    reason : str
        One sentence if it was not graded.
    verdicts : list of Verdict
        One for each item, in the set's order.
    cells : list of dict
        ``cell`` (counted from 1), ``starts`` (its first line) and ``problem`` of each cell that did not run
        to its end.
    notes : list of str
        What a reader of the report should know and what costs no points.
    digest : str
        sha256 of the file that was marked.
    sandbox : str
    seconds : float
    """

    path: Path
    set: str = ""
    title: str = ""
    status: str = "graded"
    reason: str = ""
    verdicts: list[Verdict] = field(default_factory=list)
    cells: list[dict] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    digest: str = ""
    sandbox: str = ""
    seconds: float = 0.0

    @property
    def points(self) -> int:
        """Points earned so far."""
        return sum(verdict.points for verdict in self.verdicts)

    @property
    def pending(self) -> int:
        """Points that a person has still to give."""
        return sum(verdict.out_of for verdict in self.verdicts if verdict.status == "pending")

    @property
    def out_of(self) -> int:
        """Points that could be earned, those pending left out."""
        return sum(verdict.out_of for verdict in self.verdicts) - self.pending


def grade(
    path: str | Path,
    timeout: float | None = None,
    kind: str | None = None,
    exercise_set: ExerciseSet | None = None,
    items: tuple[str, ...] = (),
) -> Report:
    """Mark one notebook. The file is read once and never written.

    Parameters
    ----------
    path : path
        The notebook.
    timeout : float, optional
        Seconds for the whole notebook; by default the set's own.
    kind : {"bubblewrap", "landlock", "guard"}, optional
        The confinement; by default the strongest that works here.
    exercise_set : ExerciseSet, optional
        The set that it was handed in for; by default the notebook tells.
    items : tuple of str
        Names of the items to mark; all by default. The report then holds no others.

    Returns
    -------
    Report
        Every problem is in it; this function raises nothing about a notebook.
    """
    path, began = Path(path), time.monotonic()
    try:
        handed_in = submission.read(path, exercise_set)
    except SubmissionError as error:
        return Report(path, status="refused", reason=str(error))
    exercise_set = handed_in.exercise_set
    kind = kind or sandbox.best()
    report = Report(path, exercise_set.name, exercise_set.title, digest=handed_in.digest, sandbox=kind)
    try:
        run = Run(handed_in, kind, timeout or exercise_set.seconds, items)
        verdicts = run.verdicts()
        report.cells, report.notes = run.problems(), notes(handed_in)
    except GradingError as error:
        report.status, report.reason = "failed", str(error)
        return report
    written = {item.name: judge_written(item, handed_in.cells) for item in exercise_set.written}
    every = {**verdicts, **written}
    report.verdicts = [every[item.name] for item in exercise_set.items if not items or item.name in items]
    report.seconds = time.monotonic() - began
    return report


class Run:
    """The workers that one submission needs: one, unless a cell or an item has to be ended by force."""

    def __init__(self, handed_in: Submission, kind: str, seconds: float, items: tuple[str, ...] = ()):
        code = [cell for cell in handed_in.cells if cell.kind == "code"]
        self.cells = without_unfinished_copies(code, handed_in.exercise_set)
        self.set, self.kind, self.seconds = handed_in.exercise_set, kind, seconds
        self.wanted = [item for item in self.set.questions if not items or item.name in items]
        self.deadline = time.monotonic() + seconds
        self.cell_seconds = max(SHORTEST, min(self.set.cell_seconds, seconds / 3))
        self.ended: dict[int, str] = {}  # cells that ended their worker, and how
        self.errors: dict[int, dict] = {}  # cells that stopped with an error
        self.rng = np.random.default_rng(secrets.randbits(128))

    def verdicts(self) -> dict[str, Verdict]:
        """Ask every item, starting a new worker where the old one is lost."""
        waiting, done = list(self.wanted), {}
        for _ in range(RESTARTS):
            if not waiting or time.monotonic() >= self.deadline:
                break
            with Session(self.set, self.kind, self.seconds) as session:
                if self._run_cells(session):
                    waiting = self._ask_items(session, waiting, done)
        reason = f"the time of {self.seconds:g} s was used up" if time.monotonic() >= self.deadline else ""
        for item in waiting:
            done[item.name] = self._unreached(
                item, reason or "the notebook ended its process again and again"
            )
        return done

    def _run_cells(self, session: Session) -> bool:
        """Run all cells that have not ended a worker before; True if the worker is ready to be asked."""
        self.errors.clear()
        cells = {cell.index: cell for cell in self.cells if cell.index not in self.ended}
        names = [item.name for item in self.set.questions]
        current = None
        try:
            texts = [{"index": index, "source": cell.source} for index, cell in cells.items()]
            session.start(texts, names, self.cell_seconds)
            while True:
                limit = START if current is None else self.cell_seconds + GRACE
                message = session.receive(min(time.monotonic() + limit, self.deadline + GRACE))
                if message.get("event") == "ready":
                    return True
                current = self._note(message, cells, current)
        except TimeoutError:
            self._end_cell(
                session, current, f"it ran longer than {self.cell_seconds:g} s and could not be stopped"
            )
        except WorkerEndedError as ended:
            self._end_cell(session, current, str(ended))
        return False

    def _note(self, message: dict, cells: dict[int, Cell], current: int | None) -> int | None:
        """Follow which cell is running; what a worker says of its cells decides no mark."""
        index = message.get("index")
        if type(index) is not int or index not in cells:
            raise WorkerEndedError("it sent something that was not asked for")
        if message.get("event") == "cell":
            return index
        error = message.get("error")
        self.errors.pop(index, None)
        if isinstance(error, dict) and all(isinstance(error.get(key), str) for key in ("type", "message")):
            kept = {"type": error["type"][:80], "message": error["message"][:400]}
            self.errors[index] = {key: printable(text) for key, text in kept.items()}
        return current

    def _end_cell(self, session: Session, index: int | None, reason: str) -> None:
        """Remember which cell ended its worker; one that ended before its first cell is a failure of ours."""
        if index is None and time.monotonic() < self.deadline:
            complaint = session.complaint()
            raise GradingError(f"the process for the notebook did not start ({complaint or reason})")
        if index is not None:
            self.ended[index] = reason

    def _ask_items(self, session: Session, waiting: list[Item], done: dict[str, Verdict]) -> list[Item]:
        """Ask one item after the other; return those still to be asked when the worker is lost."""
        for place, item in enumerate(waiting):
            asked = self._draw(item)
            try:
                calls = [arguments for _, arguments in asked]
                answers = session.ask(item.name, calls, item.seconds, self.deadline + GRACE)
            except TimeoutError:
                done[item.name] = self._unreached(
                    item, f"{item.signature} gave no answer within {item.seconds:g} s"
                )
                return waiting[place + 1 :]
            except WorkerEndedError as ended:
                done[item.name] = self._unreached(item, f"while {item.signature} was asked, {ended}")
                return waiting[place + 1 :]
            done[item.name] = self._judge(item, asked, answers)
        return []

    def _draw(self, item: Item) -> list[tuple]:
        """Fresh arguments for every repeat of every question; a recording that is not here is our failure."""
        try:
            return [
                (question, question.draw(self.rng))
                for question in item.questions
                for _ in range(question.repeats)
            ]
        except RuntimeError as error:
            from gatedrnn.datasets import DataUnavailable  # takes its time, so only when something is wrong

            if not isinstance(error, DataUnavailable):
                raise
            why = str(error).rstrip(".")  # a report ends the sentence
            raise GradingError(f"{item.name} is marked on a recording that is not here: {why}") from None

    def _judge(self, item: Item, asked: list[tuple], answers: list) -> Verdict:
        if all(isinstance(answer, Failure) and answer.kind == "missing" for answer in answers):
            return self._unreached(item, answers[0].message)
        outcomes = [Outcome(*pair, answer) for pair, answer in zip(asked, answers, strict=True)]
        return judge(item, outcomes)

    def _unreached(self, item: Item, reason: str) -> Verdict:
        """Say why an item was not reached; the cell that holds it often tells."""
        for cell in self.cells:
            if item.name in cell.names or f"def {item.name}(" in cell.source:
                problem = self.ended.get(cell.index) or _sentence(self.errors.get(cell.index))
                if problem:
                    return unreached(item, f"{reason}; cell {cell.index + 1}, where it belongs: {problem}")
        return unreached(item, reason)

    def problems(self) -> list[dict]:
        """All cells that did not run to their end; a cell that is only unwritten is not a problem."""
        found = {
            index: _sentence(error)
            for index, error in self.errors.items()
            if error["type"] != "NotImplementedError"
        }
        starts = {cell.index: (cell.source.strip().splitlines() or [""])[0] for cell in self.cells}
        return [
            {"cell": index + 1, "starts": printable(starts[index][:60]), "problem": text}
            for index, text in sorted({**found, **self.ended}.items())
        ]


def without_unfinished_copies(cells: list[Cell], exercise_set: ExerciseSet) -> list[Cell]:
    """Leave out cells that define an item again and are still unwritten, where another cell has it written.

    A cell that was duplicated by accident would otherwise undo the answer, for itself and for all that use
    it.
    """
    copies = set()
    for item in exercise_set.questions:
        defining = [cell for cell in cells if f"def {item.name}(" in cell.source]
        unwritten = [cell for cell in defining if "raise NotImplementedError" in cell.source]
        if len(unwritten) < len(defining):
            copies.update(cell.index for cell in unwritten)
    return [cell for cell in cells if cell.index not in copies]


def _sentence(error: dict | None) -> str:
    if not error:
        return ""
    return (
        error["message"] if error["type"] == "TimeUp" else f"{error['type']}: {error['message']}".rstrip(": ")
    )


def judge_written(item: WrittenItem, cells: tuple[Cell, ...]) -> Verdict:
    """A written answer is pending until a person has read it; one that is not there is not."""
    texts = [cell.source for cell in cells if item.name in cell.names]
    if not texts:
        return Verdict(
            item.name, item.title, 0, item.points, "missing", message="its cell is not in the notebook"
        )
    if not any(text.replace(UNANSWERED, "").strip() for text in texts):
        return Verdict(item.name, item.title, 0, item.points, "unwritten", message="not answered yet")
    verdict = Verdict(
        item.name, item.title, 0, item.points, "pending", message="waits for a person to read it"
    )
    verdict.expected, verdict.got = item.criteria, "\n\n".join(texts)[:MAX_WRITTEN]
    return verdict


def notes(handed_in: Submission) -> list[str]:
    """What a reader should know: imports of modules that are withheld, where they stand."""
    found = []
    for cell in handed_in.cells:
        for name in _imports(cell.source) if cell.kind == "code" else ():
            package = name.split(".")
            if package[0] != "gatedrnn" or len(package) == 1:
                continue
            if package[1] not in (*handed_in.exercise_set.packages, "practice"):
                found.append(
                    f"cell {cell.index + 1} imports {name}, which is withheld while the notebook is marked"
                )
            elif package[1] == "practice" and len(package) > 2:
                found.append(f"cell {cell.index + 1} imports {name}, a part of the checker")
    return found


def _imports(source: str) -> list[str]:
    """Modules that a cell imports, as far as it can be parsed; magics are left out."""
    lines = [line for line in source.splitlines() if not line.lstrip().startswith(("%", "!"))]
    try:
        tree = ast.parse("\n".join(lines))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return []
    names = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names += [
                f"{node.module}.{alias.name}" if _is_package(node.module) else node.module
                for alias in node.names
            ]
    return [name for name in dict.fromkeys(names) if name not in HARMLESS]


def _is_package(module: str) -> bool:
    return module in ("gatedrnn", "gatedrnn.practice")


def unchanged(report: Report) -> bool:
    """Whether the file still is what was marked."""
    try:
        return hashlib.sha256(report.path.read_bytes()).hexdigest() == report.digest
    except OSError:
        return False
