"""The built site as a reader meets it: pages, links and downloads, and every page in Chromium."""

import importlib.util
import re
import struct
import tomllib
import xml.etree.ElementTree as ElementTree
import zipfile
import zlib
from collections import Counter
from pathlib import Path
from urllib.parse import unquote, urldefrag, urljoin, urlparse

import nbformat
import pytest
import yaml
from browsing import ROOT, SITE, WATCH_SHIFTS, Visit, lay_out, listen, scroll_through, settle
from bs4 import BeautifulSoup
from pygments.styles import get_style_by_name
from pygments.token import STANDARD_TYPES

WIDTHS, SCHEMES = (390, 1280), ("light", "dark")
CHAPTER = "chapters/principles/01-machine-with-memory.html"
HEAVIEST_PAGE = 500_000
LARGEST_SHIFT = 0.1
WHOLE = "downloads/machines-with-memory-site.zip"


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


def test_formulas_come_typeset_and_nothing_typesets_them_in_the_browser(pages):
    for name, page in pages.items():
        scripts = " ".join(tag.get("src", "") for tag in page.find_all("script"))
        assert not re.search("mathjax|katex|require", scripts, re.IGNORECASE), name


# ---- for those who pass a page on, and for those who do not find one -------------------------------


def test_every_page_offers_a_card_to_those_who_link_to_it(pages):
    for name, page in pages.items():
        told = {tag["property"]: tag["content"] for tag in page.find_all("meta", property=True)}
        if name not in ("404.html", "search.html", "genindex.html"):
            assert {"og:title", "og:description", "og:type", "og:image", "og:image:alt"} <= set(told), name
            assert (SITE / Path(name).parent / told["og:image"]).resolve() == (
                SITE / "_static/card.png"
            ).resolve()
    header = (SITE / "_static" / "card.png").read_bytes()[:24]
    assert header[:8] == b"\x89PNG\r\n\x1a\n" and struct.unpack(">II", header[16:]) == (1200, 630)


def test_titles_and_descriptions_are_each_pages_own(pages):
    titles = Counter(page.title.text.strip() for page in pages.values())
    assert titles.most_common(1)[0][1] == 1
    told = [page.find("meta", attrs={"name": "description"}) for page in pages.values()]
    descriptions = Counter(tag["content"] for tag in told if tag)
    assert descriptions.most_common(1)[0][1] == 1


def test_the_map_of_the_site_names_every_page_once(pages):
    tree = ElementTree.parse(SITE / "sitemap.xml")
    found = [node.text for node in tree.iter("{http://www.sitemaps.org/schemas/sitemap/0.9}loc")]
    prefix = next(address for address in found if address.endswith("/index.html")).removesuffix("index.html")
    assert re.match(r"https?://", prefix)
    unlisted = {"404.html", "search.html", "genindex.html"}
    assert sorted(address.removeprefix(prefix) for address in found) == sorted(set(pages) - unlisted)
    assert "User-agent: *" in (SITE / "robots.txt").read_text()


# ---- notebooks to take home ------------------------------------------------------------------------


def load(path: Path):
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


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
                assert cell.outputs == [] and cell.execution_count is None
                assert cell.metadata in ({}, {"jupyter": {"source_hidden": True}})
                assert not re.search(r"\bglue\(|myst_nb", cell.source), path
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
        texts = [block.get_text() for block in pages[name].select("div.cell_input pre")]
        shown = [text.replace("from myst_nb import glue\n", "").strip() for text in texts]
        assert len(shown) > 5 and [block for block in shown if block not in code] == []


