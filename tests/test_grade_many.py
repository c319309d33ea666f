"""Many notebooks: all cores, a journal that survives kills, the workers of a Dask cluster, each mark once."""

import json
import math
import os
import signal
import subprocess
import sys
import threading
import time

import pytest
from gatedrnn import cluster
from gatedrnn.cli import main
from gatedrnn.practice import batch, grading, journal, session
from gatedrnn.practice.journal import Journal, Task, from_record, to_record
from test_grade import answer, save, small


@pytest.fixture
def work(tmp_path):
    """Six quick notebooks."""
    folder = tmp_path / "work"
    folder.mkdir()
    return [save(small(answer("time_constant"), f"x = {k}"), folder, f"{k}.ipynb") for k in range(6)]


def paths(reports):
    """Names of the notebooks that were marked."""
    return [report.path.name for report in reports]


def fake(task):
    """A report without any work."""
    number = int(task.path.stem)
    time.sleep(0.01 * (6 - number))  # the last is done first
    return grading.Report(task.path, "set-1", digest=journal.digest(task.path), seconds=float(number))


# -- on this machine


def test_reports_come_in_the_order_of_the_tasks(work, monkeypatch):
    monkeypatch.setattr(batch, "mark", fake)
    reports = list(batch.run([Task(path) for path in work], batch.Local(6)))
    assert paths(reports) == [path.name for path in work]


def test_as_many_run_at_a_time_as_there_are_jobs(work, monkeypatch):
    running, most, lock = [], [], threading.Lock()

    def count(task):
        with lock:
            running.append(task)
            most.append(len(running))
        time.sleep(0.05)
        with lock:
            running.remove(task)
        return fake(task)

    monkeypatch.setattr(batch, "mark", count)
    assert len(list(batch.run([Task(path) for path in work], batch.Local(3)))) == 6
    assert max(most) == 3
    assert batch.Local().jobs == batch.cores() >= 1


def test_a_mistake_in_a_check_fails_one_notebook_and_not_the_run(work, monkeypatch):
    def broken(path, *words, **options):
        if path.name == "1.ipynb":
            raise ZeroDivisionError("in a reference")
        return grading.Report(path, "set-1")

    monkeypatch.setattr(batch, "grade", broken)
    reports = list(batch.run([Task(path) for path in work[:3]]))
    assert [report.status for report in reports] == ["graded", "failed", "graded"]
    assert "ZeroDivisionError: in a reference" in reports[1].reason


def test_a_run_that_is_stopped_ends_what_is_running(work):
    loop = save(
        small("while True:\n    try:\n        while True: pass\n    except BaseException: pass"),
        work[0].parent,
    )
    loop.write_text(loop.read_text().replace("while True:", "time_constant = 1\\nwhile True:", 1))
    begun = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        for _ in batch.run([Task(work[0], "set-1"), Task(loop, "set-1")], batch.Local(2)):
            raise KeyboardInterrupt
    assert time.monotonic() - begun < grading.START
    assert not [each for each in session.RUNNING if each.process.poll() is None]
    assert grading.grade(work[1]).points == 2  # the next run is not affected


# -- the journal


def test_a_report_comes_back_as_it_was(work):
    report = grading.grade(work[0])
    assert from_record(json.loads(json.dumps(to_record(report)))) == report


def test_what_was_marked_is_not_marked_again(work, tmp_path, monkeypatch):
    seen = []
    monkeypatch.setattr(batch, "mark", lambda task: seen.append(task.path.name) or fake(task))
    tasks = [Task(path) for path in work]
    for count in (3, 6, 6):
        book = Journal(tmp_path / "marks.jsonl")
        assert paths(batch.run(tasks[:count], journal=book)) == [path.name for path in work[:count]]
        book.close()
    assert sorted(seen) == [path.name for path in work]


