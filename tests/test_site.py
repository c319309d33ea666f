"""The built site as a reader meets it: `_build/html` in Chromium, with every other host out of reach.

`BOOK_SITE` names another folder with a built site, `CHROMIUM` another browser. Without Chromium the tests
that need one are skipped, saying what to install; where `CI=true` they fail.
"""

import functools
import gzip
import http.server
import json
import os
import re
import shutil
import threading
import zipfile
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote, urldefrag, urljoin, urlparse

import nbformat
import numpy as np
import pytest
from bs4 import BeautifulSoup
from gatedrnn import dynamics

ROOT = Path(__file__).parent.parent
SITE = Path(os.environ.get("BOOK_SITE", ROOT / "_build" / "html"))
WIDTHS, SCHEMES = (390, 1280), ("light", "dark")
CHAPTER = "chapters/principles/01-machine-with-memory.html"
HEAVIEST_PAGE = 500_000
LARGEST_SHIFT = 0.1
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
PACKED = {".html", ".css", ".js", ".svg", ".json", ""}


@pytest.fixture(scope="session")
def pages() -> dict[str, BeautifulSoup]:
    """Every page of the site, parsed."""
    if not (SITE / "index.html").exists():
        pytest.fail(f"There is no site at {SITE}: say `make book` first.")
    paths = [path for path in sorted(SITE.rglob("*.html")) if "_static" not in path.parts]
    return {path.relative_to(SITE).as_posix(): soup(path) for path in paths}


def soup(path: Path) -> BeautifulSoup:
    return BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")


# ---- what can be read without a browser ----------------------------------------------------------


def test_no_link_is_dead(pages):
    """Every link, picture, script, style sheet and download within the site is there, anchors included."""
    anchors = {name: {tag["id"] for tag in page.find_all(id=True)} for name, page in pages.items()}
    dead = []
    for name, page in pages.items():
        for tag in page.find_all(["a", "link", "img", "script", "source"]):
            address = tag.get("href") or tag.get("src")
            if not address or re.match(r"[a-z]+:", address):
                continue
            target, anchor = urldefrag(urljoin("/" + name, address))
            target = unquote(urlparse(target).path).lstrip("/") or "index.html"
            if not (SITE / target).is_file() or (
                anchor and target in anchors and anchor not in anchors[target]
            ):
                dead.append(f"{name}: {address}")
    assert dead == []


def test_no_page_names_another_host_but_in_links(pages):
    foreign = [
        f"{name}: {tag.get('src') or tag.get('href')}"
        for name, page in pages.items()
        for tag in page.find_all(["link", "img", "script", "iframe", "source", "video"])
        if re.match(r"(https?:)?//", tag.get("src") or tag.get("href") or "")
    ]
    assert foreign == []


def test_every_id_is_unique(pages):
    twice = {
        name: [
            key for key, count in Counter(tag["id"] for tag in page.find_all(id=True)).items() if count > 1
        ]
        for name, page in pages.items()
    }
    assert {name: ids for name, ids in twice.items() if ids} == {}


def test_every_page_has_a_language_a_title_a_description_and_one_main_heading(pages):
    for name, page in pages.items():
        assert page.html["lang"] == "en" and page.title.text.strip(), name
        assert len(page.find_all("main")) == 1, name
        if name in ("search.html", "genindex.html"):
            continue
        assert len(page.select("article h1")) == 1, name
        assert 30 < len(page.find("meta", attrs={"name": "description"})["content"]) <= 165, name


def test_every_picture_says_what_it_shows(pages):
    silent = []
    for name, page in pages.items():
        for image in page.find_all("img"):
            alt = image.get("alt", "")
            if len(alt) < 20 or re.search(r"\.(svg|png)$|_images/", alt):
                silent.append(f"{name}: {alt!r}")
    assert silent == []


def test_every_figure_has_a_caption_and_its_size(pages):
    for name, page in pages.items():
        for figure in page.select("article figure"):
            assert figure.find("figcaption") and figure.find("figcaption").text.strip(), name
            for image in figure.find_all("img"):
                assert image.get("width") and image.get("height") and image.get("loading") == "lazy", name


