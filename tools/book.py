"""Build the book: execute what changed, two chapters at once, then render the site.

    python tools/book.py            build _build/html, warnings and cell errors fatal
    python tools/book.py --execute  only bring the executed chapters up to date

Executed notebooks are kept in a jupyter-cache, which knows a notebook by its code cells: a change of prose
re-executes nothing. Their captions and alt texts are part of what it knows them by; where only those changed,
the outputs are taken over. It does not know what the cells import, so the cache belongs to one state of the
package, the pinned requirements and the recordings at hand, and starts afresh with the next.

Sphinx knows which pages changed, but not that it was killed or that it warned last time. A marker says so:
while it is there, the next build renders every page anew. One build at a time may work in a checkout.
"""

import argparse
import asyncio
import hashlib
import os
import re
import shutil
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import filelock
import nbformat
import yaml
from jupyter_cache import get_cache
from jupyter_cache.base import CacheBundleIn
from myst_nb.core.read import is_myst_markdown_notebook, myst_nb_reader_plugin
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from traitlets.config import Config

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "_build"
HTML = BUILD / "html"
CACHE = BUILD / ".jupyter_cache"
UNFINISHED = BUILD / "unfinished"
AT_ONCE = 2
SECONDS_PER_CELL = 120
SMALLEST_FREE_MEGABYTES = 300
LOCK = ROOT / "_build.lock"  # beside _build, which `make clean` removes
ACTING_TAGS = {"raises-exception", "skip-execution"}  # the only tags of a cell that its execution heeds
ENCRYPTED = Config({"KernelManager": {"transport_encryption": "auto"}})  # else each kernel prints a warning


class BuildError(Exception):
    """Its message is what the person at the keyboard needs to read."""


def digest(paths, *words) -> str:
    """One hash of some files' names and contents, and of some words."""
    total = hashlib.sha256("\0".join(map(str, words)).encode())
    for path in sorted(paths):
        total.update(str(path.relative_to(ROOT)).encode() + b"\0" + path.read_bytes())
    return total.hexdigest()


def files_below(*folders: str) -> list[Path]:
    """Every source file below some folders, without what Python leaves there."""
    found = (path for folder in folders for path in (ROOT / folder).rglob("*") if path.is_file())
    return [path for path in found if "__pycache__" not in path.parts and ".egg-info" not in str(path)]


def recordings_at_hand() -> list[str]:
    """Name, size and change time of each recording that the chapters would find."""
    import pooch

    places = [os.environ.get("GATEDRNN_DATA"), str(pooch.os_cache("gatedrnn"))]
    found = []
    for place in filter(None, places):
        for path in sorted(Path(place).rglob("*")):
            if path.is_file():
                facts = path.stat()
                found.append(f"{path} {facts.st_size} {facts.st_mtime_ns}")
    return found


def package_state() -> str:
    """What an executed chapter depends on besides its own cells."""
    sources = [*files_below("code/gatedrnn"), ROOT / "requirements.txt", ROOT / "constraints.txt"]
    return digest(sources, sys.version, *recordings_at_hand())


def site_state(package: str) -> str:
    """What every rendered page depends on besides its own source."""
    layout = [ROOT / "_config.yml", ROOT / "_toc.yml", ROOT / "references.bib", ROOT / "tools" / "book.py"]
    return digest([*layout, *files_below("tools/ext", "assets")], package)


def state_note(folder: Path) -> Path:
    """Where it is written down in which state a folder was made."""
    return BUILD / f"{folder.name.strip('.')}.state"


def keep_state(folder: Path, state: str, *also: Path) -> None:
    """Empty a folder (and what hangs on it) unless it was made in this very state."""
    note = state_note(folder)
    if not (note.exists() and note.read_text() == state):
        for old in (folder, *also):
            shutil.rmtree(old, ignore_errors=True)
        note.parent.mkdir(parents=True, exist_ok=True)
        note.write_text(state)


def pages() -> list[Path]:
    """The pages that _toc.yml names, in its order."""

    def names(node):
        if isinstance(node, dict):
            for key, value in node.items():
                if key in ("file", "root"):
                    yield value
                else:
                    yield from names(value)
        elif isinstance(node, list):
            for item in node:
                yield from names(item)

    found = []
    for name in names(yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))):
        candidates = [ROOT / f"{name}{ending}" for ending in ("", ".md", ".ipynb")]
        page = next((path for path in candidates if path.is_file()), None)
        if page is None:
            raise BuildError(f"_toc.yml names {name!r}, but there is no {name}.md or {name}.ipynb.")
        found.append(page)
    return found


def read_notebook(page: Path):
    """The page as a notebook, or None where it has no code to run."""
    text = page.read_text(encoding="utf-8")
    if page.suffix == ".ipynb":
        return nbformat.reads(text, as_version=4)
    return myst_nb_reader_plugin(str(page)) if is_myst_markdown_notebook(text) else None


def is_cached(cache, notebook) -> bool:
    """Whether the cache holds this notebook's outputs."""
    try:
        cache.match_cache_notebook(notebook)
    except KeyError:
        return False
    return True


