"""Starting a confined worker: which confinement this machine has, and the command that uses it.

What each promises is written for readers in the book's page on grading; keep that page and this module
together.
"""

import contextlib
import functools
import os
import shutil
import site
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

import gatedrnn
from gatedrnn.practice import confine, warden
from gatedrnn.practice.items import ExerciseSet

KINDS = ("bubblewrap", "landlock", "guard")
PROCESSES = 64  # at one time, of one submission
FILE = 64 * 2**20  # bytes of one file
DISK = 256 * 2**20  # bytes of all files
HERE = Path(__file__).parent
PACKAGE = Path(gatedrnn.__file__).parent
WORKER_FILES = ("worker.py", "wire.py", "confine.py")
SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/nix/store", "/opt")  # Linux …
SYSTEM += ("/System", "/Library", "C:\\Windows")  # … macOS, Windows
SETTINGS = ("ld.so.cache", "ld.so.conf", "ld.so.conf.d", "alternatives", "localtime", "fonts", "mime.types")
STUB = '''"""Stands in for the real module while a notebook is marked: the grader asks, not the notebook."""


class CheckError(AssertionError):
    """Never raised here."""


def check(item, answer=None, hint=0):
    """Say that nothing is checked now."""
    print(f"{item}: the grader asks for itself")
'''
WITHHELD = '''"""Withheld while a notebook is marked."""

raise ImportError(
    "gatedrnn.{name} is withheld while {set} is marked, because it holds answers: "
    "the function has to work without it"
)
'''


@functools.cache
def best() -> str:
    """Return the strongest confinement that works on this machine."""
    if _bubblewrap_works():
        return "bubblewrap"
    return "landlock" if confine.landlock_version() else "guard"


def _bubblewrap_works() -> bool:
    program = shutil.which("bwrap")
    if program is None or sys.platform != "linux":
        return False
    words = [program, "--unshare-all", "--ro-bind", "/", "/", "--proc", "/proc", "--dev", "/dev", "true"]
    try:
        return subprocess.run(words, capture_output=True, timeout=20).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def make_package(folder: Path, exercise_set: ExerciseSet) -> Path:
    """Write the copy of gatedrnn that a notebook of this set may import.

    The worker's own files and the modules in ``exercise_set.packages`` are copied; each other module becomes
    one that raises ImportError in a sentence, for they hold answers.

    Returns
    -------
    Path
        The folder to put on ``sys.path``.
    """
    copy = folder / "gatedrnn"
    practice = copy / "practice"
    practice.mkdir(parents=True)
    shutil.copy(PACKAGE / "__init__.py", copy)
    (practice / "__init__.py").write_text(STUB, encoding="utf-8")
    for name in WORKER_FILES:
        shutil.copy(HERE / name, practice)
    for entry in PACKAGE.iterdir():
        if entry.stem in exercise_set.packages and entry.suffix in ("", ".py"):
            _copy_module(entry, copy)
        elif (entry.suffix == ".py" or (entry / "__init__.py").exists()) and not (copy / entry.name).exists():
            text = WITHHELD.format(name=entry.stem, set=exercise_set.name)
            (copy / f"{entry.stem}.py").write_text(text, encoding="utf-8")
    if "figures" in exercise_set.packages and (PACKAGE / "fonts").exists():
        shutil.copytree(PACKAGE / "fonts", copy / "fonts")
    return folder


def _copy_module(entry: Path, folder: Path) -> None:
    if entry.is_dir():
        shutil.copytree(entry, folder / entry.name, ignore=shutil.ignore_patterns("__pycache__"))
    else:
        shutil.copy(entry, folder)


@functools.cache
def _located(name: str) -> Path | None:
    from gatedrnn import datasets  # only for the few sets that use one

    path = datasets.locate(name)
    return path and path.resolve()


def recordings(exercise_set: ExerciseSet) -> dict[str, Path]:
    """The recordings of a set that are on this machine, by name; nothing is downloaded."""
    found = {name: _located(name) for name in exercise_set.recordings}
    return {name: path for name, path in found.items() if path is not None}


def show_recordings(folder: Path, exercise_set: ExerciseSet) -> None:
    """Make the folder that a worker knows as ``GATEDRNN_DATA``; it has links to what may be read."""
    folder.mkdir()
    for name, path in recordings(exercise_set).items():
        with contextlib.suppress(OSError):  # Windows lets only some users make links
            (folder / name).symlink_to(path, target_is_directory=True)


def environment(home: Path, recordings: Path) -> dict[str, str]:
    """The few environment variables that a worker gets; nothing of the grader's own leaks in."""
    return {
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "LANG": "C.UTF-8",
        "USER": "learner",
        "HOME": str(home),
        "TMPDIR": str(home / "tmp"),
        "GATEDRNN_DATA": str(recordings),
        "MPLBACKEND": "Agg",
        "MPLCONFIGDIR": str(home / "matplotlib"),
        "IPYTHONDIR": str(home / "ipython"),
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONIOENCODING": "utf-8",
        "PIP_NO_INDEX": "1",  # there is no network: pip says so at once instead of trying again
        "PIP_RETRIES": "0",
        **({"SYSTEMROOT": os.environ["SYSTEMROOT"]} if "SYSTEMROOT" in os.environ else {}),
    }


