"""Run one of the book's commands: make `.venv`, install what is pinned, do the job.

This is what `make` calls, and what you call where there is no make:

    python tools/run.py book|test|lab|serve|grade|bench|experiments|exercises|format|clean

It needs nothing but Python, and is written so that an old Python can still read it far enough to say which
one is needed. What goes wrong for want of network, disk or Python is said in one sentence.
"""

import hashlib
import os
import shutil
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
VENV = os.path.join(ROOT, ".venv")
WINDOWS = os.name == "nt"
VENV_PYTHON = os.path.join(VENV, "Scripts", "python.exe") if WINDOWS else os.path.join(VENV, "bin", "python")
STAMP = os.path.join(VENV, "installed.txt")
OLDEST = (3, 11)
MOST_TESTS_AT_ONCE = 4  # each with torch, and often a browser: about 1 GB
INSTALL_GIGABYTES = 3.0  # measured: 2.0 GB with torch's CPU build; unpacking needs some more

NO_NETWORK = (
    "NewConnectionError",
    "Temporary failure in name resolution",
    "Name or service not known",
    "nodename nor servname",
    "getaddrinfo failed",
    "Network is unreachable",
    "ConnectTimeoutError",
    "ProxyError",
    "Connection refused",
    "No matching distribution found",
)


def stop(sentence, code=1):
    """End with one sentence for the person at the keyboard, without a traceback."""
    sys.stderr.write("\n%s\n" % sentence)
    sys.exit(code)


def require_python():
    """Python 3.11 or newer, with the parts that some Linux distributions package separately."""
    if sys.version_info < OLDEST:
        stop(
            "This book needs Python %d.%d or newer and was started with Python %d.%d (%s): install a newer "
            "one and name it, for example `make book PYTHON=python3.12`."
            % (OLDEST + tuple(sys.version_info[:2]) + (sys.executable,))
        )
    try:
        import ensurepip  # noqa: F401
        import venv  # noqa: F401
    except ImportError:
        stop(
            "This Python (%s) comes without its `venv` module: install it (on Debian and Ubuntu "
            "`apt-get install python3-venv`) and run the command again." % sys.executable
        )


def require_disk():
    """Say before the work starts that it cannot end well."""
    free = shutil.disk_usage(ROOT).free / 1e9
    if free < INSTALL_GIGABYTES:
        stop(
            "The disk is full: installing takes about %.0f GB below %s and %.1f GB are free; make room and "
            "run the command again." % (INSTALL_GIGABYTES, ROOT, free)
        )


def wanted_stamp():
    """What an installation depends on; the folder counts, since virtual environments hold its address."""
    digest = hashlib.sha256()
    for name in ("requirements.txt", "constraints.txt", os.path.join("code", "pyproject.toml")):
        with open(os.path.join(ROOT, name), "rb") as file:
            digest.update(file.read())
    digest.update(("%s %s" % (sys.version, ROOT)).encode())
    return digest.hexdigest()


def is_installed():
    """Whether the last installation ended well and is still the one asked for."""
    try:
        with open(STAMP) as file:
            return file.read() == wanted_stamp()
    except (IOError, OSError):
        return False


def explain_failure(lines):
    """One sentence for what pip's last words mean, or those words themselves."""
    text = "\n".join(lines)
    if "No space left on device" in text or "Errno 28" in text:
        return "The disk is full: make room (about %.0f GB below %s) and run the command again." % (
            INSTALL_GIGABYTES,
            ROOT,
        )
    if any(sign in text for sign in NO_NETWORK):
        return (
            "The packages in requirements.txt could not be downloaded: this needs a network once; check the "
            "connection or the proxy (pip reads PIP_INDEX_URL and HTTPS_PROXY) and run the command again."
        )
    return "Installing the packages in requirements.txt failed; pip's last words were:\n%s" % "\n".join(
        lines[-15:]
    )


def pip_install():
    """Install everything pinned, one line of progress per package; raise the alarm in words."""
    command = [
        VENV_PYTHON,
        "-m",
        "pip",
        "install",
        "--disable-pip-version-check",
        "--no-input",
        "--retries",
        "2",
    ]
    command += ["--timeout", "30", "--progress-bar", "off", "-r", "requirements.txt"]
    pip = subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, universal_newlines=True
    )
    lines, found, said = [], 0, 0
    for line in pip.stdout:
        lines.append(line.rstrip())
        if line.startswith(("Collecting ", "Obtaining ")):
            found += 1
            if found >= said + 20:
                said = found
                print("  %3d packages found ..." % found)
        elif line.startswith("Installing collected packages"):
            print("  unpacking %d packages ..." % len(line.split(",")))
    if pip.wait() != 0:
        stop(explain_failure(lines))


def install():
    """Bring `.venv` to what requirements.txt says; nothing to do if it is there already."""
    require_python()
    if is_installed():
        return
    require_disk()
    print("Setting up .venv (once; about a minute or two, more on a slow line)")
    if os.path.exists(STAMP):
        os.remove(STAMP)  # from here on the environment counts as unfinished until the very end
    usable = os.path.exists(VENV_PYTHON) and _succeeds(VENV_PYTHON, "-m", "pip", "--version")
    made = subprocess.run(
        [sys.executable, "-m", "venv"] + ([] if usable else ["--clear"]) + [VENV],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        universal_newlines=True,
    )
    if made.returncode != 0:
        stop(explain_failure(made.stdout.splitlines()))
    pip_install()
    with open(STAMP, "w") as file:
        file.write(wanted_stamp())