def what_runs(notebook) -> list[tuple]:
    """What of a notebook's code cells bears on their outputs: not their captions, alt texts or looks."""
    code = (cell for cell in notebook.cells if cell.cell_type == "code")
    return [(cell.source, sorted(ACTING_TAGS.intersection(cell.metadata.get("tags", [])))) for cell in code]


def take_over(cache, page: Path, notebook) -> bool:
    """Cache the outputs of the same cells under other captions, where there are some, for this notebook."""
    for record in reversed(cache.list_cache_records()):
        if record.uri != str(page):
            continue
        known = cache.get_cache_bundle(record.pk).nb
        if what_runs(known) == what_runs(notebook):
            code = (cell for cell in notebook.cells if cell.cell_type == "code")
            for cell, before in zip(code, known.cells, strict=True):
                cell.update(outputs=before.outputs, execution_count=before.execution_count)
            notebook.metadata.update(known.metadata)
            bundle = CacheBundleIn(notebook, str(page), data=record.data)
            cache.cache_notebook_bundle(bundle, check_validity=False, overwrite=True)
            return True
    return False


def executed(page: Path):
    """Return the page as the last build executed it, or None if that is not what it would be now."""
    note = state_note(CACHE)
    notebook = read_notebook(page)
    if not (note.exists() and note.read_text() == package_state()):
        return None
    cache = get_cache(str(CACHE))
    return cache.merge_match_into_notebook(notebook)[1] if is_cached(cache, notebook) else None


def glued(notebook) -> dict[str, tuple[str, int]]:
    """Return what an executed notebook glues: by name, the value's text and its code cell, counted from 1."""
    found = {}
    code = (cell for cell in notebook.cells if cell.cell_type == "code")
    for number, cell in enumerate(code, start=1):
        for output in cell.get("outputs", []):
            name = output.get("metadata", {}).get("scrapbook", {}).get("name")
            if name:
                found[name] = output["data"]["application/papermill.record/text/plain"], number
    return found


class Progress:
    """What runs now, on one line that is rewritten on a terminal, and one lasting line per finished page."""

    def __init__(self, total: int):
        self.total, self.done, self.running = total, 0, {}
        self.live = sys.stdout.isatty()

    def step(self, name: str, cell: int, cells: int) -> None:
        """A page has come to its next cell."""
        self.running[name] = f"{name} {cell}/{cells}"
        if self.live:
            line = "  " + " · ".join(self.running.values())
            print(f"\r\033[K{line[: shutil.get_terminal_size().columns - 1]}", end="", flush=True)

    def finish(self, name: str, words: str) -> None:
        """A page is done, well or badly."""
        self.running.pop(name, None)
        self.done += 1
        start = "\r\033[K" if self.live else ""
        print(f"{start}  [{self.done}/{self.total}] {name}  {words}", flush=True)


async def execute(page: Path, notebook, cache, slots, progress: Progress) -> str | None:
    """Run one page in a kernel of its own and cache it; return what went wrong, if something did."""
    name = page.relative_to(ROOT).with_suffix("").as_posix()
    cells = sum(cell.cell_type == "code" for cell in notebook.cells)
    begun = [0]

    def on_cell_start(cell, cell_index):
        if cell.cell_type == "code":
            begun[0] += 1
            progress.step(name, begun[0], cells)

    async with slots:
        client = NotebookClient(
            notebook,
            timeout=SECONDS_PER_CELL,
            kernel_name="python3",
            resources={"metadata": {"path": str(page.parent)}},
            on_cell_start=on_cell_start,
            record_timing=False,  # times in the cells' metadata would be part of the cache's key
            config=ENCRYPTED,
        )
        start = time.perf_counter()
        try:
            await client.async_execute()
        except CellTimeoutError:
            progress.finish(name, "timed out")
            return f"{name}: cell {begun[0]} ran longer than {SECONDS_PER_CELL} s."
        except (CellExecutionError, DeadKernelError) as error:
            progress.finish(name, "failed")
            return f"{name}: code cell {begun[0]} of {cells} failed.\n{error}"
        except Exception as error:  # whatever a kernel that does not start raises; other pages go on
            progress.finish(name, "did not run")
            return f"{name}: no Python kernel could be started for it ({type(error).__name__}: {error})."
        seconds = time.perf_counter() - start
    bundle = CacheBundleIn(notebook, str(page), data={"execution_seconds": seconds})
    cache.cache_notebook_bundle(bundle, check_validity=False, overwrite=True)
    progress.finish(name, f"{seconds:.1f} s")
    return None