def make_home(home: Path) -> None:
    """Make the learner's folder, with matplotlib's list of fonts, which takes seconds to build anew."""
    for name in ("tmp", "matplotlib", "ipython"):
        (home / name).mkdir(parents=True)
    configured = os.environ.get("MPLCONFIGDIR")
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "matplotlib"
    for place in (Path(configured) if configured else cache, cache):
        for font_list in place.glob("fontlist-*.json"):
            shutil.copy(font_list, home / "matplotlib")


def python_folders() -> list[Path]:
    """Folders that this Python and its packages live in."""
    places = [
        sys.prefix,
        sys.base_prefix,
        sys.exec_prefix,
        *sysconfig.get_paths().values(),
        *site.getsitepackages(),
    ]
    places += [site.getusersitepackages(), Path(sys.executable).parent, Path(sys.executable).resolve().parent]
    found = []
    for place in sorted({Path(place) for place in places}, key=lambda place: len(place.parts)):
        wanted = place.is_dir() and place not in (Path.home(), Path("/"))
        if wanted and not any(place.is_relative_to(known) for known in found):
            found.append(place)
    return found


def readable(hidden: Path) -> tuple[list[str], list[str]]:
    """What a worker may read, for confinement without bubblewrap.

    Returns
    -------
    readable, listable : list of str
        Folders and files to read; folders whose names may be listed because ``hidden`` lies below them.
    """
    roots = [*map(Path, SYSTEM), *(Path("/etc", name) for name in SETTINGS), Path("/proc")]
    roots += [Path("/sys/devices/system/cpu"), *python_folders()]
    hidden, whole, listed = hidden.resolve(), set(), set()
    while roots:
        root = roots.pop().resolve()  # a link to a folder above what is hidden must not uncover it
        if hidden == root or root in listed or not root.exists():
            continue
        if hidden.is_relative_to(root):
            listed.add(root)
            roots += root.iterdir()
        else:
            whole.add(root)
    return sorted(map(str, whole)), sorted(map(str, listed))


def command(kind: str, scratch: Path, exercise_set: ExerciseSet) -> list[str]:
    """Return the command that starts a worker in ``scratch``, watched by the warden where there is one."""
    worker = scratch / "package/gatedrnn/practice/worker.py"
    words = [sys.executable, "-I", str(worker)]
    if kind == "bubblewrap":
        words = _bubblewrap(scratch, exercise_set) + words
    if os.name != "posix":
        return words
    limits = [str(PROCESSES), str(exercise_set.memory), str(scratch / "home"), str(DISK)]
    return [sys.executable, "-I", "-S", warden.__file__, *limits, *words]


def _bubblewrap(scratch: Path, exercise_set: ExerciseSet) -> list[str]:
    """Everything is read-only but the learner's folder and /tmp, which are memory of limited size."""
    home = scratch / "home"
    words = [
        shutil.which("bwrap"),
        "--unshare-all",
        "--die-with-parent",
        "--new-session",
        "--cap-drop",
        "ALL",
    ]
    # /tmp comes before what is bound into it: Python itself may live there.
    words += [
        "--proc",
        "/proc",
        "--dev",
        "/dev",
        "--size",
        str(FILE),
        "--tmpfs",
        "/dev/shm",
        "--remount-ro",
        "/dev",
    ]
    words += ["--size", str(FILE), "--tmpfs", "/tmp"]
    for place in [*map(Path, SYSTEM), *(Path("/etc", name) for name in SETTINGS), *python_folders()]:
        words += _shown(place, PACKAGE) if place.exists() else []
    ours = [scratch / name for name in ("package", "arguments", "recordings")]
    for place in [*ours, *recordings(exercise_set).values()]:
        words += ["--ro-bind", str(place), str(place)]
    words += ["--size", str(DISK), "--tmpfs", str(home)]
    for name in ("tmp", "ipython", "matplotlib"):
        words += ["--dir", str(home / name)]
    for font_list in (home / "matplotlib").glob("*.json"):
        words += ["--ro-bind", str(font_list), str(font_list)]
    return [*words, "--chdir", str(home), "--"]


def _shown(place: Path, hidden: Path) -> list[str]:
    """Show one folder or file in the sandbox; where ``hidden`` lies below it, an empty folder covers that."""
    if (
        place.is_symlink() and str(place) in SYSTEM
    ):  # /lib is usr/lib: a second way in would go round the cover
        return ["--symlink", os.readlink(place), str(place)]
    words = ["--ro-bind", str(place), str(place)]
    if hidden.resolve().is_relative_to(place.resolve()):
        cover = str(place / hidden.resolve().relative_to(place.resolve()))
        words += ["--tmpfs", cover, "--remount-ro", cover]
    return words


def limits(kind: str, exercise_set: ExerciseSet, seconds: float) -> dict[str, int]:
    """Hard limits for the worker, by their names in ``resource``."""
    chosen = {"CPU": int(seconds) + 10, "DATA": exercise_set.memory, "FSIZE": FILE, "CORE": 0, "NOFILE": 256}
    if sys.platform == "linux":
        chosen["NPROC"] = PROCESSES + (0 if kind == "bubblewrap" else _own_tasks())
    return chosen


def _own_tasks() -> int:
    """Processes and threads that this user runs already: Linux counts them all against the limit."""
    user, count = os.getuid(), 0
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and entry.stat().st_uid == user:
                count += len(os.listdir(entry / "task"))
        except OSError:
            continue
    return count


def scratch_folder() -> tempfile.TemporaryDirectory:
    """A private folder that vanishes; resolved, because a confined process knows no other name for it."""
    return tempfile.TemporaryDirectory(prefix="gatedrnn-grade-", ignore_cleanup_errors=True)