def test_svg_figures_come_in_two_schemes(pages):
    page = pages[CHAPTER]
    light, dark = page.select("img.only-light"), page.select("img.only-dark")
    assert len(light) == len(dark) >= 3
    for one, other in zip(light, dark, strict=True):
        assert one["alt"] == other["alt"]
        texts = [(SITE / "chapters/principles" / image["src"]).read_text() for image in (one, other)]
        assert "#1d2733" in texts[0] and "#1d2733" not in texts[1]


def test_no_formula_and_no_markup_is_left_untypeset(pages):
    left = re.compile(
        r"\\\(|\\\[|\$\$|\\(?:frac|tau|mathbb|begin|left|right)\b|\{[a-z:]+\}`|^:::|\$[^$\s]+\$", re.M
    )
    found = []
    for name, page in pages.items():
        article = BeautifulSoup(str(page.find("main")), "html.parser")
        for tag in article.select("pre, code, .katex, script, annotation, img"):
            tag.decompose()
        found += [f"{name}: {match}" for match in left.findall(article.get_text())]
        assert not page.select(".katex-error"), name
    assert found == []


def test_formulas_are_there_for_screen_readers_too(pages):
    page = pages[CHAPTER]
    assert len(page.select("article .katex-mathml > math")) == len(page.select("article .katex")) > 50
    assert len(page.select("article .eqno")) >= 5


# ---- notebooks to take home ------------------------------------------------------------------------


def notebooks() -> list[Path]:
    return sorted((SITE / "downloads").glob("*.ipynb"))


def test_each_chapter_offers_a_notebook(pages):
    chapters = [name for name in pages if re.match(r"chapters/(principles|applications)/", name)]
    assert chapters
    for name in chapters:
        (link,) = pages[name].select(".chapter-take-home a[download]")
        assert Path(link["href"]).name == Path(name).with_suffix(".ipynb").name


def test_notebooks_are_clean(pages):
    assert notebooks()
    for path in notebooks():
        notebook = nbformat.read(path, as_version=4)
        nbformat.validate(notebook)
        assert notebook.metadata.kernelspec.name == "python3"
        for cell in notebook.cells:
            if cell.cell_type == "code":
                assert cell.outputs == [] and cell.execution_count is None and cell.metadata == {}
                continue
            text = re.sub(r"```.*?```", "", cell.source, flags=re.DOTALL)
            assert not re.search(r"\{[\w:.-]+\}`|^ *(```+|:::+)\{|^:::|^\([\w-]+\)=$", text, re.M), (
                path,
                text,
            )


def test_notebooks_hold_the_code_of_their_chapters(pages):
    for name in (name for name in pages if re.match(r"chapters/(principles|applications)/", name)):
        notebook = nbformat.read(SITE / "downloads" / f"{Path(name).stem}.ipynb", as_version=4)
        code = [cell.source.strip() for cell in notebook.cells if cell.cell_type == "code"]
        shown = [block.get_text().strip() for block in pages[name].select("div.cell_input pre")]
        assert len(shown) > 5 and [block for block in shown if block not in code] == []


def test_the_archive_holds_the_same_notebooks(pages):
    with zipfile.ZipFile(SITE / "downloads" / "machines-with-memory-notebooks.zip") as archive:
        assert archive.testzip() is None
        assert sorted(archive.namelist()) == [path.name for path in notebooks()]
        for path in notebooks():
            assert archive.read(path.name) == path.read_bytes()


# ---- in the browser --------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def browser(pages):
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
def address(pages):
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
    idle: int = 0


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
    waiting = "document.querySelectorAll('.live-figure:not([data-started])').length === 0"
    page.wait_for_function(waiting, timeout=10_000)


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


@pytest.fixture(scope="session")
def visits(browser, address, pages) -> dict[tuple, Visit]:
    """Every page, phone and desk, light and dark; the light ones are read from top to bottom."""
    found = {}
    for width in WIDTHS:
        for scheme in SCHEMES:
            context = browser.new_context(viewport={"width": width, "height": 844}, color_scheme=scheme)
            context.add_init_script(WATCH_SHIFTS)
            for name in pages:
                page = context.new_page()
                visit = found[name, width, scheme] = listen(page, address)
                page.goto(address + name)
                settle(page)
                visit.idle = page.evaluate(
                    "document.querySelectorAll('.live-figure:not([data-started])').length"
                )
                if scheme == "light":
                    scroll_through(page)
                visit.overflow = page.evaluate("document.documentElement.scrollWidth - innerWidth")
                visit.shift = page.evaluate("window.shift")
                assert page.evaluate("document.documentElement.dataset.theme") == scheme
                page.close()
            context.close()
    return found


