"""One source notebook per set, three products: ``python -m gatedrnn.practice.products``.

From ``exercises/source/<set>/`` come the student's notebook in ``exercises/release/<set>/`` and the solution
page ``chapters/practice/<set>-solution.md``; the third product, the checker, is the set's module. The source
is first executed, so that its stored outputs, which nbval compares, are those of this version;
``--no-execute`` leaves that out.

In a source notebook

- an answer stands between ``### BEGIN SOLUTION`` and ``### END SOLUTION`` in a cell that nbgrader knows as a
  solution;
- the tag ``student`` keeps a cell out of the solution page;
- a cell's own id is its nbgrader ``grade_id``.
"""

import argparse
import copy
import hashlib
import json
import re
import sys
from pathlib import Path

import nbformat
import yaml

from gatedrnn.practice.grading import UNANSWERED
from gatedrnn.practice.items import ExerciseSet
from gatedrnn.practice.sets import MODULES, load

ROOT = Path(__file__).resolve().parents[3]
LONGEST = 120  # seconds of one cell of a source notebook
BEGIN, END = "BEGIN SOLUTION", "END SOLUTION"
CODE_STUB = 'raise NotImplementedError("replace this line with your answer")'
HEADER = """---
jupytext:
  text_representation:
    extension: .md
    format_name: myst
    format_version: 0.13
kernelspec:
  display_name: Python 3
  language: python
  name: python3
---

% Made from exercises/source/{set}/{notebook} by python -m gatedrnn.practice.products. Edit that notebook.

(page-{set}-solution)=
# {title}: one solution

One way to solve [the set]({set}.md); many others are as good. The answers are folded: try the notebook first,
then open them one at a time. Everything on this page is run when the book is built, checks included.

"""


class SourceError(ValueError):
    """A source notebook breaks a rule; the message says where."""


def source_path(exercise_set: ExerciseSet, root: Path = ROOT) -> Path:
    """Where the source notebook of a set is."""
    return root / "exercises" / "source" / exercise_set.name / exercise_set.notebook


def read_source(exercise_set: ExerciseSet, root: Path = ROOT) -> nbformat.NotebookNode:
    """Read and check the source notebook of a set.

    Raises
    ------
    SourceError
        If an item of the set has no cell, a cell has the wrong points, or solution markers do not pair.
    """
    notebook = nbformat.read(source_path(exercise_set, root), as_version=4)
    cells = {cell.id: cell for cell in notebook.cells}
    for item in exercise_set.items:
        graded = item.name if item in exercise_set.written else f"{item.name}-check"
        for name in {item.name, graded}:
            if name not in cells or _marking(cells[name]).get("grade_id") != name:
                raise SourceError(f"{exercise_set.name}: there is no cell with the id and grade_id {name!r}")
        if _marking(cells[graded]).get("points") != item.points:
            raise SourceError(f"{exercise_set.name}: cell {graded!r} must be worth {item.points} points")
    for cell in notebook.cells:
        begins, ends = cell.source.count(BEGIN), cell.source.count(END)
        if begins != ends or bool(begins) != bool(_marking(cell).get("solution")):
            raise SourceError(f"{exercise_set.name}: in cell {cell.id!r} solution and markers do not pair")
    return notebook


def _marking(cell) -> dict:
    return cell.metadata.get("nbgrader", {})


def _tags(cell) -> list[str]:
    return cell.metadata.get("tags", [])


