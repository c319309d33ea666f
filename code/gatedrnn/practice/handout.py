"""Copy the students' notebooks to where a learner works, and never over anything that is there."""

import shutil
import sys
from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import NamedTuple

from gatedrnn.practice.sets import MODULES, load

RELEASE = Path(__file__).resolve().parents[3] / "exercises" / "release"


class Copy(NamedTuple):
    """One notebook of a hand-out: where it is now, and whether it is new or was there before."""

    path: Path
    new: bool


def copy_release(
    destination: str | Path, names: list[str] | None = None, source: str | Path = RELEASE
) -> list[Copy]:
    """Copy students' notebooks to ``destination/<set>/``; a file that exists is left as it is, whatever is in
    it.

    Parameters
    ----------
    destination : path
        A folder; it is made if it is not there.
    names : list of str, optional
        Sets to copy, ``["set-1"]``; all of them by default.
    source : path
        The folder ``exercises/release`` of the book.

    Returns
    -------
    list of Copy
        One for each notebook, in the order of the sets.

    Raises
    ------
    FileNotFoundError
        If the book's folder of notebooks is not there, as when the package was installed without the book.
    KeyError
        If there is no set of that name.
    """
    copies = []
    for exercise_set in map(load, names or MODULES):
        original = Path(source) / exercise_set.name / exercise_set.notebook
        if not original.is_file():
            raise FileNotFoundError(
                f"the notebook of {exercise_set.name} is not at {original}; run this from the book's "
                "repository, or take the notebook from the book's page on the set"
            )
        copies.append(copy_new(original, Path(destination) / exercise_set.name / exercise_set.notebook))
    return copies


def copy_new(original: Path, target: Path) -> Copy:
    """Copy one file unless something of that name exists; a copy that is cut short leaves nothing behind."""
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        with open(target, "xb") as copy:  # x: only if there is nothing, not even a broken link
            try:
                with open(original, "rb") as notebook:
                    shutil.copyfileobj(notebook, copy)
            except BaseException:
                target.unlink()
                raise
    except FileExistsError:
        return Copy(target, new=False)
    return Copy(target, new=True)


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the words of ``gatedrnn start``."""
    parser.add_argument("sets", nargs="*", metavar="SET", help=f"{', '.join(MODULES)}; all if none is named")
    parser.add_argument("--to", type=Path, default=Path("my-work"), metavar="DIR", help="default: my-work")


def run(arguments: Namespace) -> int:
    """Copy and say what was done; a notebook that is there already is named and kept."""
    try:
        copies = copy_release(arguments.to, arguments.sets)
    except (OSError, KeyError) as error:
        print(f"gatedrnn start: {error.args[0] if isinstance(error, KeyError) else error}", file=sys.stderr)
        return 2
    for copy in copies:
        print(f"{copy.path}: {'new' if copy.new else 'was there already, kept as it is'}")
    return 0