def _succeeds(*command):
    return subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0


def environment():
    """The environment of every job: `.venv` first on the path, one absolute address for local recordings."""
    env = dict(os.environ)
    env["PATH"] = os.path.dirname(VENV_PYTHON) + os.pathsep + env.get("PATH", "")
    env["VIRTUAL_ENV"] = VENV
    env.pop("PYTHONHOME", None)
    env["PYTHONUTF8"] = "1"
    if env.get("GATEDRNN_DATA"):
        env["GATEDRNN_DATA"] = os.path.abspath(os.path.expanduser(env["GATEDRNN_DATA"]))
    return env


def python(*words):
    """Run the environment's Python in the repository's root; a failure ends this command likewise.

    Ctrl-C reaches the job, too; it is waited for, whether it tidies up or asks back.
    """
    job = subprocess.Popen([VENV_PYTHON] + list(words), cwd=ROOT, env=environment())
    stopped, code = False, None
    while code is None:
        try:
            code = job.wait()
        except KeyboardInterrupt:
            stopped = True
    if stopped and code != 0:
        raise KeyboardInterrupt
    if code != 0:
        sys.exit(code)


def ensure_browser():
    """Chromium, from Debian's packages where they can be had without asking anybody."""
    if any(map(shutil.which, ("chromium", "chromium-browser", "google-chrome", "chrome"))):
        return
    if os.environ.get("CHROMIUM") or not shutil.which("apt-get"):
        return  # the tests themselves say what to install
    is_root = hasattr(os, "geteuid") and os.geteuid() == 0
    apt_get = ["apt-get", "-y", "-qq"] if is_root else ["sudo", "-n", "apt-get", "-y", "-qq"]
    print("Installing Chromium, to open the pages in")
    update, chromium = apt_get + ["update"], apt_get + ["install", "--no-install-recommends", "chromium"]
    if not (shutil.which(apt_get[0]) and _succeeds(*update) and _succeeds(*chromium)):
        print("  not possible here: the browser tests will say what to install")


def book(words):
    """Execute and render the book into _build/html."""
    python(os.path.join("tools", "book.py"), *words)


def test(words):
    """Style, the built book, then all tests; `WORDS` go to pytest."""
    python("-m", "ruff", "check", ".")
    python("-m", "ruff", "format", "--check", ".")
    book([])
    ensure_browser()
    # Files of tests side by side, on a thread each: more would only get in each other's way. `-n0` among the
    # words runs them one after another.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    at_once = min(os.cpu_count() or 1, MOST_TESTS_AT_ONCE)
    python("-m", "pytest", "-n", str(at_once), "--dist", "loadfile", *words)


def lab(words):
    """JupyterLab on your own copies of the chapters and exercises, in my-work/."""
    book([])
    python(os.path.join("tools", "lab.py"), *words)


def serve(words):
    """Show the built site at a local address, as readers will see it."""
    book([])
    port = words[0] if words else "8000"
    print("The book is at http://localhost:%s (Ctrl-C ends it)" % port)
    try:
        python(
            "-m", "http.server", port, "--bind", "127.0.0.1", "--directory", os.path.join("_build", "html")
        )
    except KeyboardInterrupt:
        print("")


def grade(words):
    """Mark exercise notebooks."""
    python("-m", "gatedrnn", "grade", *words)


def bench(words):
    """Measure the layers side by side, then the site, and write bench.json; `bench site` only the site."""
    if words[:1] != ["site"]:
        python("-m", "gatedrnn.bench", *words)
        words = ["site"]
    book([])
    ensure_browser()
    python(os.path.join("tools", "bench_site.py"), *words[1:])


def experiments(words):
    """Run the long experiments whose tables the chapters show; stopped runs resume."""
    python("-m", "gatedrnn.experiments", *words)


def exercises(words):
    """Make the students' notebooks and the solution pages from exercises/source."""
    python("-m", "gatedrnn.practice.products", *words)


def style(words):
    """Bring the code into the house style."""
    python("-m", "ruff", "check", "--fix", ".")
    python("-m", "ruff", "format", ".")


def clean(words):
    """Remove what was built, never what a learner wrote; `clean all` removes .venv too."""
    for name in ["_build", ".pytest_cache", ".ruff_cache"] + ([".venv"] if "all" in words else []):
        shutil.rmtree(os.path.join(ROOT, name), ignore_errors=True)


COMMANDS = {
    "book": book,
    "test": test,
    "lab": lab,
    "serve": serve,
    "grade": grade,
    "bench": bench,
    "experiments": experiments,
    "exercises": exercises,
    "format": style,
    "clean": clean,
}


def main(words):
    """Pick the command, install first where it needs it."""
    if not words or words[0] not in COMMANDS:
        print("usage: python tools/run.py COMMAND [WORDS]\n")
        for name in COMMANDS:
            print("  %-12s %s" % (name, COMMANDS[name].__doc__.split("\n")[0]))
        sys.exit(0 if not words or words[0] in ("help", "-h", "--help") else 2)
    if words[0] != "clean":
        install()
    try:
        COMMANDS[words[0]](words[1:])
    except KeyboardInterrupt:
        stop("Stopped. Nothing half-done is left behind: the same command goes on from here.", 130)


if __name__ == "__main__":
    main(sys.argv[1:])
