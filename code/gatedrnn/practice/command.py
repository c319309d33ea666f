"""``gatedrnn grade PATH…``: mark exercise notebooks.

Exit code 0: everything was marked, whatever the marks. 2: something given cannot be marked; the rest was. 1:
this machine could not run a notebook.
"""

import json
import sys
from argparse import ArgumentParser, Namespace
from pathlib import Path

from gatedrnn.practice import reporting
from gatedrnn.practice.grading import Report, grade


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the words of the command line."""
    parser.add_argument(
        "paths", nargs="+", metavar="PATH", type=Path, help="a notebook, or a folder of notebooks"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of text")
    parser.add_argument("--html", type=Path, metavar="DIR", help="also write one HTML page for each notebook")
    parser.add_argument("--timeout", type=_seconds, metavar="S", help="seconds that one notebook may take")


def _seconds(word: str) -> float:
    seconds = float(word)
    if not 1 <= seconds <= 86400:
        raise ValueError(word)  # argparse turns this into a sentence
    return seconds


_seconds.__name__ = "number of seconds from 1 to 86400"


def run(arguments: Namespace) -> int:
    """Mark everything that was named and return the exit code."""
    reports = []
    for path in notebooks(arguments.paths):
        try:
            report = grade(path, arguments.timeout)
        except KeyboardInterrupt:
            print(f"{path}: stopped before it was marked.", file=sys.stderr)
            return 130
        reports.append(report)
        if not arguments.json:
            print(
                reporting.as_text(report),
                file=sys.stdout if report.status == "graded" else sys.stderr,
                flush=True,
            )
    if arguments.json:
        print(json.dumps(reporting.as_json(reports), indent=2, ensure_ascii=False))
    if arguments.html is not None:
        try:
            reporting.write_html(reports, arguments.html)
        except OSError as error:
            print(f"{arguments.html}: the pages could not be written: {error.strerror}.", file=sys.stderr)
            return 2
    return exit_code(reports)


def notebooks(paths: list[Path]) -> list[Path]:
    """The notebooks that are meant: a folder stands for all those below it, hidden folders left out."""
    found = []
    for path in paths:
        if path.is_dir() and not path.is_symlink():
            inside = sorted(path.rglob("*.ipynb"))
            inside = [
                each
                for each in inside
                if not any(part.startswith(".") for part in each.relative_to(path).parts)
            ]
            found += inside or [path]
        else:
            found.append(path)
    return list(dict.fromkeys(found))


def exit_code(reports: list[Report]) -> int:
    """2 if a file was refused, else 1 if one could not be run, else 0."""
    states = {report.status for report in reports}
    return 2 if "refused" in states else 1 if "failed" in states else 0