def wrong(visits, what) -> dict[str, object]:
    """The visits in which something is not zero or empty, in words."""
    return {" ".join(map(str, key)): what(visit) for key, visit in visits.items() if what(visit)}


@pytest.mark.browser
def test_no_page_asks_another_host(visits):
    assert wrong(visits, lambda visit: visit.foreign) == {}


@pytest.mark.browser
def test_no_page_logs_an_error(visits):
    assert wrong(visits, lambda visit: visit.errors + visit.missing) == {}


@pytest.mark.browser
def test_no_page_is_wider_than_the_screen(visits):
    assert wrong(visits, lambda visit: max(0, visit.overflow)) == {}


@pytest.mark.browser
def test_nothing_moves_while_a_page_loads(visits):
    assert wrong(visits, lambda visit: visit.shift if visit.shift >= LARGEST_SHIFT else 0) == {}


@pytest.mark.browser
def test_no_page_is_heavy(visits):
    assert wrong(visits, lambda visit: max(0, sum(visit.weights.values()) - HEAVIEST_PAGE)) == {}


@pytest.mark.browser
def test_the_icon_font_of_the_theme_is_not_fetched(visits):
    assert wrong(visits, lambda visit: [url for url in visit.weights if "fontawesome" in url]) == {}


@pytest.fixture
def open_page(browser, address):
    """Open a page; nothing may go wrong until the test is over."""
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
        assert (visit.foreign, visit.errors, visit.missing) == ([], [], [])


@pytest.mark.browser
def test_search_finds_words_of_the_chapters(open_page):
    page = open_page("search.html?q=eigenvalue")
    results = page.locator("#search-results ul.search li a")
    results.first.wait_for(timeout=10_000)
    titles = results.all_inner_texts()
    assert any("machine with memory" in title.lower() for title in titles), titles
    results.first.click()
    page.wait_for_load_state("load")
    assert page.locator("article h1").count() == 1


@pytest.mark.browser
def test_search_opens_by_keyboard_from_any_page(open_page):
    page = open_page("index.html")
    page.keyboard.press("Control+k")
    field = page.locator("#pst-search-dialog input[type=search]")
    field.wait_for(state="visible")
    page.keyboard.type("echo")
    page.keyboard.press("Enter")
    page.locator("#search-results ul.search li a").first.wait_for(timeout=10_000)
    assert "q=echo" in page.url


@pytest.mark.browser
def test_a_keyboard_reader_can_skip_to_the_text(open_page):
    page = open_page(CHAPTER)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent").strip() == "Skip to main content"
    page.keyboard.press("Enter")
    assert page.url.endswith("#main-content")


@pytest.mark.browser
def test_the_reader_chooses_light_or_dark_and_it_stays(open_page):
    page = open_page(CHAPTER, color_scheme="light")
    shown = (
        "() => [...document.querySelectorAll('.figure-scroll img')].filter((i) => i.checkVisibility()).length"
    )
    theme = "document.documentElement.dataset.theme"
    figures = page.evaluate(shown)
    assert page.evaluate(theme) == "light" and figures >= 3
    button = page.locator(".theme-switch-button:visible").first
    for _ in range(3):
        if page.evaluate(theme) == "dark":
            break
        button.click()
    assert page.evaluate(theme) == "dark" and page.evaluate(shown) == figures
    page.reload()
    assert page.evaluate(theme) == "dark"


@pytest.mark.browser
def test_long_formulas_scroll_in_their_own_box(open_page):
    page = open_page(CHAPTER, viewport={"width": 390, "height": 844})
    measure = "(boxes) => boxes.map((box) => [box.scrollWidth > box.clientWidth, box.tabIndex])"
    boxes = page.locator(".math-scroll").evaluate_all(measure)
    assert any(scrolls for scrolls, _ in boxes)
    assert all((tab == 0) is scrolls for scrolls, tab in boxes)


