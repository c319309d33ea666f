"""Start a set of your own from a small one that works: ``python -m gatedrnn.practice.new_set set-8``."""

import argparse
import re
import sys
from pathlib import Path

from gatedrnn.practice.handout import copy_new
from gatedrnn.practice.products import ROOT

TEMPLATE = Path(__file__).parent / "template"


def places(name: str, root: Path) -> dict[Path, Path]:
    """Where each file of the template goes, by the template's file.

    Parameters
    ----------
    name : str
        ``"set-8"``.
    root : Path
        The book's repository, or a folder of the same layout.
    """
    module = name.replace("-", "")
    folder = root / "code" / "gatedrnn" / "practice" / "sets" / module
    found = {path: folder / path.name for path in TEMPLATE.glob("*.py")}
    found[TEMPLATE / "bank.py"] = root / "tests" / "banks" / f"{module}.py"
    found[TEMPLATE / "page.md"] = root / "chapters" / "practice" / f"{name}.md"
    for notebook in TEMPLATE.glob("*.ipynb"):
        found[notebook] = root / "exercises" / "source" / name / notebook.name
    return found


def make(name: str, root: Path = ROOT) -> list[Path]:
    """Write a new set and return its files; nothing that exists is written over.

    Raises
    ------
    ValueError
        If the name is not ``set-`` and a number.
    FileExistsError
        If a file of that set exists; none is written then.
    """
    if not re.fullmatch(r"set-[1-9]\d*", name):
        raise ValueError(f"expected a name such as set-8, got {name!r}")
    targets = places(name, root)
    for target in targets.values():
        if target.exists():
            raise FileExistsError(f"{target} exists: choose another number, or remove it first")
    for original, target in targets.items():
        copy_new(original, target)
        text = target.read_text(encoding="utf-8")
        for old in ("set-0", "set 0", "Set 0"):
            text = text.replace(old, old[:-1] + name.removeprefix("set-"))
        target.write_text(text, encoding="utf-8")
    return sorted(targets.values())


def main(words: list[str] | None = None) -> int:
    """Make the files and say what comes next."""
    parser = argparse.ArgumentParser(
        prog="python -m gatedrnn.practice.new_set", description=__doc__.split("\n")[0]
    )
    parser.add_argument("name", metavar="SET", help="set-8, or another number that is free")
    parser.add_argument(
        "--root", type=Path, default=ROOT, metavar="DIR", help="of the book or of your course"
    )
    arguments = parser.parse_args(words)
    try:
        written = make(arguments.name, arguments.root)
    except (ValueError, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    for path in written:
        print(path)
    print(f"Next: python -m gatedrnn.practice.products {arguments.name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