def test_notebooks_need_no_more_than_the_package_brings():
    """What the notebooks import, through the package too, is on the package's own list."""
    needed = load(ROOT / "tools" / "ext" / "run_here" / "imports.py").needed
    listed = tomllib.loads((ROOT / "code" / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    names = {re.match(r"[\w-]+", line)[0] for line in listed["dependencies"]} | {"gatedrnn"}
    brought = {"scikit-learn": "sklearn", "ipython": "IPython"}
    allowed = {brought.get(name, name) for name in names} | {"cycler", "traitlets"}  # matplotlib's, IPython's
    for path in notebooks():
        cells = nbformat.read(path, as_version=4).cells
        code = "\n".join(cell.source for cell in cells if cell.cell_type == "code")
        assert needed(code) <= allowed, path.name


def test_notebooks_tell_every_figure_in_words(pages):
    for name in (name for name in pages if re.match(r"chapters/(principles|applications)/", name)):
        notebook = nbformat.read(SITE / "downloads" / f"{Path(name).stem}.ipynb", as_version=4)
        text = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
        shown = pages[name].select("div.cell_output img.only-light")
        drawn = [image for image in shown if not image.find_parent("noscript")]  # live ones say it themselves
        assert text.count(" in words</summary>") >= len(drawn) > 0, name
        plain = text.replace("\\", "")
        assert [image["alt"] for image in drawn if image["alt"] not in plain] == []


def test_a_notebook_says_before_its_first_cell_what_it_needs(pages):
    for path in notebooks():
        cells = nbformat.read(path, as_version=4).cells
        first = next(place for place, cell in enumerate(cells) if cell.cell_type == "code")
        assert "does not find `gatedrnn`" in cells[first - 1].source
    for page in pages.values():
        for line in page.select(".chapter-take-home"):
            assert line.select_one("a[href$='running.html#one-chapter-as-a-notebook']")


def test_the_archive_holds_the_same_notebooks(pages):
    with zipfile.ZipFile(SITE / "downloads" / "machines-with-memory-notebooks.zip") as archive:
        assert archive.testzip() is None
        assert sorted(archive.namelist()) == [path.name for path in notebooks()]
        for path in notebooks():
            assert archive.read(path.name) == path.read_bytes()


def test_the_archive_of_the_site_holds_every_file_of_it(pages):
    with zipfile.ZipFile(SITE / WHOLE) as archive:
        packed = {info.filename: info.CRC for info in archive.infolist()}
        texts = {name: archive.read(name).decode() for name in packed if name.endswith(".html")}
    files = {path.relative_to(SITE).as_posix(): path for path in SITE.rglob("*") if path.is_file()}
    files.pop(WHOLE)
    assert set(packed) == {f"machines-with-memory/{name}" for name in files}
    shorter = set()
    for name, path in files.items():
        if packed[f"machines-with-memory/{name}"] != zlib.crc32(path.read_bytes()):
            shorter.add(name)
    assert shorter == {name for name, page in pages.items() if page.select(".not-in-archive")}
    assert not any(Path(WHOLE).name in text for text in texts.values())
    links = BeautifulSoup(texts["machines-with-memory/index.html"], "html.parser").select(
        "a[href^=downloads]"
    )
    assert len(links) >= 2 and all(link["href"] in files for link in links)


# ---- in the browser --------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def visits(browser, address, pages) -> dict[tuple, Visit]:
    """Every page, phone and desk, light and dark; the light ones are read from top to bottom."""
    found = {}
    for width in WIDTHS:
        for scheme in SCHEMES:
            context = browser.new_context(viewport={"width": width, "height": 844}, color_scheme=scheme)
            context.add_init_script(WATCH_SHIFTS)
            page = context.new_page()
            seen = listen(page, address)
            for name in pages:
                page.goto(address + name)
                settle(page)
                assert page.evaluate("document.documentElement.dataset.theme") == scheme
                if scheme == "light":
                    scroll_through(page)
                seen.shift = page.evaluate("window.shift")
                lay_out(page)
                seen.overflow = page.evaluate("document.documentElement.scrollWidth - innerWidth")
                found[name, width, scheme] = seen.take()
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


def choose(page, scheme: str) -> None:
    """Press the button that stands on every page until the page has a colour scheme."""
    for _ in range(3):
        if page.evaluate("document.documentElement.dataset.mode") == scheme:
            break
        page.locator(".theme-switch-button:visible").first.click()
    assert page.evaluate("document.documentElement.dataset.theme") == scheme


@pytest.mark.browser
@pytest.mark.parametrize(("system", "scheme"), [("light", "dark"), ("dark", "light")])
def test_code_has_the_colours_of_the_scheme_that_the_reader_chooses(open_page, system, scheme):
    config = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))["sphinx"]["config"]
    style = get_style_by_name(config["html_theme_options"][f"pygments_{scheme}_style"])
    named = {short: style.style_for_token(token)["color"] for token, short in STANDARD_TYPES.items() if short}
    page = open_page(CHAPTER, color_scheme=system)
    choose(page, scheme)
    page.add_style_tag(content="* { transition: none !important; }")
    found = page.evaluate(
        """() => [...document.querySelectorAll(".cell_input .highlight span[class]")].map((token) =>
          [token.className, getComputedStyle(token).color.match(/\\d+/g).map(Number)])"""
    )
    shown = {(short, bytes(colour).hex()) for short, colour in found if short in named}
    assert {"k", "kn", "s2", "c1", "nb", "mf", "n", "o"} <= {short for short, _ in shown}
    assert sorted(shown) == sorted((short, named[short].lower()) for short, _ in shown if named[short])


@pytest.mark.browser
def test_what_the_reader_chooses_holds_where_nothing_is_too(open_page):
    page = open_page("index.html", color_scheme="light")
    choose(page, "dark")
    page.goto(page.url.replace("index.html", "404.html"))
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"


# Rectangles of what is seen, and how light the letters of the code are, from 0 to 255.
SEEN = "(nodes) => nodes.filter((node) => node.checkVisibility() && node.getClientRects().length).length"
LETTERS = (
    "(nodes) => nodes.map((node) => Math.max(...getComputedStyle(node).color.match(/\\d+/g).map(Number)))"
)