async def execute_pages() -> None:
    """Execute every page whose cells the cache does not know, the longest source first."""
    cache = get_cache(str(CACHE))
    cache.change_cache_limit(1000)
    notebooks = [(page, read_notebook(page)) for page in pages()]
    stale = [(page, notebook) for page, notebook in notebooks if notebook and not is_cached(cache, notebook)]
    stale = [(page, notebook) for page, notebook in stale if not take_over(cache, page, notebook)]
    if not stale:
        return
    stale.sort(key=lambda item: -sum(len(cell.source) for cell in item[1].cells if cell.cell_type == "code"))
    count = "1 chapter or page" if len(stale) == 1 else f"{len(stale)} chapters and pages, {AT_ONCE} at once"
    print(f"Executing {count}", flush=True)
    # One thread per kernel: with two kernels on two cores more only get in each other's way, and sums
    # over threads would make the numbers depend on the machine.
    os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", MKL_NUM_THREADS="1", PYTHONHASHSEED="0")
    slots, progress = asyncio.Semaphore(AT_ONCE), Progress(len(stale))
    runs = [execute(page, notebook, cache, slots, progress) for page, notebook in stale]
    failures = [failure for failure in await asyncio.gather(*runs) if failure]
    if failures:
        raise BuildError("\n\n".join(failures))


def render() -> None:
    """Render the site with Jupyter Book; its warnings are errors."""
    jupyter_book = "from jupyter_book.cli.main import main; main()"  # the package has no __main__
    command = [sys.executable, "-c", jupyter_book, "build", ".", "-W", "-n", "--keep-going"]
    log = BUILD / "render.log"
    print("Rendering the pages", flush=True)
    with log.open("w", encoding="utf-8") as file:
        process = subprocess.Popen(
            command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, encoding="utf-8"
        )
        for line in process.stdout:
            file.write(line)
            if "%]" in line and sys.stdout.isatty():
                print(
                    f"\r\033[K  {line.strip()[: shutil.get_terminal_size().columns - 4]}", end="", flush=True
                )
        code = process.wait()
    if sys.stdout.isatty():
        print("\r\033[K", end="")
    if code != 0:
        raise BuildError(explain(log.read_text(encoding="utf-8"), log))


def pack_site() -> None:
    """Put the whole site into one archive, to be read from a folder; the link to the archive stays out."""
    archive = HTML / "downloads" / "machines-with-memory-site.zip"
    archive.parent.mkdir(exist_ok=True)
    unfinished = archive.with_suffix(".part")
    with zipfile.ZipFile(unfinished, "w", zipfile.ZIP_DEFLATED) as packed:
        for path in sorted(HTML.rglob("*")):
            if not path.is_file() or path in (archive, unfinished):
                continue
            content = path.read_bytes()
            if path.suffix == ".html":
                content = re.sub(rb'<div class="not-in-archive.*?</div>', b"", content, flags=re.DOTALL)
            name = Path("machines-with-memory", path.relative_to(HTML)).as_posix()
            packed.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), content, zipfile.ZIP_DEFLATED)
    unfinished.replace(archive)


def explain(text: str, log: Path) -> str:
    """The lines of a failed rendering that say what is wrong."""
    signs = ("WARNING", "ERROR", "CRITICAL", "Error:", "error:")
    text = re.sub(r"\x1b\[[0-9;]*m", "", text)  # colours
    telling = [line for line in text.splitlines() if any(sign in line for sign in signs)]
    telling = [
        line for line in telling if line.strip() != "RuntimeError:"
    ]  # Jupyter Book's own, without words
    if "No space left on device" in text:
        return "The disk is full: make room and run `make book` again."
    shown = "\n".join(dict.fromkeys(telling[:40])) or "\n".join(text.splitlines()[-30:])
    place = log.relative_to(ROOT)
    return f"{shown}\n\nThe pages could not be rendered without warnings; the whole log is {place}."


def require_disk() -> None:
    """Fail before the work, not in its middle."""
    free = shutil.disk_usage(ROOT).free / 1e6
    if free < SMALLEST_FREE_MEGABYTES:
        raise BuildError(
            f"The disk is full: building needs about {SMALLEST_FREE_MEGABYTES} MB and {free:.0f} MB are "
            "free; make room and run `make book` again."
        )


def build(only_execute: bool = False) -> None:
    """The whole road from sources to _build/html."""
    start = time.perf_counter()
    BUILD.mkdir(exist_ok=True)
    require_disk()
    package = package_state()
    keep_state(CACHE, package)
    asyncio.run(execute_pages())
    if only_execute:
        return
    keep_state(HTML, site_state(package), BUILD / ".doctrees", BUILD / "jupyter_execute")
    if UNFINISHED.exists():
        for folder in (HTML, BUILD / ".doctrees"):
            shutil.rmtree(folder, ignore_errors=True)
    UNFINISHED.write_text("A build began and has not ended well; the next one renders every page anew.\n")
    render()
    pack_site()
    UNFINISHED.unlink()
    print(f"Built in {time.perf_counter() - start:.0f} s. Open {HTML / 'index.html'}")


def main() -> int:
    """Parse the words and turn failures into words."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--execute", action="store_true", help="only execute, do not render")
    arguments = parser.parse_args()
    try:
        with filelock.FileLock(LOCK, timeout=0):  # the system lets go of it when its holder ends, however
            build(only_execute=arguments.execute)
    except filelock.Timeout:
        print(
            "\nAnother `make book` is at work in this checkout: wait until it has ended and say it again.",
            file=sys.stderr,
        )
        return 1
    except BuildError as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    except OSError as error:
        if error.errno != 28:
            raise
        print("\nThe disk is full: make room and run `make book` again.", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
