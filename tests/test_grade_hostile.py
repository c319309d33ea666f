"""Hostile notebooks: nobody gains a mark, nothing hangs, nothing outside the scratch folder changes."""

import concurrent.futures
import dataclasses
import os
import socket
import sqlite3
import subprocess
import sys
import textwrap
import threading
import time
from typing import NamedTuple

import pytest
from gatedrnn.practice import grading, sandbox, session, sets
from test_grade import AVAILABLE, answer, marks, save, small

WRONG = """
def time_constant(f, dt): return 1.0
def echo(W, U, pulse, steps): return np.zeros((steps, len(W)))
def modes(W, dt): return np.ones(len(W)), np.ones(len(W))
def run_rnn(inputs, h0, W_ih, W_hh, b_ih, b_hh): return np.zeros((len(inputs), len(h0))), np.zeros(len(h0))
def measure_tau(trace, dt): return 0.37
def choose_network(networks, U, pulse, delay, dt): return np.ones(3), 0
"""

PURE = {  # attacks inside the process: the confinement plays no part
    "patched comparisons": """
        import numpy.testing
        for place, names in ((np, "allclose isclose array_equal all any abs"), (np.testing, dir(np.testing))):
            for name in names.split() if isinstance(names, str) else names:
                try: setattr(place, name, lambda *a, **k: True)
                except Exception: pass
        """,
    "patched builtins": """
        import builtins, math
        for name in "abs all any isinstance len max min sum round".split():
            setattr(builtins, name, lambda *a, **k: True)
        math.isclose = math.isfinite = lambda *a, **k: True
        """,
    "answers equal to everything": """
        class Equal(float):
            __eq__ = lambda self, other: True
            __ne__ = lambda self, other: False
            __lt__ = __le__ = __gt__ = __ge__ = __eq__
            __sub__ = __rsub__ = lambda self, other: 0.0
            __hash__ = None
        def time_constant(f, dt): return Equal(1.0)
        """,
    "arrays that lie": """
        class Lie(np.ndarray):
            def __array_ufunc__(self, *a, **k): return np.True_
            def __array_function__(self, *a, **k): return np.True_
        def echo(W, U, pulse, steps): return np.zeros((steps, len(W))).view(Lie)
        """,
    "printed scores": """
        for line in ('{"points": 15}', "time_constant: right, 2 of 2 points.", '{"nonce": "", "answers":
        []}'):
            print(line, flush=True)
        """,
    "transformed syntax": """
        import ast
        class Always(ast.NodeTransformer):
            def visit_Compare(self, node): return ast.copy_location(ast.Constant(True), node)
        get_ipython().ast_transformers.append(Always())
        get_ipython().input_transformers_post.append(lambda lines: ["pass"])
        """,
    "patched wire": """
        import sys, json
        from gatedrnn.practice import wire
        wire.pack = lambda value, depth=0: {"kind": "right"}
        for module in list(sys.modules.values()):
            if hasattr(module, "answer") and hasattr(module, "run_cells"):
                module.answer = module._call = lambda *a: [{"verdict": "right", "points": 15}]
        """,
    "patched json": """
        import json
        json.dumps = lambda *a, **k: '{"points": 15, "status": "right"}'
        """,
    "answers looked up in the frames and in memory": """
        import gc, sys
        def time_constant(f, dt):
            for thing in gc.get_objects():
                if isinstance(thing, dict) and "reference" in thing: return thing["reference"](f, dt)
            frame = sys._getframe()
            while frame:
                if "expected" in frame.f_locals: return frame.f_locals["expected"]
                frame = frame.f_back
            return 1.0
        """,
    "a replaced check": """
        import gatedrnn.practice, sys
        gatedrnn.practice.check = lambda *a, **k: None
        sys.modules["gatedrnn.practice.judge"] = type(sys)("judge")
        """,
    "nested answers": """
        def time_constant(f, dt):
            value = 1.0
            for _ in range(100_000): value = (value,)
            return value
        """,
    "not a number, infinities and empty arrays": """
        def time_constant(f, dt): return np.full(np.shape(f), np.nan)
        def echo(W, U, pulse, steps): return np.full((steps, len(W)), np.inf)
        def modes(W, dt): return np.array([]), np.zeros((0, 3))
        def run_rnn(*a): return np.array(["x"]), {}
        def measure_tau(trace, dt): return 10 ** 400
        def choose_network(*a): return (x for x in iter(int, 1)), None
        """,
    "large answers": """
        def time_constant(f, dt): return np.zeros(10**6)
        def echo(W, U, pulse, steps): return [0.0] * 10**6
        def modes(W, dt): return "x" * 10**7, b"x" * 10**7
        """,
    "errors with a life of their own": """
        class Odd(Exception):
            def __str__(self): raise Odd
        Odd.__name__ = "x" * 10**6
        def time_constant(f, dt): raise Odd
        def echo(W, U, pulse, steps): raise KeyboardInterrupt("x" * 10**7)
        def modes(W, dt): raise SystemExit(0)
        raise Odd
        """,
    "a file named like numpy": """
        with open("numpy.py", "w") as file: file.write("allclose = lambda *a: True")
        import importlib, sys
        sys.path.insert(0, ".")
        importlib.reload(np)
        """,
    "no shell left": """
        import IPython, builtins
        get_ipython().user_ns.clear()
        get_ipython().run_cell = None
        """,
}
PURE |= {
    "a clock that stands still": """
        import time, signal
        for name in "time monotonic perf_counter process_time".split(): setattr(time, name, lambda: 0.0)
        """,
    "answers that differ at every look": """
        class Moody:
            looks = 0
            def __array__(self, *a, **k):
                Moody.looks += 1
                return np.full(Moody.looks % 3, 1.0)
        def time_constant(f, dt): return Moody()
        """,
    "an array that lies about itself": """
        class Lie(np.ndarray):
            size = property(lambda self: 0)
            shape = property(lambda self: ())
            def astype(self, *a, **k): return self
            def ravel(self, *a, **k): return self
            def tolist(self): return [{"kind": "number", "value": 1.0}] * 10**6
        def echo(W, U, pulse, steps): return np.zeros((steps, len(W))).view(Lie)
        """,
    "a tracer that changes what is returned": """
        import sys, threading
        def trace(frame, event, argument):
            if event == "return" and "expected" in frame.f_locals:
                frame.f_locals["answer"] = frame.f_locals["expected"]
            return trace
        sys.settrace(trace), threading.settrace(trace), sys.setprofile(trace)
        """,
    "an audit hook that refuses": """
        import sys
        def hook(event, arguments):
            if event in ("open", "import", "object.__getattr__"): raise RuntimeError("no")
        sys.addaudithook(hook)
        """,
    "poisoned imports": """
        import builtins, sys
        class Finder:
            @staticmethod
            def find_spec(name, *a): raise ImportError(name)
        sys.meta_path.insert(0, Finder)
        sys.modules["numpy"] = sys.modules["json"] = None
        builtins.__import__ = lambda *a, **k: None
        """,
    "broken letters and terminal codes": """
        def time_constant(f, dt): return chr(0xd800) + chr(27) + "[2J"
        def echo(W, U, pulse, steps): raise ValueError(chr(0xdfff) + chr(27) + "]0;mine" + chr(7))
        """,
    "promises": """
        async def time_constant(f, dt): return 1.0
        async def echo(W, U, pulse, steps): yield W
        def modes(W, dt):
            yield from iter(int, 1)
        """,
    "classes and modules in place of functions": """
        class time_constant:
            def __init__(self, *a): pass
            def __float__(self): return 1.0
        import math as echo
        modes = "modes"
        class measure_tau(type):
            def __call__(cls, *a): return cls
        """,
    "pickles with a will": """
        import os
        class Pickle:
            def __reduce__(self): return os.system, ("touch " + CANARY + "-pickled",)
        def time_constant(f, dt): return Pickle()
        def echo(W, U, pulse, steps): return np.array([Pickle()], dtype=object)
        def modes(W, dt): return Pickle(), {"points": 15}
        """,
    "chance made certain": """
        class Fixed:
            def __getattr__(self, name): return lambda *a, **k: 0.5
        np.random.default_rng = lambda *a: Fixed()
        import secrets, os
        secrets.randbits = secrets.token_hex = os.urandom = lambda *a: 0
        """,
    "errors at the very end": """
        import atexit, os
        class Last:
            def __del__(self): os._exit(7)
        kept = Last()
        atexit.register(os._exit, 7)
        """,
    "no builtins left": "__builtins__ = {}; answer = functions = wire = speak = shell = None",
    "a reply with the right number": """
        import os, sys
        def time_constant(f, dt):
            frame = sys._getframe()
            while frame:
                request = frame.f_locals.get("request")
                if isinstance(request, dict) and "nonce" in request:
                    line = '{"nonce":"%s","answers":[{"kind":"right"}],"points":15}' % request["nonce"]
                    for number in range(3, 64):
                        try: os.write(number, line.encode() + b"\\n")
                        except OSError: pass
                frame = frame.f_back
            return 1.0
        """,
    "what is kept back": """
        import gc, glob, os
        def choose_network(networks, U, pulse, delay, dt):
            for name in glob.glob("../arguments/*") + glob.glob("/tmp/**/arguments/*", recursive=True):
                try: os.remove(name)
                except OSError: pass
            for thing in gc.get_objects():
                if getattr(thing, "kept", None) is not None: return thing.kept
            return np.ones(3), 0
        """,
}
PURE_BUT_LATE = {  # they cost time, so they run once
    "an endless loop in a cell that catches everything": """
        while True:
            try:
                while True: pass
            except BaseException: pass
        """,
    "an endless loop in a function that catches everything": """
        import time
        def time_constant(f, dt):
            while True:
                try:
                    while True: time.sleep(0.01)
                except BaseException: pass
        """,
    "a loop without alarms": """
        import signal
        signal.setitimer(signal.ITIMER_REAL, 0); signal.signal(signal.SIGALRM, signal.SIG_IGN)
        while True: pass
        """,
    "a process that stops itself": "import os, signal; os.kill(os.getpid(), signal.SIGSTOP)",
    "an error whose text never ends": """
        class Endless(Exception):
            def __str__(self):
                while True: pass
        raise Endless
        """,
    "an array that takes for ever": """
        class Slow:
            def __array__(self, *a, **k):
                while True: pass
        def time_constant(f, dt): return Slow()
        """,
    "too much printed": "while True: print('x' * 10**6)",
    "a promise that is never kept": "import asyncio\nawait asyncio.sleep(1e9)",
    "a pattern that explodes": "import re\nre.match(r'(a+)+$', 'a' * 60 + 'b')",
    "a comparison that takes for ever": """
        class Slow:
            def __lt__(self, other):
                while True: pass
        sorted([Slow(), Slow()])
        """,
}
OUTSIDE = {  # attacks on what is outside the process
    "forged lines on every descriptor": """
        import os
        for number in range(3, 64):
            try: os.write(number, b'{"event":"ready"}\\n{"nonce":"0","answers":[]}\\n{"points":15}\\n')
            except OSError: pass
        """,
    "half a line, then silence": """
        import os, time
        for number in range(3, 64):
            try: os.write(number, b'{"event":"cell","index":')
            except OSError: pass
        time.sleep(100)
        """,
    "deep JSON on every descriptor": """
        import os
        for number in range(3, 64):
            try: os.write(number, b"[" * 200_000 + b"\\n")
            except OSError: pass
        """,
    "a flood on every descriptor": """
        import os
        while True:
            for number in range(3, 64):
                try: os.write(number, b"x" * 65536)
                except OSError: pass
        """,
    "a flood of honest-looking events": """
        import os
        for number in range(3, 64):
            try: os.write(number, b"")
            except OSError: continue
            while True: os.write(number, b'{"event":"cell","index":3}\\n' * 1000)
        """,
    "not text on every descriptor": """
        import os
        for number in range(3, 64):
            try: os.write(number, bytes(range(256)) + b"\\n")
            except OSError: pass
        """,
    "an exit in a cell": "import os; os._exit(0)",
    "an exit in a function": """
        import os
        def time_constant(f, dt): os._exit(0)
        """,
    "a crash": "import ctypes; ctypes.string_at(0)",
    "a fork bomb": """
        import os
        while True:
            try: os.fork()
            except OSError: pass
        """,
    "threads without end": """
        import threading, time
        while True:
            try: threading.Thread(target=time.sleep, args=(100,), daemon=True).start()
            except RuntimeError: pass
        """,
    "a memory flood": """
        kept = []
        while True: kept.append(bytearray(b"x" * 2**26))
        """,
    "a memory flood in many processes": """
        import os
        for _ in range(16):
            if os.fork() == 0: break
        kept = []
        while True:
            try: kept.append(bytearray(b"x" * 2**25))
            except MemoryError: pass
        """,
    "a full disk": """
        import os
        for number in range(10**6):
            with open(f"{number}", "wb") as file: file.write(b"x" * 2**24)
        """,
    "a killed grader": """
        import os, signal
        for process in (os.getppid(), GRADER):
            for number in (signal.SIGKILL, signal.SIGTERM, signal.SIGINT):
                try: os.kill(process, number)
                except OSError: pass
        """,
    "files outside": """
        import os, shutil
        for step in (
            lambda: open(CANARY, "w").write("mine"),
            lambda: open(WORK, "w").write("mine"),
            lambda: os.remove(CANARY),
            lambda: os.rename(CANARY, CANARY + "-moved"),
            lambda: os.chmod(CANARY, 0),
            lambda: os.utime(CANARY, (0, 0)),
            lambda: os.symlink("/", os.path.join(os.path.dirname(CANARY), "link")),
            lambda: os.truncate(CANARY, 0),
            lambda: shutil.rmtree(os.path.dirname(CANARY)),
            lambda: os.system(f"echo mine > {CANARY}"),
        ):
            try: step()
            except BaseException: pass
        """,
    "the grader's files": """
        import sys, os, pathlib
        found = []
        for root in [PACKAGE, PROJECT, *sys.path]:
            for name in ("practice/sets/set1/time_constant.py", "dynamics.py", "gatedrnn/dynamics.py"):
                try: found.append(open(os.path.join(root, name)).read())
                except OSError: pass
        for text in found:
            namespace = {}
            try:
                exec(text, namespace)
                time_constant = namespace.get("reference") or namespace["time_constant"]
            except BaseException: pass
        """,
    "the package from its own folder": """
        import sys
        for name in [name for name in sys.modules if name.startswith("gatedrnn")]: del sys.modules[name]
        sys.path.insert(0, os.path.dirname(PACKAGE)) if "os" in globals() else sys.path.insert(0, PROJECT +
        "/code") from gatedrnn.dynamics import time_constant """,
    "a connection": """
        import socket
        with socket.create_connection(("127.0.0.1", PORT), timeout=1) as line: line.sendall(b"hello")
        """,
    "another process's memory": """
        import os
        for name in ("mem", "environ", "maps"):
            try: secret = open(f"/proc/{GRADER}/{name}", "rb").read(10)
            except OSError: continue
            if secret:
                def time_constant(f, dt): raise ValueError("READ " + name)
        """,
    "other people's marks": """
        import sqlite3
        for name in (BOOK, JOURNAL):
            for step in (
                lambda: open(name, "a").write("ann,18\\n"),
                lambda: sqlite3.connect(name).execute("update grade set auto_score = 18"),
                lambda: open(name + "-wal", "w").write("mine"),
            ):
                try: step()
                except BaseException: pass
        """,
    "files in memory": """
        import os
        kept = []
        for number in range(200):
            descriptor = os.memfd_create(str(number))
            os.write(descriptor, bytes(2**24))
            kept.append(descriptor)
        time_constant = None
        """,
    "files without a name": """
        import os
        kept = []
        for number in range(200):
            kept.append(open("x", "wb", buffering=0))
            os.remove("x")
            kept[-1].write(bytes(2**24))
        time_constant = None
        """,
    "disks in memory": """
        import os
        written = 0
        for folder in ("/dev/shm", "/dev", "/run", "/var/tmp", "/mnt"):
            for number in range(100):
                try:
                    file = open(f"{folder}/mine-{number}", "wb", buffering=0)
                    written += file.write(bytes(2**24))
                except OSError: break
        if written > 2**27:
            def time_constant(f, dt): raise ValueError(f"READ {written}")
        """,
    "limits raised": """
        import resource
        for name in dir(resource):
            if name.startswith("RLIMIT_"):
                try: resource.setrlimit(getattr(resource, name), (-1, -1))
                except (ValueError, OSError): pass
        import os
        for number in range(10**6):
            with open(f"{number}", "wb") as file: file.write(b"x" * 2**27)
        """,
    "a child that holds the line": """
        import os, time
        if os.fork() == 0:
            os.setsid()
            if os.fork() == 0:
                time.sleep(1000)
        """,
}
QUICK = {
    "guard": (
        "files outside",
        "other people's marks",
        "the grader's files",
        "a connection",
        "an exit in a cell",
        "a killed grader",
        "patched comparisons",
        "a reply with the right number",
    )
}


