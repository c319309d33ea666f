"""A browser for the tests, on the built site, with every other host out of reach.

`BOOK_SITE` names another folder with a built site, `CHROMIUM` another browser. Without Chromium the tests
that need one are skipped, saying what to install; where `CI=true` they fail.
"""

import functools
import gzip
import http.server
import os
import shutil
import threading
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote, urlparse

import pytest
from bs4 import BeautifulSoup

ROOT = Path(__file__).parent.parent
SITE = Path(os.environ.get("BOOK_SITE", ROOT / "_build" / "html"))
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
PACKED = {".html", ".css", ".js", ".svg", ".json", ""}


def page_names() -> list[str]:
    """The pages of the site; none where nothing is built."""
    paths = [path for path in sorted(SITE.rglob("*.html")) if "_static" not in path.parts]
    return [path.relative_to(SITE).as_posix() for path in paths]


def live_pages() -> list[str]:
    """The pages with live figures; none where nothing is built."""
    return [name for name in page_names() if 'class="live-figure"' in (SITE / name).read_text("utf-8")]


@pytest.fixture(scope="session")
def built() -> None:
    """The site is there."""
    if not (SITE / "index.html").exists():
        pytest.fail(f"There is no site at {SITE}: say `make book` first.")


@pytest.fixture(scope="session")
def pages(built) -> dict[str, BeautifulSoup]:
    """Every page of the site, parsed."""
    return {name: soup(SITE / name) for name in page_names()}


def soup(path: Path) -> BeautifulSoup:
    return BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")


@pytest.fixture(scope="session")
def browser(built):
    """Chromium, or a word about how to get it."""
    from playwright.sync_api import sync_playwright

    found = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        words = "Chromium is missing: install your system's package `chromium`, or name one in CHROMIUM."
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(words)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def address(built):
    """The site on a port of this machine."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=SITE))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    server.server_close()


@dataclass
class Visit:
    """What happened while one page was open."""

    foreign: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    weights: dict[str, int] = field(default_factory=dict)
    overflow: int = 0
    shift: float = 0.0

    def take(self) -> "Visit":
        """Hand over what has happened so far and begin anew: for a tab that goes from page to page."""
        happened = Visit(**vars(self))
        vars(self).update(vars(Visit()))
        return happened


def listen(page, home: str) -> Visit:
    """Block every other host, and keep what goes wrong."""
    visit = Visit()

    def sort(route):
        url = route.request.url
        if url.startswith((home, "data:", "blob:")):
            route.continue_()
        else:
            visit.foreign.append(url)
            route.abort()

    page.route("**/*", sort)
    page.on("console", lambda said: visit.errors.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: visit.errors.append(str(error)))
    page.on("response", lambda answer: visit.missing.append(answer.url) if answer.status >= 400 else None)
    page.on("requestfinished", lambda request: visit.weights.update(weigh(request.url)))
    return visit


@functools.cache
def weigh(url: str) -> dict[str, int]:
    """Bytes of a file of the site over the wire: packed, as servers send text."""
    path = SITE / unquote(urlparse(url).path).lstrip("/")
    if not url.startswith("http") or not path.is_file():
        return {}
    data = path.read_bytes()
    return {url: len(gzip.compress(data, 6)) if path.suffix in PACKED else len(data)}


WATCH_SHIFTS = """
window.shift = 0;
new PerformanceObserver((list) => list.getEntries().forEach((entry) => {
  if (!entry.hadRecentInput) window.shift += entry.value;
})).observe({ type: "layout-shift", buffered: true });
"""


def settle(page) -> None:
    """Wait until fonts are there and live figures have started."""
    page.wait_for_load_state("load")
    page.evaluate("document.fonts.ready.then(() => null)")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")  # starts those far down, too
    waiting = "document.querySelectorAll('.live-figure:not([data-started])').length === 0"
    page.wait_for_function(waiting, timeout=10_000)


def lay_out(page) -> None:
    """Lay out what is far from the screen, too, which the browser leaves for later."""
    page.add_style_tag(content=".long-part { content-visibility: visible !important; }")


def scroll_through(page) -> None:
    """Go down the page, so that pictures which come late come."""
    page.evaluate(
        """async () => {
          for (let y = 0; y < document.documentElement.scrollHeight; y += innerHeight) {
            scrollTo({ top: y, behavior: "instant" });
            await new Promise((done) => setTimeout(done, 30));
          }
        }"""
    )
    page.wait_for_load_state("networkidle")


@pytest.fixture
def open_page(browser, address):
    """Open a page in a tab of its own, where nobody has been; nothing may go wrong until the test is over."""
    opened = []

    def run(name: str, home: str = address, **options):
        context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **options})
        page = context.new_page()
        opened.append((context, listen(page, home)))
        page.goto(home + name)
        if options.get("java_script_enabled", True):
            settle(page)
        return page

    yield run
    for context, visit in opened:
        context.close()
        faults = visit.foreign + visit.errors + visit.missing
        assert not faults, faults


@pytest.fixture(scope="session")
def tabs(browser, address):
    """Tabs that go from page to page, for a new one takes longer than most pages: by how they are opened."""
    found = {}

    def tab(**options):
        key = repr(sorted(options.items()))
        if key not in found:
            context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **options})
            page = context.new_page()
            found[key] = page, listen(page, address)
        return found[key]

    yield tab
    for page, _ in found.values():
        page.context.close()


@pytest.fixture
def visit_page(tabs, address):
    """Open a page in a tab where others have been; nothing may go wrong until the test is over."""
    used = []

    def run(name: str, **options):
        page, seen = tabs(**options)
        seen.take()
        used.append(seen)
        page.goto(address + name)
        settle(page)
        return page

    yield run
    for seen in used:
        visit = seen.take()
        faults = visit.foreign + visit.errors + visit.missing
        assert not faults, faults
