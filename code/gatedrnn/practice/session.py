"""A conversation with one confined worker: bounded reads, deadlines, and an end for everything it started."""

import contextlib
import os
import queue
import secrets
import subprocess
import tempfile
import threading
import time
import weakref
from pathlib import Path

import numpy as np

from gatedrnn.practice import sandbox, warden, wire
from gatedrnn.practice.items import ExerciseSet
from gatedrnn.practice.judge import Failure

GRACE = 2.0  # seconds after a deadline in which a worker may still say so itself
START = 60.0  # seconds in which a worker must have started
CHUNK = 65536

ENDINGS = {
    warden.TOO_MANY: f"it started more than {sandbox.PROCESSES} processes",
    warden.TOO_LARGE: "it used more memory than it may",
    warden.TOO_FULL: "it wrote more to disk than it may",
}


RUNNING: weakref.WeakSet = weakref.WeakSet()  # sessions of all threads
ENDING = threading.Event()


@contextlib.contextmanager
def none_running():
    """End every worker that this process runs, and let none live that is started within; to stop a run."""
    ENDING.set()
    try:
        for session in list(RUNNING):
            session.process.terminate()
        yield
    finally:
        ENDING.clear()


class WorkerEndedError(Exception):
    """The worker is gone or not to be believed; the message continues "because …"."""