@pytest.mark.browser
def test_the_site_works_from_a_folder(open_page):
    page = open_page(CHAPTER, home=SITE.as_uri() + "/")
    assert page.locator(".live-figure .live").count() >= 1
    assert page.evaluate("document.fonts.check('16px \"Source Serif 4\"')")
    assert page.evaluate("document.fonts.check('16px KaTeX_Math')")


@pytest.mark.browser
def test_without_scripts_the_chapter_is_whole(open_page):
    page = open_page(CHAPTER, java_script_enabled=False)
    still = page.locator(".live-figure img:visible").first
    still.wait_for()
    assert len(still.get_attribute("alt")) > 60
    assert page.locator(".katex-html").first.is_visible()


# ---- the live figures --------------------------------------------------------------------------------


def live_pages() -> list[str]:
    """Pages with live figures; an empty list only where nothing is built."""
    paths = sorted((SITE / "chapters").rglob("*.html"))
    return [path.relative_to(SITE).as_posix() for path in paths if "live-figure" in path.read_text("utf-8")]


@pytest.mark.browser
@pytest.mark.parametrize("name", live_pages() or [CHAPTER])
def test_every_live_figure_answers_to_keys_says_so_and_can_be_reset(open_page, name):
    page = open_page(name)
    figures = page.locator(".live-figure .live")
    assert figures.count() >= 1
    for number in range(figures.count()):
        figure = figures.nth(number)
        assert len(figure.get_attribute("aria-label")) > 40
        sentence = figure.locator(".live-sentence")
        before = sentence.inner_text()
        slider = figure.locator("input[type=range]").first
        assert figure.locator(f"label[for={slider.get_attribute('id')}]").inner_text().strip()
        start = slider.input_value()
        slider.focus()
        at_end = float(start) >= float(slider.get_attribute("max"))
        page.keyboard.press("PageDown" if at_end else "PageUp")
        page.wait_for_function(
            "([node, old]) => node.textContent !== old", arg=[sentence.element_handle(), before]
        )
        status = figure.locator("[role=status]")
        page.wait_for_function(
            "([heard, seen]) => heard.textContent === seen.textContent",
            arg=[status.element_handle(), sentence.element_handle()],
        )
        assert slider.get_attribute("aria-valuetext")
        figure.locator("button.live-reset").click()
        page.wait_for_function(
            "([node, old]) => node.textContent === old", arg=[sentence.element_handle(), before]
        )
        assert slider.input_value() == start


@pytest.fixture
def echo(open_page):
    """The eigenvalue figure of chapter 1, in view: its box, handle and a reader of its numbers."""

    def run(**options):
        page = open_page(CHAPTER, **options)
        figure = page.locator(".live", has=page.locator("[aria-label^='eigenvalue']")).first
        figure.scroll_into_view_if_needed()
        handle = figure.locator("[aria-label^='eigenvalue']")

        def numbers() -> dict[str, float]:
            page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
            radius, angle = (
                float(input.input_value()) for input in figure.locator("input[type=range]").all()
            )
            shown = {
                name: figure.locator(f"[data-readout={name}]").inner_text()
                for name in ("decay", "frequency", "left")
            }
            return {"radius": radius, "angle": angle * np.pi, **shown}

        return page, figure, handle, numbers

    return run


def state_of(page) -> dict:
    """The values from which the build started the first eigenvalue figure of a page."""
    script = page.locator("script[type='application/vnd.jupyter.widget-state+json']").inner_text()
    states = [model["state"] for model in json.loads(script)["state"].values()]
    return next(state for state in states if state.get("_anywidget_id", "").endswith("EigenvalueEcho"))