def test_a_changed_notebook_another_edition_and_a_failure_are_marked_again(work, tmp_path, monkeypatch):
    book, (first, second, third) = Journal(tmp_path / "marks.jsonl"), map(Task, work[:3])
    for task in (first, second):
        book.add(task, fake(task))
    book.add(third, grading.Report(third.path, status="failed", reason="no memory"))
    assert book.find(first) and book.find(second) and not book.find(third)
    assert not book.find(first._replace(items=("echo",))) and not book.find(first._replace(set="set-1"))
    save(small("changed"), work[0].parent, work[0].name)
    assert not book.find(first)
    monkeypatch.setattr(journal, "edition", lambda: "another")
    assert not book.find(second)
    book.close()


def test_a_line_that_was_cut_short_is_dropped_and_the_rest_kept(work, tmp_path):
    book, tasks = Journal(tmp_path / "marks.jsonl"), [Task(path) for path in work[:3]]
    for task in tasks:
        book.add(task, fake(task))
    book.close()
    content = (tmp_path / "marks.jsonl").read_bytes()
    (tmp_path / "marks.jsonl").write_bytes(content[:-20])  # killed while it wrote
    book = Journal(tmp_path / "marks.jsonl")
    assert [bool(book.find(task)) for task in tasks] == [True, True, False]
    book.add(tasks[2], fake(tasks[2]))
    book.close()
    book = Journal(tmp_path / "marks.jsonl")
    assert all(map(book.find, tasks))
    book.close()


@pytest.mark.skipif(os.name != "posix", reason="locks need POSIX")
def test_one_journal_has_one_writer(work, tmp_path, capsys):
    book = Journal(tmp_path / "marks.jsonl")
    assert main(["grade", str(work[0]), "--journal", str(tmp_path / "marks.jsonl")]) == 2
    assert "is in use by another run" in capsys.readouterr().err
    book.close()


def test_a_file_that_is_no_journal_is_left_alone(work, tmp_path, capsys):
    (tmp_path / "diary.txt").write_text("Dear diary,\n")
    assert main(["grade", str(work[0]), "--journal", str(tmp_path / "diary.txt")]) == 2
    assert "no journal of this program" in capsys.readouterr().err
    assert (tmp_path / "diary.txt").read_text() == "Dear diary,\n"


@pytest.mark.skipif(os.name != "posix", reason="SIGKILL needs POSIX")
def test_a_grader_that_is_killed_and_started_again_loses_no_mark_and_makes_none_twice(work, tmp_path):
    file = tmp_path / "marks.jsonl"
    words = [
        sys.executable,
        "-m",
        "gatedrnn",
        "grade",
        str(work[0].parent),
        "--journal",
        str(file),
        "--jobs",
        "1",
    ]
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL)
    while not file.exists() or file.read_bytes().count(b"\n") < 2:
        time.sleep(0.02)
        assert process.poll() is None
    process.send_signal(signal.SIGKILL)
    process.wait()
    before = [line for line in file.read_bytes().splitlines(keepends=True) if line.endswith(b"\n")]
    assert 2 <= len(before) < 6
    assert subprocess.run(words, stdout=subprocess.DEVNULL).returncode == 0
    lines = file.read_bytes().splitlines(keepends=True)
    assert lines[: len(before)] == before
    marks = [json.loads(line)["report"] for line in lines]
    assert sorted(mark["path"] for mark in marks) == list(map(str, work))
    assert {sum(verdict["points"] for verdict in mark["verdicts"]) for mark in marks} == {2}


@pytest.mark.parametrize("words", [["--jobs", "0"], ["--jobs", "many"]])
def test_bad_numbers_of_jobs_are_said_in_words(words, capsys):
    with pytest.raises(SystemExit):
        main(["grade", "x.ipynb", *words])
    assert "number from 1 to 1024" in capsys.readouterr().err


def test_an_unknown_item_is_said_in_one_sentence(work, capsys):
    assert main(["grade", str(work[0]), "--item", "ehco"]) == 2
    assert "there is no item 'ehco'; known items: time_constant" in capsys.readouterr().err


