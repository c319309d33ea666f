"""The process that runs a learner's notebook; started by the grader, confined, and not trusted.

It is a script: ``python -I worker.py``. Standard input brings the notebook's cells and then requests,
standard output takes the replies, one line of JSON each (:mod:`gatedrnn.practice.wire`); both are moved to
private descriptors before any cell runs, so what cells print goes nowhere. No right answer is in this
process, or in any file it is given: it tells the values of the learner's functions, and the grader compares
elsewhere.
"""

import os
import signal
import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # the copy of gatedrnn made for this run

MAX_ERROR = 400  # characters of an error message


class TimeUp(BaseException):
    """Raised inside a cell or a call that has used up its time; not an Exception, so that few catch it."""


def main() -> None:
    """Speak to the grader until it closes the line."""
    requests, replies = _take_channel()
    from gatedrnn.practice import confine, wire

    order = wire.read_line(requests.readline())
    confine.limit_resources(order["limits"])
    confine.confine(order["confine"], order["folder"], order["readable"], order["listable"])
    speak = _speaker(replies, wire)
    shell = make_shell(quiet_system=order["confine"] == "guard")
    _silence(2)  # up to here, what went wrong was worth hearing
    functions = run_cells(shell, order, speak)
    speak({"event": "ready"})
    while line := requests.readline():
        request = wire.read_line(line)
        speak({"nonce": request["nonce"], "answers": answer(functions, request, wire, order["arguments"])})


def _take_channel():
    """Move standard input and output aside and leave silence in their place."""
    requests, replies = os.fdopen(os.dup(0), "rb"), os.dup(1)
    _silence(0, 1)
    return requests, replies


def _silence(*descriptors: int) -> None:
    nothing = os.open(os.devnull, os.O_RDWR)
    for descriptor in descriptors:
        os.dup2(nothing, descriptor)
    os.close(nothing)


def _speaker(replies: int, wire):
    def speak(message: dict) -> None:
        line = memoryview(wire.write_line(message))
        while line:
            line = line[os.write(replies, line) :]

    return speak


def make_shell(quiet_system: bool):
    """An IPython shell, so that magics and top-level await work as in a notebook; it shows nothing."""
    from IPython.core.interactiveshell import InteractiveShell
    from traitlets.config import Config

    config = Config()
    config.HistoryManager.enabled = False
    shell = InteractiveShell.instance(config=config, colors="nocolor")
    shell.showtraceback = lambda *words, **options: None  # nobody reads it here, and formatting takes time
    shell.showsyntaxerror = shell.showtraceback
    for name in ("matplotlib", "pylab"):  # figures are drawn off-screen whatever the notebook asks for
        shell.register_magic_function(lambda line: None, "line", name)
    if quiet_system:
        shell.system = lambda command: None
        shell.getoutput = lambda command, **options: []
    return shell


def run_cells(shell, order: dict, speak) -> dict[str, list]:
    """Run every cell, then once more those that missed a name which a later cell defines.

    Returns
    -------
    dict
        For every name asked for, all different objects that it stood for, in order.
    """
    found = {name: [] for name in order["names"]}
    again = []
    for cell in order["cells"]:
        error = run_cell(shell, cell, order["cell_seconds"], speak)
        if error and error["type"] == "NameError":
            again.append(cell)
        _collect(shell, found)
    for cell in again:
        run_cell(shell, cell, order["cell_seconds"], speak)
        _collect(shell, found)
    return found


def run_cell(shell, cell: dict, seconds: float, speak) -> dict | None:
    """Run one cell and tell the grader when it starts and how it ended."""
    speak({"event": "cell", "index": cell["index"]})
    with _alarm(seconds):
        try:
            result = shell.run_cell(cell["source"], store_history=False)
            problem = result.error_before_exec or result.error_in_exec
        except BaseException as error:  # whatever a cell throws costs that cell alone
            problem = error
    error = None if problem is None else _describe(problem, seconds)
    speak({"event": "done", "index": cell["index"], "error": error})
    return error


def _collect(shell, found: dict[str, list]) -> None:
    for name, objects in found.items():
        thing = shell.user_ns.get(name)
        if thing is not None and not any(thing is known for known in objects):
            objects.append(thing)


def answer(functions: dict[str, list], request: dict, wire, folder: str = "") -> list[dict]:
    """Call the learner's function once for each list of arguments; never more than ``seconds`` in all."""
    candidates = functions.get(request["function"], [])
    if not candidates:
        return [{"failure": {"kind": "missing", "message": ""}}] * len(request["calls"])
    answers = []
    with _alarm(request["seconds"]):
        try:
            for packed in request["calls"]:
                answers.append(_call(candidates, packed, wire, folder))
        except TimeUp:
            pass
    late = {"failure": {"kind": "late", "message": f"no answer within {request['seconds']:g} s"}}
    return answers + [late] * (len(request["calls"]) - len(answers))


def _call(candidates: list, packed: list, wire, folder: str) -> dict:
    """Ask the newest definition; one that is still unwritten gives way to the one before it.

    A cell that was duplicated by accident leaves an unwritten twin behind the written one.
    """
    for function in reversed(candidates):
        try:
            value = function(*[_argument(wire.unpack(part, _loader(folder))) for part in packed])
            return {"answer": wire.pack(value)}
        except NotImplementedError:
            continue
        except TimeUp:
            raise
        except wire.WireError as error:
            return {"failure": {"kind": "type", "message": str(error)[:MAX_ERROR]}}
        except BaseException as error:
            problem = _describe(error, 0)
            message = f"{problem['type']}: {problem['message']}".rstrip(": ")
            return {"failure": {"kind": "error", "message": message}}
    return {"failure": {"kind": "unwritten", "message": ""}}


def _loader(folder: str):
    """Large arguments lie in files that the grader wrote."""

    def load(name: str):
        import numpy

        return numpy.load(os.path.join(folder, os.path.basename(name)), allow_pickle=False)

    return load


def _argument(value):
    """Sequences were lists when the grader drew them."""
    return [_argument(part) for part in value] if isinstance(value, tuple) else value


def _describe(problem: BaseException, seconds: float) -> dict:
    if isinstance(problem, TimeUp):
        return {"type": "TimeUp", "message": f"it ran longer than {seconds:g} s"}
    try:
        message = str(problem)
    except Exception:
        message = ""
    return {"type": type(problem).__name__[:80], "message": " ".join(message.split())[:MAX_ERROR]}


class _alarm:  # noqa: N801 – reads as a statement: with _alarm(seconds)
    """Raise :class:`TimeUp` in the main thread after some seconds, where the system has alarms.

    A cell may catch it or take the alarm away: then the grader ends the process, a little later.
    """

    def __init__(self, seconds: float):
        self.seconds = seconds

    def __enter__(self):
        if hasattr(signal, "setitimer"):
            signal.signal(signal.SIGALRM, _time_up)
            signal.setitimer(signal.ITIMER_REAL, self.seconds)

    def __exit__(self, *exception):
        if hasattr(signal, "setitimer"):
            signal.setitimer(signal.ITIMER_REAL, 0)


def _time_up(number, frame):
    raise TimeUp


if __name__ == "__main__":
    main()