class Session:
    """Start a worker for a list of cells, listen while it runs them, then ask for values.

    Parameters
    ----------
    exercise_set : ExerciseSet
    kind : str
        The confinement, see :mod:`gatedrnn.practice.sandbox`.
    seconds : float
        Longest life of the worker, which its CPU limit follows.

    Notes
    -----
    Use it in a ``with`` statement: leaving it ends the worker and everything that it started, and removes its
    folder.
    """

    def __init__(self, exercise_set: ExerciseSet, kind: str, seconds: float):
        self.exercise_set, self.kind, self.seconds = exercise_set, kind, seconds
        self.scratch = sandbox.scratch_folder()
        self.errors = tempfile.TemporaryFile()  # noqa: SIM115 – closed on exit; what bubblewrap and Python say before the worker listens
        self.lines: queue.Queue = queue.Queue(maxsize=64)
        self.closed = threading.Event()
        self.flooded = False

    def __enter__(self):
        folder = Path(self.scratch.name).resolve()
        sandbox.make_package(folder / "package", self.exercise_set)
        sandbox.make_home(folder / "home")
        sandbox.show_recordings(folder / "recordings", self.exercise_set)
        (folder / "arguments").mkdir()
        self.home, self.arguments = folder / "home", folder / "arguments"
        self.process = subprocess.Popen(
            sandbox.command(self.kind, folder, self.exercise_set),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.errors,
            cwd=self.home,
            env=sandbox.environment(self.home, folder / "recordings"),
            bufsize=0,
        )
        threading.Thread(target=self._listen, daemon=True).start()
        RUNNING.add(self)
        if ENDING.is_set():
            self.process.terminate()
        return self

    def __exit__(self, *exception):
        self.closed.set()
        self.process.terminate()  # on POSIX this reaches the warden, which ends all the rest
        try:
            self.process.wait(8)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            with contextlib.suppress(OSError):
                pipe.close()
        self.errors.close()
        self.scratch.cleanup()

    def _listen(self) -> None:
        """Cut the replies into lines, in a thread that is never waited for and holds a bounded amount."""
        rest, descriptor = bytearray(), self.process.stdout.fileno()
        while not self.closed.is_set():
            try:
                chunk = os.read(descriptor, CHUNK)
            except OSError:
                chunk = b""
            rest += chunk
            *lines, rest = rest.split(b"\n") if b"\n" in chunk else (rest,)
            for line in lines:
                self._put(bytes(line))
            self.flooded = len(rest) > wire.MAX_LINE
            if not chunk or self.flooded:
                self._put(None)
                return

    def _put(self, line: bytes | None) -> None:
        while not self.closed.is_set():
            try:
                return self.lines.put(line, timeout=0.2)
            except queue.Full:
                continue

    def send(self, message: dict, deadline: float) -> None:
        """Write one message; a worker that does not read it in time is ended."""
        line = wire.write_line(message)
        writer = threading.Thread(target=self._write, args=(line,), daemon=True)
        writer.start()
        writer.join(max(0.0, deadline - time.monotonic()))
        if writer.is_alive():
            raise WorkerEndedError("it did not listen")

    def _write(self, line: bytes) -> None:
        rest = memoryview(line)
        try:
            while rest:
                rest = rest[self.process.stdin.write(rest) :]
        except (OSError, ValueError):
            pass  # it has ended: the reader notices

    def receive(self, deadline: float) -> dict:
        """Return the next message.

        Raises
        ------
        TimeoutError
            If none came before the deadline.
        WorkerEndedError
            If the worker ended or sent something that is no message.
        """
        rest = deadline - time.monotonic()
        if rest <= 0:  # asked first, because a flood never lets the queue run dry
            raise TimeoutError
        try:
            line = self.lines.get(timeout=rest)
        except queue.Empty:
            raise TimeoutError from None
        if line is None:
            raise WorkerEndedError(self._ending())
        try:
            return wire.read_line(line)
        except wire.WireError as error:
            raise WorkerEndedError(f"it sent something that is not an answer: {error}") from None

    def _ending(self) -> str:
        if self.flooded:
            return "it sent too much at once"
        try:
            code = self.process.wait(8)
        except subprocess.TimeoutExpired:
            return "it closed the line"
        if code in ENDINGS:
            return ENDINGS[code]
        return f"its process ended (exit code {code})"

    def complaint(self) -> str:
        """The last line that the start-up wrote to standard error."""
        self.errors.seek(0)
        lines = self.errors.read(20_000).decode("utf-8", "replace").strip().splitlines()
        return lines[-1][:300] if lines else ""

    def start(self, cells: list[dict], names: list[str], cell_seconds: float) -> None:
        """Send the notebook."""
        whole, listed = ([], []) if self.kind == "bubblewrap" else sandbox.readable(sandbox.PACKAGE)
        ours = [str(self.home.parent / name) for name in ("package", "arguments", "recordings")]
        ours += map(str, sandbox.recordings(self.exercise_set).values())
        order = {
            "limits": sandbox.limits(self.kind, self.exercise_set, self.seconds),
            "confine": self.kind,
            "folder": str(self.home),
            "readable": [*whole, *ours] if whole else [],
            "arguments": str(self.arguments),
            "listable": listed,
            "cells": cells,
            "names": names,
            "cell_seconds": cell_seconds,
        }
        self.send(order, time.monotonic() + START)

    def ask(self, function: str, calls: list[tuple], seconds: float, deadline: float) -> list:
        """Ask for the values of one function on several argument lists.

        Returns
        -------
        list
            For each call a value, or a :class:`~gatedrnn.practice.judge.Failure`.
        """
        nonce = secrets.token_hex(16)
        packed = [[wire.pack(value, self._store) for value in arguments] for arguments in calls]
        end = min(time.monotonic() + seconds + GRACE, deadline)
        self.send({"nonce": nonce, "function": function, "calls": packed, "seconds": seconds}, end)
        reply = self.receive(end)
        self._forget_arguments()
        if set(reply) != {"nonce", "answers"} or reply["nonce"] != nonce:
            raise WorkerEndedError("it sent something that was not asked for")
        if not isinstance(reply["answers"], list) or len(reply["answers"]) != len(calls):
            raise WorkerEndedError("it sent another number of answers than was asked for")
        return [_read_answer(answer) for answer in reply["answers"]]

    def _store(self, array: np.ndarray) -> str:
        """Put a large argument where the worker can read it and not write it."""
        name = f"{secrets.token_hex(8)}.npy"
        np.save(self.arguments / name, array, allow_pickle=False)
        return name

    def _forget_arguments(self) -> None:
        for path in self.arguments.iterdir():
            path.unlink()


FAILURES = {
    "unwritten": "not written yet",
    "missing": "there is no function of this name in the notebook",
    "late": "",
    "error": "",
    "type": "",
}


def _read_answer(answer):
    """One answer, strictly: a value, or a failure of a known kind."""
    if isinstance(answer, dict) and set(answer) == {"answer"}:
        try:
            return wire.unpack(answer["answer"])
        except wire.WireError as error:
            return Failure("type", f"the answer cannot be read: {error}")
    failure = answer.get("failure") if isinstance(answer, dict) and set(answer) == {"failure"} else None
    if isinstance(failure, dict) and set(failure) == {"kind", "message"}:
        kind, message = failure["kind"], failure["message"]
        if isinstance(kind, str) and kind in FAILURES and isinstance(message, str):
            return Failure(
                "unreached" if kind == "late" else kind, wire.printable((FAILURES[kind] or message)[:500])
            )
    raise WorkerEndedError("it sent an answer of an unknown form")
