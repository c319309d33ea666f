"""``gatedrnn grade PATH…``: mark exercise notebooks.

Exit code 0: everything was marked, whatever the marks. 2: something given cannot be marked; the rest was. 1:
this machine could not run a notebook, or the run had to end before all were marked.
"""

import contextlib
import json
import sys
from argparse import ArgumentParser, Namespace
from pathlib import Path

from tqdm import tqdm

from gatedrnn.cluster import Cluster, ClusterError
from gatedrnn.practice import batch, reporting, sets
from gatedrnn.practice.grading import Report
from gatedrnn.practice.journal import Forgetful, Journal, Task, UsageError


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the words of the command line."""
    add = parser.add_argument
    add("paths", nargs="+", metavar="PATH", type=Path, help="a notebook, or a folder of notebooks")
    add("--json", action="store_true", help="print one JSON object instead of text")
    add("--html", type=Path, metavar="DIR", help="also write one HTML page for each notebook")
    add("--timeout", type=_seconds, metavar="S", help="seconds that one notebook may take")
    add("--item", action="append", default=[], metavar="NAME", help="mark only this item (may be repeated)")
    add("--jobs", type=_jobs, metavar="N", help="notebooks at a time (default: as many as there are cores)")
    add("--scheduler", metavar="ADDRESS", help="mark on the workers of this Dask scheduler: tcp://host:8786")
    add("--journal", type=Path, metavar="FILE", help="note marks here at once, and do not make them again")
    add("--gradebook", metavar="URL", help="enter marks in this nbgrader gradebook, which is a journal too")


def _seconds(word: str) -> float:
    seconds = float(word)
    if not 1 <= seconds <= 86400:
        raise ValueError(word)  # argparse turns this into a sentence
    return seconds


def _jobs(word: str) -> int:
    jobs = int(word)
    if not 1 <= jobs <= 1024:
        raise ValueError(word)
    return jobs


_seconds.__name__ = "number of seconds from 1 to 86400"
_jobs.__name__ = "number from 1 to 1024"


def run(arguments: Namespace) -> int:
    """Mark everything that was named and return the exit code."""
    reports: list[Report] = []
    try:
        with contextlib.ExitStack() as stack:
            _require_items(arguments.item)
            journal, tasks = _journal(arguments, stack)
            backend = _backend(arguments, stack)
            for report in batch.run(tasks, backend, journal, progress=True):
                reports.append(report)
                if not arguments.json:
                    _say(report)
    except (UsageError, ClusterError) as error:
        print(f"gatedrnn grade: {error}", file=sys.stderr)
        return 2 if isinstance(error, UsageError) else 1
    except KeyboardInterrupt:
        print(f"stopped; {len(reports)} notebooks are marked.", file=sys.stderr)
        return 130
    if arguments.json:
        print(json.dumps(reporting.as_json(reports), indent=2, ensure_ascii=False))
    if arguments.html is not None:
        try:
            reporting.write_html(reports, arguments.html)
        except OSError as error:
            print(f"{arguments.html}: the pages could not be written: {error.strerror}.", file=sys.stderr)
            return 2
    return exit_code(reports)


def _say(report: Report) -> None:
    stream = sys.stdout if report.status == "graded" else sys.stderr
    tqdm.write(reporting.as_text(report), file=stream)
    stream.flush()


def _require_items(names: list[str]) -> None:
    known = [item.name for name in sets.MODULES for item in sets.load(name).items]
    for name in names:
        if name not in known:
            raise UsageError(f"there is no item {name!r}; known items: {', '.join(dict.fromkeys(known))}")


def _journal(arguments: Namespace, stack: contextlib.ExitStack):
    """Where marks are noted, and the tasks."""
    found, words = notebooks(arguments.paths), (tuple(arguments.item), arguments.timeout)
    if arguments.gradebook:
        if arguments.journal:
            raise UsageError("a gradebook is a journal already: give --gradebook or --journal")
        try:
            from gatedrnn.practice.classroom.gradebook import ClassBook
        except ImportError:
            raise UsageError("a gradebook needs nbgrader: pip install 'gatedrnn[classroom]'") from None
        book = stack.enter_context(ClassBook(arguments.gradebook))
        return book, [Task(path, book.assignment(path), *words) for path in found]
    tasks = [Task(path, "", *words) for path in found]
    if not arguments.journal:
        return Forgetful(), tasks
    try:
        return stack.enter_context(contextlib.closing(Journal(arguments.journal))), tasks
    except BlockingIOError:
        raise UsageError(f"{arguments.journal} is in use by another run") from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        words = getattr(error, "strerror", None) or "it is no journal of this program"
        raise UsageError(f"{arguments.journal} cannot be used: {words}") from None


def _backend(arguments: Namespace, stack: contextlib.ExitStack):
    if not arguments.scheduler:
        return batch.Local(arguments.jobs)
    return batch.Remote(stack.enter_context(contextlib.closing(Cluster(arguments.scheduler))))


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