def check_numbers(numbers: dict, dt: float, steps: int, slack: float = 0.0006) -> None:
    """What is shown is what the package computes; sliders round the radius to 0.001, the angle to 0.002 π."""
    radius, angle = numbers["radius"], numbers["angle"]
    tau = float(numbers["decay"].removesuffix(" s"))
    low, high = (
        float(dynamics.time_constant(r, dt)) for r in (radius - slack, min(radius + slack, 1 - 1e-9))
    )
    assert low - 6e-4 <= tau <= high + 6e-4
    hertz = float(numbers["frequency"].removesuffix(" Hz"))
    assert abs(hertz - angle / (2 * np.pi * dt)) <= 0.006 + 2 * slack / (2 * dt)
    left = float(numbers["left"].removesuffix(" %")) / 100
    assert (radius - slack) ** steps - 6e-4 <= left <= (radius + slack) ** steps + 6e-4


@pytest.mark.browser
def test_the_sliders_give_pythons_numbers(echo):
    page, figure, _, numbers = echo()
    state = state_of(page)
    first = figure.locator("input[type=range]").first
    first.focus()
    for key, times in [("ArrowLeft", 7), ("PageDown", 1), ("ArrowLeft", 3)]:
        for _ in range(times):
            page.keyboard.press(key)
        told = numbers()
        modes = dynamics.eigenmodes(told["radius"] * np.eye(2), dt=state["dt"])
        assert told["decay"] == f"{modes.decay_time[0]:.3f} s"
        assert told["frequency"] == f"{state['angle'] / (2 * np.pi * state['dt']):.2f} Hz"
        left = 100 * told["radius"] ** state["steps"]
        assert told["left"] == (f"{left:.2f} %" if left < 9.95 else f"{left:.1f} %")


def middle(handle) -> tuple[float, float]:
    """The middle of the handle's ring on the screen."""
    box = handle.locator(".live-ring").bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


@pytest.mark.browser
def test_the_pair_follows_the_mouse(echo):
    page, _, handle, numbers = echo()
    state, before = state_of(page), numbers()
    x, y = middle(handle)
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x - 30, y - 40, steps=6)
    page.mouse.up()
    after = numbers()
    assert after["angle"] > before["angle"] + 0.1 and after["radius"] != before["radius"]
    assert np.hypot(*np.subtract(middle(handle), (x - 30, y - 40))) < 1.5
    check_numbers(after, state["dt"], state["steps"])
    page.mouse.move(x, y)
    assert numbers() == after, "the pair must stay where it was let go"


@pytest.mark.browser
def test_the_pair_follows_a_finger(echo):
    page, _, handle, numbers = echo(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    before = numbers()
    x, y = middle(handle)
    touch = page.context.new_cdp_session(page)
    for kind, points in [
        ("touchStart", [{"x": x, "y": y}]),
        ("touchMove", [{"x": x - 15, "y": y - 20}]),
        ("touchMove", [{"x": x - 30, "y": y - 40}]),
        ("touchEnd", []),
    ]:
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
    after = numbers()
    assert after["angle"] > before["angle"] + 0.1
    assert np.hypot(*np.subtract(middle(handle), (x - 30, y - 40))) < 2


@pytest.mark.browser
def test_the_pair_follows_the_arrow_keys(echo):
    page, _, handle, numbers = echo()
    state = state_of(page)
    real = state["radius"] * np.cos(state["angle"])
    imaginary = state["radius"] * np.sin(state["angle"])
    handle.focus()
    for key in ["ArrowLeft"] * 4 + ["ArrowUp"] * 3:
        page.keyboard.press(key)
    real, imaginary = real - 0.04, imaginary + 0.03
    told = numbers()
    assert told["radius"] == pytest.approx(np.hypot(real, imaginary), abs=0.0006)
    assert told["angle"] == pytest.approx(np.arctan2(imaginary, real), abs=0.0011 * np.pi)
    assert float(handle.get_attribute("aria-valuenow")) == pytest.approx(told["radius"], abs=0.0011)


@pytest.mark.browser
def test_beyond_the_unit_circle_the_echo_grows(echo):
    page, figure, _, numbers = echo()
    first = figure.locator("input[type=range]").first
    first.focus()
    page.keyboard.press("End")
    told = numbers()
    assert told["radius"] == 1.1 and told["decay"] == "grows"
    assert "grows by a factor e every 0." in figure.locator(".live-sentence").inner_text()
    page.keyboard.press("Home")
    assert numbers()["decay"] == "0 s"
    assert "gone after one step" in figure.locator(".live-sentence").inner_text()
