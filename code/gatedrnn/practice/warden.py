"""A small process between grader and worker that ends everything the worker started, however it tries to
stay.

``python -I -S warden.py PROCESSES MEMORY FOLDER DISK COMMAND…`` runs the command and watches it: too many
processes, too much memory or disk together, a grader that is gone or that sends SIGTERM, or the command's own
end, and all descendants are killed. On Linux orphans come back to this process, so that none escapes by
losing its parent.
"""

import contextlib
import os
import select
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

TOO_MANY, TOO_LARGE, TOO_FULL = 231, 232, 233  # exit codes
PAGE = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4096
TICK = 0.05  # seconds between looks


def main(words: list[str]) -> int:
    """Run the command and return its exit code, or one of ours."""
    processes, memory, folder, disk, *command = words
    limits = int(processes), int(memory), folder, int(disk)
    adopt_orphans()
    wake, ended = _wake_on_signals()
    grader = os.getppid()
    child = subprocess.Popen(command, start_new_session=True)
    code, look = None, 0
    while code is None:
        select.select([wake], [], [], TICK)
        _drain(wake)
        code = child.poll()
        if code is None and (ended or os.getppid() != grader):
            code = 128 + signal.SIGTERM
        code = code if code is not None else judge(limits, look)
        look += 1
    kill_all(child)
    return code if code >= 0 else 128 - code


def adopt_orphans() -> None:
    """Become the parent of every descendant whose own parent ends (Linux)."""
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)  # PR_SET_CHILD_SUBREAPER


def _wake_on_signals():
    wake, write = os.pipe()
    os.set_blocking(wake, False)
    os.set_blocking(write, False)
    signal.set_wakeup_fd(write, warn_on_full_buffer=False)
    ended = []
    signal.signal(signal.SIGCHLD, lambda number, frame: None)
    signal.signal(signal.SIGTERM, lambda number, frame: ended.append(number))
    return wake, ended


def _drain(wake: int) -> None:
    try:
        while os.read(wake, 512):
            pass
    except BlockingIOError:
        pass


def judge(limits: tuple, look: int) -> int | None:
    """Return an exit code if the descendants together use too much."""
    processes, memory, folder, disk = limits
    alive = descendants(os.getpid())
    if len(alive) > processes:
        return TOO_MANY
    if sum(resident(pid) for pid in alive) > memory:
        return TOO_LARGE
    if look % 5 == 0 and used(folder) + held(alive) > disk:
        return TOO_FULL
    return None


def descendants(pid: int) -> list[int]:
    """Process numbers of all children, their children, and so on; empty where there is no /proc."""
    found, waiting = [], [pid]
    while waiting:
        parent = waiting.pop()
        try:
            tasks = os.listdir(f"/proc/{parent}/task")
        except OSError:
            continue
        for task in tasks:
            try:
                children = Path(f"/proc/{parent}/task/{task}/children").read_text().split()
            except OSError:
                continue
            found += map(int, children)
            waiting += map(int, children)
    return found


def resident(pid: int) -> int:
    """Bytes of memory that a process holds."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE
    except (OSError, IndexError):
        return 0


def held(pids: list[int]) -> int:
    """Bytes of open files that have no name: deleted ones, and those that live in memory."""
    sizes = {}
    for pid in pids:
        try:
            numbers = os.listdir(f"/proc/{pid}/fd")
        except OSError:
            continue
        for number in numbers:
            with contextlib.suppress(OSError):
                status = os.stat(f"/proc/{pid}/fd/{number}")
                if stat.S_ISREG(status.st_mode) and status.st_nlink == 0:
                    sizes[status.st_dev, status.st_ino] = status.st_blocks * 512
    return sum(sizes.values())


def used(folder: str) -> int:
    """Bytes on disk below a folder."""
    total = 0
    for place, _, names in os.walk(folder):
        for name in names:
            try:
                total += os.lstat(os.path.join(place, name)).st_blocks * 512
            except OSError:
                continue
    return total


def kill_all(child: subprocess.Popen, seconds: float = 5.0) -> None:
    """Stop, then kill, every descendant until none is left."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        alive = [pid for pid in descendants(os.getpid()) if not _is_dead(pid)]
        for number in (signal.SIGSTOP, signal.SIGKILL):  # stopped first, so that none starts more meanwhile
            for pid in alive:
                _signal(pid, number)
            _signal(-child.pid, number)
        reap()
        if not alive:
            break
        time.sleep(0.005)


def _is_dead(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] in "ZX"
    except (OSError, IndexError):
        return True


def _signal(pid: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(pid, number)


def reap() -> None:
    """Collect the exit codes of the dead, so that they vanish."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        pass


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