class Case(NamedTuple):
    """One attack under one confinement."""

    name: str
    source: str
    kind: str


def cases():
    """Every attack, with each confinement that has a part in it."""
    strongest = next(kind for kind, works in AVAILABLE.items() if works)
    chosen = [Case(name, source, strongest) for name, source in PURE_BUT_LATE.items()]
    for kind in AVAILABLE:
        names = QUICK.get(kind, PURE | OUTSIDE)
        chosen += [Case(name, (PURE | OUTSIDE)[name], kind) for name in names]
    for case in chosen:
        skip = pytest.mark.skipif(not AVAILABLE[case.kind], reason=f"this machine has no {case.kind}")
        yield pytest.param(case, id=f"{case.name} [{case.kind}]", marks=skip)


def make_impatient(monkeypatch):
    """Short times and small sizes, so that it does not take long to give up."""
    exercise_set = sets.load("set-1")
    items = tuple(
        dataclasses.replace(item, seconds=0.7) if item in exercise_set.questions else item
        for item in exercise_set.items
    )
    changed = dataclasses.replace(exercise_set, items=items, cell_seconds=0.8, seconds=30.0, memory=2**29)
    monkeypatch.setattr("gatedrnn.practice.sets.set1.SET", changed)
    monkeypatch.setattr(session, "GRACE", 1.5)
    monkeypatch.setattr(grading, "GRACE", 1.5)
    monkeypatch.setattr(sandbox, "DISK", 2**26)


