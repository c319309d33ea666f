"""What the build does to pages and style sheets, in the small."""

import importlib.util
import sys
import types
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture
def load(monkeypatch):
    """Import one of the book's Sphinx extensions."""
    monkeypatch.syspath_prepend(ROOT / "tools" / "ext")

    def run(name):
        spec = importlib.util.spec_from_file_location(name, ROOT / "tools" / "ext" / f"{name}.py")
        module = importlib.util.module_from_spec(spec)
        monkeypatch.setitem(sys.modules, name, module)
        spec.loader.exec_module(module)
        return module

    return run


SHEET = """@charset "UTF-8";@import "other.css";
/* a comment with a { brace */
.used, .gone > p, a:not(.gone) { color: red; }
.gone { color: blue } .gone.used:hover { top: 0 }
@font-face{font-family:Font Awesome\\ 6 Free;src:url(a.woff2)}
@font-face { font-family: Serif; src: url("fonts/b.woff2") }
@media print { .gone { x: y } p::before { content: "}"; } }
@media screen { .gone { x: y } }
.sd-w\\:50 { width: 50% }
"""


def test_rules_that_no_page_can_use_are_left_out_and_the_rest_stays_in_order(load):
    slim = load("book_slim").slim(SHEET, {"used", "print"})
    assert ".used" in slim and "a:not(.gone)" in slim and ".gone > p" not in slim
    assert "color: blue" not in slim and ".gone.used" not in slim and "Awesome" not in slim
    assert 'content: "}"' in slim and "@media screen" not in slim and "sd-w" not in slim
    assert slim.index("@import") < slim.index(".used") < slim.index("Serif") < slim.index("@media print")
    assert ".sd-w\\:50" in load("book_slim").slim(SHEET, {"sd-w:50"})


def test_a_dot_in_a_comment_makes_no_class(load):
    """Pygments writes `/* Literal.String */` behind each rule, in front of the next one's head."""
    sheet = ".a { color: red } /* Literal.String */\n.b { color: blue } /* Comment.Single */\n.c { top: 0 }"
    slim = load("book_slim").slim(sheet, {"a", "b"})
    assert "".join(slim.split()) == ".a{color:red}.b{color:blue}"


def test_every_byte_of_a_sheet_belongs_to_one_rule(load):
    rules = list(load("book_slim").rules(SHEET))
    assert "".join(head + block for head, block in rules) == SHEET
    assert [block for head, block in rules if "@import" in head] == [""]


@pytest.mark.parametrize(
    ("folder", "address", "moved"),
    [
        ("styles", "../images/a.svg", "images/a.svg"),
        ("vendor/katex", "fonts/K.woff2", "vendor/katex/fonts/K.woff2"),
        (".", "'b.png'", "b.png"),
    ],
)
def test_addresses_in_a_sheet_move_with_it(load, folder, address, moved):
    rebased = load("book_slim").rebased
    assert rebased(f"a {{ b: url({address}) }}", folder) == f'a {{ b: url("{moved}") }}'
    kept = "a { b: url(\"data:image/svg+xml,%3Csvg x='u(1)'/%3E\") url(https://x.org/a) }"
    assert rebased(kept, folder) == kept


def test_a_page_names_the_one_sheet_however_often_it_is_built(load, tmp_path):
    slim, page = load("book_slim"), tmp_path / "page.html"
    page.write_text(
        '<head>\n<link href="../_static/basic.css" rel="stylesheet">\n'
        '<link rel="stylesheet" type="text/css" href="../_static/mystnb.0ab.css?v=1" />\n'
        '<link rel="icon" href="x.svg"></head>'
    )
    for version in ("one", "two"):
        slim.link_sheet(page, version)
        text = page.read_text()
        assert text.count("stylesheet") == 1 and f'href="../_static/site.css?v={version}"' in text
        assert "x.svg" in text
    page.write_text('<link rel="stylesheet" href="_static/new.css">')
    with pytest.raises(ValueError, match=r"does not know: _static/new\.css"):
        slim.link_sheet(page, "three")


def test_the_themes_script_is_quietened_once_and_a_new_one_is_refused(load, tmp_path):
    slim, folder = load("book_slim"), tmp_path / "_static" / "scripts"
    folder.mkdir(parents=True)
    script = folder / "pydata-sphinx-theme.js"
    script.write_text(f"document.querySelectorAll({slim.MEASURED})")
    app = types.SimpleNamespace(builder=types.SimpleNamespace(format="html"), outdir=tmp_path)
    for _ in range(2):
        slim.quiet_theme(app, None)
        assert script.read_text() == f"document.querySelectorAll({slim.QUIET})"
    script.write_text("another version")
    with pytest.raises(ValueError, match="measures other boxes"):
        slim.quiet_theme(app, None)


@pytest.mark.parametrize(
    ("printed", "read"),
    [
        ("-0.14", "−0.14"),
        ("-0.00", "0.00"),
        ("-0.005", "−0.005"),
        ("-10 to 15 ms", "−10 to 15 ms"),
        ("(-0.3, -0)", "(−0.3, 0)"),
        ("4.1e-07", "4.1\xa0×\xa010⁻⁷"),
        ("1e+12", "10¹²"),
        ("2024-11-24, x-1, 3-0", "2024-11-24, x-1, 3-0"),
    ],
)
def test_computed_numbers_are_written_as_in_prose(load, printed, read):
    assert load("book_numbers").in_prose(printed) == read


def test_exponents_are_raised_by_the_page(load):
    shown = [str(node) for node in load("book_numbers").raised("4\xa0×\xa010⁻¹² of 10³")]
    assert shown == [
        "4\xa0×\xa010",
        "<superscript>−12</superscript>",
        " of 10",
        "<superscript>3</superscript>",
    ]


class Config(types.SimpleNamespace):
    """As much of Sphinx's configuration as is asked for."""


@pytest.mark.parametrize(
    ("given", "configured", "known"),
    [
        ("https://x.org/book", "", "https://x.org/book/"),
        (None, "https://y.org/", "https://y.org/"),
        (None, "", ""),
    ],
)
def test_the_sites_address_comes_from_the_environment_or_the_configuration(
    load, monkeypatch, tmp_path, given, configured, known
):
    pages = load("book_pages")
    monkeypatch.delenv("BOOK_URL", raising=False)
    if given:
        monkeypatch.setenv("BOOK_URL", given)
    config = Config(html_baseurl=configured)
    pages.learn_address(None, config)
    assert config.html_baseurl == known
    (tmp_path / "_static").mkdir()
    (tmp_path / "_static" / "card.png").touch()  # drawing it is not what is tested here
    app = types.SimpleNamespace(
        builder=types.SimpleNamespace(format="html"),
        outdir=tmp_path,
        config=config,
        env=types.SimpleNamespace(found_docs={"index", "chapters/a&b"}),
    )
    pages.write_around(app, None)
    places = [
        node.text for node in ElementTree.parse(tmp_path / "sitemap.xml").iter() if (node.text or "").strip()
    ]
    start = known or "http://localhost:8000/"
    assert places == [f"{start}chapters/a&b.html", f"{start}index.html"]
    assert ("Sitemap:" in (tmp_path / "robots.txt").read_text()) is bool(known)