# -- on a cluster


@pytest.fixture(scope="module")
def dask():
    """A scheduler and two workers, as somebody has started them."""
    distributed = pytest.importorskip(
        "distributed", reason="Dask is an extra: pip install 'gatedrnn[cluster]'"
    )
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, dashboard_address=None, processes=True, silence_logs=50
    ) as started:
        yield started


@pytest.fixture
def workers(dask):
    """Our connection to it."""
    connection = cluster.Cluster(dask.scheduler_address)
    yield connection
    connection.close()


def test_every_call_gives_its_result_once(workers):
    results = list(workers.run(math.sqrt, [(float(k),) for k in range(100)]))
    assert sorted(results) == [(k, math.sqrt(k)) for k in range(100)]


def test_a_call_that_fails_gives_its_error_and_the_others_their_results(workers):
    results = dict(workers.run(math.sqrt, [(4.0,), (-1.0,), (9.0,)]))
    assert results[0] == 2 and results[2] == 3
    assert isinstance(results[1], ValueError)


def test_a_worker_that_dies_loses_nothing(workers):
    """It is killed in the middle of its work, by the same call that others make in peace."""
    results = []
    for place, pid in workers.run(
        eval, [("(__import__('time').sleep(0.1), __import__('os').getpid())[1]",)] * 20
    ):
        results.append(place)
        if len(results) == 6:
            os.kill(pid, getattr(signal, "SIGKILL", signal.SIGTERM))
    assert sorted(results) == list(range(20))


def test_a_worker_of_another_edition_marks_nothing(workers, monkeypatch):
    monkeypatch.setattr(cluster, "edition", lambda: "mine")
    ((_, error),) = workers.run(math.sqrt, [(4.0,)])
    assert isinstance(error, cluster.ClusterError) and "another edition of gatedrnn" in str(error)


def test_notebooks_are_marked_on_the_workers_and_noted_here(work, workers, tmp_path):
    bad = work[0].parent / "6.ipynb"
    bad.symlink_to(work[0])
    book = Journal(tmp_path / "marks.jsonl")
    reports = list(batch.run([Task(path) for path in [*work, bad]], batch.Remote(workers), book))
    assert [report.points for report in reports] == [2] * 6 + [0]
    assert reports[-1].status == "refused" and paths(reports) == [f"{k}.ipynb" for k in range(7)]
    assert reports[0].digest == journal.digest(work[0])
    assert all(book.find(Task(path)) for path in work)
    book.close()


def test_the_command_takes_a_scheduler(work, dask, capsys):
    assert main(["grade", str(work[0]), str(work[1]), "--scheduler", dask.scheduler_address]) == 0
    assert capsys.readouterr().out.count("time_constant     2 of 2   right") == 2


def test_no_scheduler_is_said_in_one_sentence(work, monkeypatch, capsys):
    monkeypatch.setattr(cluster, "CONNECT", 0.3)
    for address in ("tcp://127.0.0.1:9", "nonsense://x"):
        assert main(["grade", str(work[0]), "--scheduler", address]) == 1
        assert f"no Dask scheduler answers at {address}" in capsys.readouterr().err


def test_a_scheduler_without_workers_is_not_waited_for_for_ever(monkeypatch):
    distributed = pytest.importorskip("distributed")
    monkeypatch.setattr(cluster, "PATIENCE", 0.5)
    with distributed.LocalCluster(n_workers=0, dashboard_address=None, silence_logs=50) as empty:
        connection = cluster.Cluster(empty.scheduler_address)
        with pytest.raises(cluster.ClusterError, match="has had no worker for 0 s while 1 calls wait"):
            list(connection.run(math.sqrt, [(4.0,)]))
        connection.close()


def test_without_dask_the_extra_is_named(work, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "distributed", None)
    assert main(["grade", str(work[0]), "--scheduler", "tcp://x:1"]) == 1
    assert "pip install 'gatedrnn[cluster]'" in capsys.readouterr().err