@pytest.fixture(scope="module", autouse=True)
def impatient():
    """Everything here is graded in a hurry."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        make_impatient(monkeypatch)
        yield


@pytest.fixture(scope="module")
def listener():
    """A server that must never be reached: its port, and who reached it."""
    server = socket.create_server(("127.0.0.1", 0))
    reached = []

    def listen():
        while True:
            try:
                reached.append(server.accept())
            except OSError:
                return

    threading.Thread(target=listen, daemon=True).start()
    yield server.getsockname()[1], reached
    server.close()


class Aftermath(NamedTuple):
    """What an attack left behind."""

    report: grading.Report
    untouched: bool  # the learner's file, and a file and a folder elsewhere


@pytest.fixture(scope="module")
def attacks(request, tmp_path_factory, listener, impatient):
    """All attacks that are to be tested, a few at a time, because most of them wait; by case, as futures."""
    parameters = [item.callspec.params for item in request.session.items if hasattr(item, "callspec")]
    wanted = dict.fromkeys(each["case"] for each in parameters if isinstance(each.get("case"), Case))
    pool = concurrent.futures.ThreadPoolExecutor(1 + (os.cpu_count() or 1))
    yield {case: pool.submit(attack, case, tmp_path_factory.mktemp("attack"), listener[0]) for case in wanted}
    pool.shutdown(cancel_futures=True)


def attack(case, folder, port):
    """Grade an attack with wrong answers to everything before it and one right answer behind it."""
    canary = folder / "elsewhere" / "canary"
    canary.parent.mkdir()
    canary.write_text("untouched")
    looks = canary.stat()
    others = {"BOOK": folder / "gradebook.db", "JOURNAL": folder / "marks.jsonl"}
    with sqlite3.connect(others["BOOK"]) as book:
        book.execute("create table grade (student text, auto_score float)")
        book.execute("insert into grade values ('ann', 3)")
    others["JOURNAL"].write_text('{"path": "ann.ipynb"}\n')
    contents = {path: path.read_bytes() for path in others.values()}
    facts = {
        **{name: str(path) for name, path in others.items()},
        "CANARY": str(canary),
        "WORK": str(folder / "work.ipynb"),
        "GRADER": os.getpid(),
        "PORT": port,
        "PACKAGE": str(sandbox.PACKAGE),
        "PROJECT": str(sandbox.PACKAGE.parents[1]),
    }
    known = "\n".join(f"{name} = {value!r}" for name, value in facts.items())
    path = save(small(WRONG, known, textwrap.dedent(case.source), answer("run_rnn")), folder)
    before = path.read_bytes(), path.stat().st_mtime_ns
    report = grading.grade(path, kind=case.kind)
    untouched = (path.read_bytes(), path.stat().st_mtime_ns) == before
    untouched &= canary.read_text() == "untouched" and [*canary.parent.iterdir()] == [canary]
    after = canary.stat()
    untouched &= contents == {path: path.read_bytes() for path in others.values()}
    untouched &= not list(folder.glob("*-wal")) and not list(canary.parent.glob("*-pickled"))
    untouched &= (after.st_mode, after.st_mtime_ns) == (looks.st_mode, looks.st_mtime_ns)
    return Aftermath(report, untouched)


SURVIVES = (  # what is known to cost only the cell or the item that it is in
    "an endless loop in a function that catches everything",
    "an endless loop in a cell that catches everything",
    "a loop without alarms",
    "an error whose text never ends",
    "an array that takes for ever",
    "too much printed",
    "half a line, then silence",
    "an exit in a cell",
    "an exit in a function",
    "a crash",
    "a memory flood",
    "files outside",
    "the grader's files",
    "a connection",
)


@pytest.mark.parametrize("case", list(cases()))
def test_an_attack_gains_nothing_and_costs_only_itself(case, attacks, listener):
    report, untouched = attacks[case].result(timeout=120)  # a hang fails
    assert untouched
    assert listener[1] == []
    assert report.status == "graded", report.reason
    points = marks(report)
    assert points.pop("run_rnn") in ((3,) if case.name in SURVIVES else (0, 3)), report
    assert not any(points.values()), report.verdicts
    assert "READ" not in str(report.verdicts)
    for verdict in report.verdicts:
        assert verdict.status in ("wrong", "right", "unreached", "missing"), verdict
        assert verdict.status != "unreached" or verdict.message
    if "in a function" in case.name:
        assert report.verdicts[0].status == "unreached"
        assert "time_constant(f, dt)" in report.verdicts[0].message
    if "in a cell" in case.name:
        assert report.cells[0]["cell"] == 4 and report.cells[0]["problem"]


def test_the_whole_time_is_bounded(tmp_path):
    loops = [PURE_BUT_LATE["a loop without alarms"]] * 20
    report = grading.grade(save(small(*map(textwrap.dedent, loops), answer("echo")), tmp_path), timeout=3)
    assert {verdict.status for verdict in report.verdicts} == {"unreached", "missing"}
    assert "3 s was used up" in report.verdicts[0].message


@pytest.mark.skipif(sys.platform != "linux", reason="processes are counted on Linux")
def test_too_many_processes_are_said_to_be_so(tmp_path):
    bomb = "import subprocess\nkept = [subprocess.Popen(['sleep', '54321']) for _ in range(200)]"
    report = grading.grade(save(small(bomb, answer("echo")), tmp_path))
    assert marks(report)["echo"] == 3
    assert "processes" in report.cells[0]["problem"] or "Resource temporarily" in report.cells[0]["problem"]
    assert "sleep 54321" not in subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True).stdout


def test_points_made_before_the_time_ran_out_are_kept(tmp_path, monkeypatch):
    """A second worker that has no time left to start is not a failure of the machine."""
    leaves = "def echo(W, U, pulse, steps):\n    import os\n    os._exit(0)"
    path = save(small(answer("time_constant"), leaves, answer("run_rnn")), tmp_path)
    begin, clock, started = session.Session.start, time.monotonic, []

    def start(self, *words):
        started.append(self)
        if len(started) == 2:
            monkeypatch.setattr(grading.time, "monotonic", lambda: clock() + 1000)
            raise TimeoutError
        begin(self, *words)

    monkeypatch.setattr(session.Session, "start", start)
    report = grading.grade(path)
    assert report.status == "graded" and len(started) == 2
    assert marks(report)["time_constant"] == 2
    message = {verdict.item: verdict.message for verdict in report.verdicts}
    assert "its process ended" in message["echo"] and "used up" in message["run_rnn"]


# -- the size of the bank


def test_the_bank_holds_what_it_should():
    """Hostile and broken submissions: at least 60, and nothing counted twice."""
    from test_grade import ACCIDENTS
    from test_grade_inputs import BROKEN, OTHERS

    names = [*PURE, *PURE_BUT_LATE, *OUTSIDE, *BROKEN, *OTHERS]
    assert len(set(names)) == len(names) >= 60
    assert len(ACCIDENTS) >= 12


def test_a_file_named_like_a_module_beside_the_notebook_changes_nothing(tmp_path):
    for name in ("numpy", "json", "IPython", "gatedrnn", "sitecustomize", "worker"):
        (tmp_path / f"{name}.py").write_text(
            "allclose = array_equal = lambda *a, **k: True\nraise SystemExit"
        )
    path = save(small(WRONG, answer("run_rnn")), tmp_path)
    report = grading.grade(path)
    assert report.points == marks(report)["run_rnn"] == 3