@pytest.mark.browser
def test_paper_has_no_handles_and_hides_no_answers(open_page):
    page = open_page(CHAPTER, color_scheme="dark")
    page.emulate_media(media="print")

    def seen(what: str) -> int:
        return page.locator(what).evaluate_all(SEEN)

    assert seen("button, input, nav, textarea, summary.folded-code, .sd-summary-state-marker") == 0
    assert seen("article h1") == 1 and seen("h1") == 1
    folded = page.locator("details.sd-dropdown:not([open])").count()
    assert folded >= 3 and seen("details.sd-dropdown:not([open]) .sd-card-body") == folded
    assert max(page.locator(".highlight span").evaluate_all(LETTERS)) <= 0x44
    assert seen(".live .live-panel") >= 2


@pytest.mark.browser
def test_what_paper_needs_is_there_before_it_is_printed(browser, address):
    """A browser prints at once: figures far down are drawn in no time, folded formulas have their faces."""
    page = browser.new_page()
    page.goto(address + CHAPTER)
    page.wait_for_function("document.fonts.check('1em KaTeX_Size3')", timeout=20_000)
    waiting = "document.querySelectorAll('.live-figure:not([data-started])').length"
    assert page.evaluate(waiting) >= 1
    page.wait_for_timeout(1000)
    page.evaluate(
        """async () => {
          dispatchEvent(new Event("beforeprint"));
          for (let turn = 0; turn < 20; turn += 1) await null; // what the browser grants, and no more
        }"""
    )
    assert page.evaluate(waiting) == 0
    page.close()


@pytest.mark.browser
def test_long_formulas_scroll_in_their_own_box(open_page):
    """On a phone all formulas of the chapter fit; where a reader has magnified it, some do not."""
    page = open_page(CHAPTER, viewport={"width": 240, "height": 844})
    scroll_through(page)
    boxes, scrolls = "[...document.querySelectorAll('.math-scroll')]", "box.scrollWidth > box.clientWidth"
    page.wait_for_function(f"{boxes}.every((box) => (box.tabIndex === 0) === ({scrolls}))")
    assert page.evaluate(f"{boxes}.filter((box) => {scrolls}).length") >= 3
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0


@pytest.mark.browser
def test_the_site_works_from_a_folder(open_page):
    page = open_page(CHAPTER, home=SITE.as_uri() + "/")
    assert page.locator(".live-figure .live").count() >= 1
    assert page.evaluate("document.fonts.check('16px \"Source Serif 4\"')")
    assert page.evaluate("document.fonts.check('16px KaTeX_Math')")


@pytest.fixture(scope="session")
def unpacked(pages, tmp_path_factory):
    """The archive of the whole site, unpacked."""
    folder = tmp_path_factory.mktemp("site")
    with zipfile.ZipFile(SITE / WHOLE) as archive:
        archive.extractall(folder)
    return folder / "machines-with-memory"


@pytest.mark.browser
def test_every_page_of_the_unpacked_archive_works_from_its_folder(browser, unpacked, pages):
    context = browser.new_context(viewport={"width": 1280, "height": 844})
    home, went, page = unpacked.as_uri() + "/", {}, context.new_page()
    seen = listen(page, home)
    for name in pages:
        page.goto(home + name)
        settle(page)
        started = page.locator(".live-figure .live").count()
        assert started == page.locator(".live-figure").count(), name
        visit = seen.take()
        went[name] = visit.foreign + visit.errors
    context.close()
    assert {name: faults for name, faults in went.items() if faults} == {}


@pytest.mark.browser
def test_search_works_from_a_folder(open_page, unpacked):
    page = open_page("search.html?q=eigenvalue", home=unpacked.as_uri() + "/")
    page.locator("#search-results ul.search li a").first.wait_for(timeout=10_000)


@pytest.mark.browser
def test_where_nothing_is_the_way_back_is_found(browser, address):
    page = browser.new_page()
    body = (SITE / "404.html").read_text(encoding="utf-8")
    missing = address + "chapters/nowhere/at-all.html"
    page.route(missing, lambda route: route.fulfill(status=404, body=body, content_type="text/html"))
    page.goto(missing)
    assert page.locator("h1").inner_text() == "This page has been forgotten"
    page.wait_for_function("(home) => document.getElementById('home').href === home", arg=address)
    page.close()


@pytest.mark.browser
def test_on_paper_there_is_the_text_and_nothing_to_press(open_page):
    page = open_page(CHAPTER, color_scheme="dark")
    page.emulate_media(media="print")
    seen = page.evaluate(
        """() => [...document.querySelectorAll("button, .bd-sidebar, .run-here")]
          .filter((node) => node.checkVisibility()).map((node) => node.className)"""
    )
    assert seen == []
    paper = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert paper == "rgb(255, 255, 255)"
    assert (
        page.locator("img.only-light").first.is_visible()
        and not page.locator("img.only-dark").first.is_visible()
    )


@pytest.mark.browser
def test_without_scripts_the_chapter_is_whole(open_page):
    page = open_page(CHAPTER, java_script_enabled=False)
    still = page.locator(".live-figure img:visible").first
    still.wait_for()
    assert len(still.get_attribute("alt")) > 60
    assert page.locator(".katex-html").first.is_visible()
