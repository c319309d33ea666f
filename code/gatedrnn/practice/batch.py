"""Marking many notebooks: on all cores of this machine or on a Dask cluster, with one place that writes."""

import concurrent.futures
import dataclasses
import os
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from gatedrnn.practice import session, sets, submission
from gatedrnn.practice.grading import Report, grade
from gatedrnn.practice.journal import Forgetful, Task


def cores() -> int:
    """How many cores this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not Linux
        return os.cpu_count() or 1


def mark(task: Task) -> Report:
    """Mark one notebook; whatever goes wrong is in the report."""
    try:
        wanted = sets.load(task.set) if task.set else None
        return grade(task.path, task.timeout, exercise_set=wanted, items=task.items)
    except Exception as error:  # a mistake of ours, in a check for instance: the others go on
        reason = f"the grader itself stopped with {type(error).__name__}: {error}"
        return Report(task.path, task.set, status="failed", reason=" ".join(reason.split())[:500])


class Local:
    """Marks on this machine, as many at a time as it has cores.

    A notebook runs in processes of its own, so that threads are enough to wait for them.
    """

    def __init__(self, jobs: int | None = None):
        self.jobs = jobs or cores()

    def run(self, tasks: list[Task]) -> Iterator[tuple[int, Report]]:
        """Yield each task's place and report as they come."""
        pool = concurrent.futures.ThreadPoolExecutor(self.jobs)
        try:
            places = {pool.submit(mark, task): place for place, task in enumerate(tasks)}
            for future in concurrent.futures.as_completed(places):
                yield places[future], future.result()
        except BaseException:  # Ctrl-C, or whoever uses the reports stopped: end what is running
            pool.shutdown(wait=False, cancel_futures=True)
            with session.none_running():
                pool.shutdown()
            raise
        pool.shutdown()


class Remote:
    """Marks on the workers of a Dask cluster; the notebooks' content travels, no folder has to be shared.

    Parameters
    ----------
    cluster : gatedrnn.cluster.Cluster
    """

    def __init__(self, cluster):
        self.cluster = cluster

    def run(self, tasks: list[Task]) -> Iterator[tuple[int, Report]]:
        """Yield each task's place and report as they come."""
        away = []
        for place, task in enumerate(tasks):
            try:
                submission.read_content(task.path)
            except submission.SubmissionError:  # a link, a folder, a giant: said at once, without a worker
                yield place, mark(task)
            else:
                away.append(place)
        calls = Contents([tasks[place] for place in away])
        for place, result in self.cluster.run(mark_content, calls):
            task = tasks[away[place]]
            if isinstance(result, Exception):
                words = " ".join(str(result).split())[:300]
                words = f"no worker could mark it: {words}"
                result = Report(task.path, task.set, status="failed", reason=words)
            yield away[place], result


class Contents(Sequence):
    """The arguments of :func:`mark_content` for each task, read from disk when they are needed."""

    def __init__(self, tasks: list[Task]):
        self.tasks = tasks

    def __len__(self):
        return len(self.tasks)

    def __getitem__(self, place: int) -> tuple[Task, bytes]:
        task = self.tasks[place]
        try:
            return task, submission.read_content(task.path)
        except submission.SubmissionError:  # it was there a moment ago
            return task, b""


def mark_content(task: Task, content: bytes) -> Report:
    """Run on a worker: mark a notebook that came as bytes."""
    with tempfile.TemporaryDirectory(prefix="gatedrnn-content-") as folder:
        path = Path(folder, "notebook.ipynb")
        path.write_bytes(content)
        return dataclasses.replace(mark(task._replace(path=path)), path=task.path)


def run(tasks: Iterable[Task], backend=None, journal=None, progress: bool = False) -> Iterator[Report]:
    """Mark every task and yield the reports in the order of the tasks.

    Parameters
    ----------
    tasks : iterable of Task
    backend : object, optional
        With ``run(tasks)`` that yields ``(place, report)`` in any order; :class:`Local` by default.
    journal : object, optional
        With ``find(task)`` and ``add(task, report)``: what it knows is not marked again, and what is marked
        is added at once, by this process alone.
    progress : bool
        Show a bar with rate and time left.
    """
    tasks = list(tasks)
    journal = journal or Forgetful()
    reports = {place: journal.find(task) for place, task in enumerate(tasks)}
    reports = {place: report for place, report in reports.items() if report is not None}
    waiting = [place for place in range(len(tasks)) if place not in reports]
    following = 0
    with _bar(len(tasks), len(reports), progress) as bar:
        for place, report in (backend or Local()).run([tasks[place] for place in waiting]):
            place = waiting[place]
            journal.add(tasks[place], report)
            reports[place] = report
            bar.update()
            while following in reports:
                yield reports.pop(following)
                following += 1
    yield from (reports[place] for place in sorted(reports))


def _bar(total: int, done: int, show: bool):
    from tqdm import tqdm

    hidden = not show or total < 2 or not sys.stderr.isatty()
    return tqdm(total=total, initial=done, unit="notebook", desc="marking", disable=hidden, leave=False)
