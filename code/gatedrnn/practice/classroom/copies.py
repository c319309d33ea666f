"""The marked copy of a notebook: what formgrader shows to a reader and feedback returns to a learner.

It is put together anew from the student's notebook as it was handed out and the text of the learner's cells.
What else a submission carries, metadata, outputs, attachments, stays behind, so that nothing in it can
mislead nbgrader; the only outputs are our verdicts and the learner's own pictures.
"""

import copy
import re

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_output

from gatedrnn.practice import reporting
from gatedrnn.practice.grading import Report
from gatedrnn.practice.judge import Verdict
from gatedrnn.practice.submission import Cell

WORDS = {"refused": "It could not be marked", "failed": "It was not marked, through no fault of the notebook"}


def marked_copy(report: Report, cells: tuple[Cell, ...], released: nbformat.NotebookNode):
    """Return the marked notebook.

    Parameters
    ----------
    report : Report
    cells : tuple of Cell
        The learner's cells, empty if the file could not be read.
    released : NotebookNode
        The student's notebook as handed out, with nbgrader's metadata.

    Returns
    -------
    NotebookNode
        Every graded cell of ``released`` exactly once, the learner's cells in their order, and what was
        missing at the end.
    """
    ours = {cell.metadata.nbgrader.grade_id: cell for cell in released.cells if "nbgrader" in cell.metadata}
    chosen = _choose(cells, ours)
    notebook = copy.deepcopy(released)
    notebook.cells = [new_markdown_cell(_heading(report))]
    for cell in cells:
        name = chosen.get(cell.index)
        notebook.cells.append(_known(ours[name], cell) if name else _plain(cell))
    missing = [cell for name, cell in ours.items() if name not in chosen.values()]
    notebook.cells += [_missing(cell) for cell in missing]
    verdicts = {verdict.item: verdict for verdict in report.verdicts}
    for number, cell in enumerate(notebook.cells):
        cell.id = f"cell-{number}"
        if cell.metadata.get("nbgrader", {}).get("locked"):
            _say(cell, verdicts.get(cell.metadata.nbgrader.grade_id.removesuffix("-check")))
    return notebook


def _choose(cells: tuple[Cell, ...], ours: dict) -> dict[int, str]:
    """Which of the learner's cells stands for which of ours: a written one before an unwritten twin."""
    found: dict[str, Cell] = {}
    for cell in cells:
        for name in cell.names:
            if name in ours and ours[name].cell_type == cell.kind:
                twin = found.get(name)
                if twin is None or (_untouched(twin, ours[name]) and not _untouched(cell, ours[name])):
                    found[name] = cell
                break
    return {cell.index: name for name, cell in found.items()}


def _untouched(cell: Cell, released) -> bool:
    return cell.source.strip() == released.source.strip()


def _known(released, cell: Cell):
    mine = copy.deepcopy(released)
    if mine.metadata.nbgrader.solution:  # all others are locked: they stay as they were handed out
        mine.source = cell.source if cell.kind == "code" else without_tags(cell.source)
        _show(mine, cell)
    return mine


def _plain(cell: Cell):
    if cell.kind != "code":
        return new_markdown_cell(without_tags(cell.source))
    mine = new_code_cell(cell.source)
    _show(mine, cell)
    return mine


def without_tags(text: str) -> str:
    r"""Markdown in which no HTML tag begins: an instructor's browser shows it, where a script could grade.

    Examples
    --------
    >>> print(without_tags("a < b, <script>").replace("\u200b", "|"))
    a < b, <|script>
    """
    return re.sub(r"<(?=[A-Za-z/!?])", "<\u200b", text)


def _missing(released):
    """A cell that the learner deleted, as it was handed out: the gradebook has a place for it."""
    return copy.deepcopy(released)


def _show(mine, cell: Cell) -> None:
    if mine.cell_type == "code":
        mine.outputs = [new_output("display_data", data={"image/png": image}) for image in cell.pictures]


def _say(cell, verdict: Verdict | None) -> None:
    """Put the verdict where the check's answer would be."""
    if verdict is None or cell.cell_type != "code":
        return
    cell.outputs = [new_output("stream", name="stdout", text=in_words(verdict) + "\n")]


def in_words(verdict: Verdict) -> str:
    """A verdict as lines of text."""
    first = f"{verdict.item}: {verdict.points} of {verdict.out_of} points, {reporting.WORDS[verdict.status]}"
    return "\n".join([first, *reporting.details(verdict)])


def _heading(report: Report) -> str:
    """The first cell: the mark in a line, in letters that Markdown does not interpret."""
    if report.status == "graded":
        return f"**Marked:** {reporting.summary(report)}."
    return f"**{WORDS[report.status]}**:\n\n    {' '.join(report.reason.split())}"