def release(source: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """Return the student's notebook: no outputs, and NotImplementedError in place of answers."""
    notebook = copy.deepcopy(source)
    for cell in notebook.cells:
        cell.source = without_answer(cell.source, CODE_STUB if cell.cell_type == "code" else UNANSWERED)
        cell.metadata.pop("mystnb", None)
        tags = [tag for tag in _tags(cell) if not tag.startswith("nbval") and tag != "student"]
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
            tags.append("raises-exception")  # "Run All" goes on to the next item after one that is unfinished
        cell.metadata.pop("tags", None)
        if tags:
            cell.metadata.tags = tags
        if _marking(cell):
            _lock(cell)
    return notebook


def _lock(cell) -> None:
    """Lock what nbgrader locks, and add the sum by which it knows whether a cell was changed."""
    marking = cell.metadata.nbgrader
    cell.metadata.update(deletable=False, **({"editable": False} if marking.locked else {}))
    marking.update(cell_type=cell.cell_type, checksum=checksum(cell))


def checksum(cell) -> str:
    """nbgrader's sum over what makes a cell: text, type, roles, name, points."""
    marking = cell.metadata.nbgrader
    words = [cell.source, cell.cell_type, marking.grade, marking.solution]
    words += [marking.locked and not marking.solution, marking.grade_id]
    words += [float(marking.points)] if marking.grade else []
    return hashlib.md5("".join(map(str, words)).encode(), usedforsecurity=False).hexdigest()


def without_answer(text: str, stub: str) -> str:
    r"""Replace every region between the markers, markers included, by a stub with the same indentation.

    Examples
    --------
    >>> cell = "def f(x):\n    ### BEGIN SOLUTION\n    return x\n    ### END SOLUTION"
    >>> print(without_answer(cell, "raise X"))
    def f(x):
        raise X
    """
    lines, inside = [], False
    for line in text.splitlines():
        if BEGIN in line:
            inside = True
            lines.append(line[: len(line) - len(line.lstrip())] + stub)
        elif END in line:
            inside = False
        elif not inside:
            lines.append(line)
    return "\n".join(lines)


def without_markers(text: str) -> str:
    """Leave out the lines of the markers and keep the answer."""
    return "\n".join(line for line in text.splitlines() if BEGIN not in line and END not in line)


def solution_page(source: nbformat.NotebookNode, exercise_set: ExerciseSet) -> str:
    """Return the solution page in MyST Markdown: answers folded, executed when the book is built."""
    blocks = [_block(cell) for cell in source.cells if "student" not in _tags(cell)]
    names = {"set": exercise_set.name, "notebook": exercise_set.notebook, "title": exercise_set.title}
    header = HEADER.format(**names)
    return header + "\n\n".join(blocks) + "\n"


def _block(cell) -> str:
    text = without_markers(cell.source)
    if cell.cell_type == "markdown":
        return (
            f"````{{dropdown}} One answer\n{text}\n````" if _marking(cell).get("solution") else _deeper(text)
        )
    options = {"mystnb": json.loads(json.dumps(cell.metadata.mystnb))} if "mystnb" in cell.metadata else {}
    if _marking(cell).get("solution"):
        prompts = {"code_prompt_show": f"Show {cell.id}", "code_prompt_hide": f"Hide {cell.id}"}
        options = {"mystnb": prompts, "tags": ["hide-input"]}
    front = f"---\n{yaml.safe_dump(options, allow_unicode=True, width=110)}---\n" if options else ""
    return f"```{{code-cell}} ipython3\n{front}{text}\n```"


def _deeper(text: str) -> str:
    """Markdown passes as it is, but for display mathematics, which MyST wants on lines of its own."""
    return re.sub(r"\$\$(.+?)\$\$", lambda match: f"$$\n{match.group(1).strip()}\n$$", text, flags=re.DOTALL)


def execute(source: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """Run the source and store its text outputs; pictures are drawn anew wherever they are needed."""
    from nbclient import NotebookClient  # only here: making the other products runs nothing

    notebook = copy.deepcopy(source)
    # How a kernel cuts what is printed changes from run to run: the pieces of one stream are joined.
    NotebookClient(notebook, timeout=LONGEST, kernel_name="python3", coalesce_streams=True).execute()
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = [
                output for output in cell.outputs if "image" not in " ".join(output.get("data", {}))
            ]
            cell.metadata.pop("execution", None)  # times of day, new with every run
    notebook.metadata.language_info = {"name": "python"}
    return notebook


def products(exercise_set: ExerciseSet, source: nbformat.NotebookNode, root: Path = ROOT) -> dict[Path, str]:
    """Return the text of every product of a set by its path; nothing is run and nothing written."""
    handed_out = root / "exercises" / "release" / exercise_set.name / exercise_set.notebook
    page = root / "chapters" / "practice" / f"{exercise_set.name}-solution.md"
    return {handed_out: as_text(release(source)), page: solution_page(source, exercise_set)}


def as_text(notebook: nbformat.NotebookNode) -> str:
    """A notebook as Jupyter would save it."""
    return nbformat.writes(notebook, version=nbformat.NO_CONVERT) + "\n"


def main(words: list[str] | None = None) -> int:
    """Make the products of every set, or of those that are named, and say what changed."""
    parser = argparse.ArgumentParser(
        prog="python -m gatedrnn.practice.products", description=__doc__.split("\n")[0]
    )
    parser.add_argument("sets", nargs="*", metavar="SET", help=f"{', '.join(MODULES)}; all if none is named")
    parser.add_argument(
        "--root", type=Path, default=ROOT, metavar="DIR", help="of the book or of your course"
    )
    parser.add_argument(
        "--no-execute", action="store_true", help="keep the outputs that are stored in the source"
    )
    arguments = parser.parse_args(words)
    for name in arguments.sets or MODULES:
        try:
            exercise_set = load(name)
            source = read_source(exercise_set, arguments.root)
        except (KeyError, OSError, SourceError) as error:
            print(error.args[0] if isinstance(error, KeyError) else error, file=sys.stderr)
            return 2
        texts = {}
        if not arguments.no_execute:
            source = execute(source)
            texts[source_path(exercise_set, arguments.root)] = as_text(source)
        for path, text in {**texts, **products(exercise_set, source, arguments.root)}.items():
            old = path.read_text(encoding="utf-8") if path.exists() else None
            if text != old:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text, encoding="utf-8")
            print(f"{path.relative_to(arguments.root)}: {'unchanged' if text == old else 'written'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
