"""The layer between the sources and the site, on books of one page: what it makes, and what it refuses."""

import re
import sys
from pathlib import Path

import nbformat
import pytest
from gatedrnn.figures import PAPER
from sphinx.application import Sphinx
from sphinx.errors import SphinxError
from sphinx.util.docutils import docutils_namespace

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / "tools" / "ext"
EXTENSIONS = [
    "myst_nb",
    "sphinx_design",
    "sphinxcontrib.bibtex",
    *sorted(p.stem for p in FOLDER.glob("book_*.py")),
]
HEADER = "---\nfile_format: mystnb\nkernelspec:\n  name: python3\n---\n"
DRAWING = '<svg xmlns="http://www.w3.org/2000/svg" width="72pt" height="36pt"><path stroke="#1d2733"/></svg>'


@pytest.fixture
def build(tmp_path, monkeypatch):
    """Build a book of one page, and return its HTML; `build.warnings` has what was said about it."""
    monkeypatch.syspath_prepend(str(FOLDER))

    def run(text: str, **config) -> str:
        source = tmp_path / "source"
        source.mkdir(exist_ok=True)
        (source / "index.md").write_text("# A book\n\n```{toctree}\npage\n```\n", encoding="utf-8")
        (source / "page.md").write_text(text, encoding="utf-8")
        (source / "drawing.svg").write_text(DRAWING, encoding="utf-8")
        (source / "plain.svg").write_text(DRAWING.replace("#1d2733", "#0072b2"), encoding="utf-8")
        (source / "references.bib").write_text(
            "@article{a2020, author={Bell, Ada and Curie, Marie and Noether, Emmy}, title={On gates}, "
            "journal={Journal}, year={2020}, doi={10.1/x}}\n"
            '@article{b1997, author={H{\\"o}r, Eva and von Neumann, J.}, title={On state}, year={1997}, '
            "journal={Journal}}\n",
            encoding="utf-8",
        )
        settings = {
            "extensions": EXTENSIONS,
            "html_theme": "basic",
            "html_math_renderer": "katex",
            "katex_macros": {r"\norm": r"\lVert #1 \rVert"},
            "myst_enable_extensions": ["dollarmath", "deflist", "colon_fence"],
            "nb_execution_mode": "off",
            "nb_ipywidgets_js": {},
            "bibtex_bibfiles": ["references.bib"],
            "bibtex_default_style": "book",
            "bibtex_reference_style": "author_year",
            "numfig": True,
            "numfig_format": {"figure": "Figure %s"},
            "html_title": "A book",
        }
        out, said = tmp_path / "_build" / "html", tmp_path / "warnings.txt"
        with said.open("w", encoding="utf-8") as warnings, docutils_namespace():
            app = Sphinx(
                source, None, out, tmp_path / "_build" / "doctrees", "html", settings | config,
                status=None, warning=warnings, freshenv=True,
            )  # fmt: skip
            try:
                app.build()
            finally:
                run.warnings = re.sub(r"\x1b\[[\d;]*m", "", said.read_text(encoding="utf-8"))
        run.out = out
        return (out / "page.html").read_text(encoding="utf-8")

    yield run
    for name in [name for name in sys.modules if name.startswith("book_")]:
        del sys.modules[name]


# ---- mathematics --------------------------------------------------------------------------------------


def test_formulas_are_typeset_for_eye_and_ear(build):
    html = build("# Title\n\nInline $\\norm{x}$.\n\n```{math}\n:label: eq-a\ny = x\n```\n\nSee {eq}`eq-a`.\n")
    assert html.count('class="katex-html" aria-hidden="true"') == 2 and html.count("<math ") == 2
    assert 'class="eqno">(1)' in html and 'id="equation-eq-a"' in html and 'href="#equation-eq-a"' in html
    assert not re.search("<script[^>]*mathjax", html, re.I) and "katex-error" not in html
    assert build.warnings == ""


def test_several_lines_are_aligned(build):
    html = build("# Title\n\n$$\na &= b \\\\\n&= c\n$$\n")
    assert "mtable" in html and build.warnings == ""


def test_a_comma_stays_with_its_formula(build):
    html = build("# Title\n\nHere $x$, then ($y$).\n").split("<body")[1]
    assert (
        len(re.findall(r'<span class="together"><span class="math[^>]*>.*?</span>(?:,|\)\.)</span>', html))
        == 2
    )
    assert ", then (" not in html and "then (" in html


@pytest.mark.parametrize("formula", ["$\\undefined{x}$", "$$\n\\frac{a\n$$", "$x^a^b$"])
def test_a_formula_that_cannot_be_typeset_fails_the_build_by_name(build, formula):
    with pytest.raises(SphinxError, match=r"1 formula\(s\) cannot be typeset"):
        build(f"# Title\n\nText {formula} here.\n" if formula.count("$$") == 0 else f"# Title\n\n{formula}\n")
    assert "page.md" in build.warnings and "cannot typeset" in build.warnings
    assert formula.strip("$\n").replace("\\", "\\\\") in build.warnings


def test_every_bad_formula_is_named_in_one_go(build):
    with pytest.raises(SphinxError, match=r"2 formula\(s\)"):
        build("# Title\n\n$\\one$ and $\\two$\n")
    assert "\\\\one" in build.warnings and "\\\\two" in build.warnings


# ---- figures ------------------------------------------------------------------------------------------


def test_an_svg_gets_a_dark_twin_and_keeps_its_place(build):
    html = build("# Title\n\n```{figure} drawing.svg\n:alt: A line.\n\nIt is short.\n```\n")
    light, dark = re.findall(r"<img [^>]*>", html)
    assert 'class="only-light"' in light and 'class="only-dark"' in dark
    for image in (light, dark):
        assert 'alt="A line."' in image and 'loading="lazy"' in image
        assert 'width="96" height="48"' in image
    files = [(build.out / re.search(r'src="([^"]*)"', image)[1]).read_text() for image in (light, dark)]
    assert "#1d2733" in files[0] and "#1d2733" not in files[1] and "#dfe5ec" in files[1]


def test_what_nobody_sees_is_left_out_of_a_figure():
    sys.path.insert(0, str(FOLDER))
    from book_figures import slim

    sys.path.remove(str(FOLDER))
    drawn = '<path d="M 1.234567 2.5 L 10.999999 3" style="stroke: #1d2733; x: 1.23456"/>'
    assert slim(f"<svg>{PAPER}{drawn}</svg>") == (
        '<svg><path d="M 1.23 2.5 L 10.99 3" style="stroke: #1d2733; x: 1.23456"/></svg>'
    )
    assert slim('<use x="70.123456" y="1.5" transform="scale(0.123456)"/>') == (
        '<use x="70.12" y="1.5" transform="scale(0.123456)"/>'
    )


def test_an_svg_without_ink_needs_no_twin(build):
    html = build("# Title\n\n```{image} plain.svg\n:alt: A line.\n```\n")
    assert len(re.findall(r"<img ", html)) == 1


@pytest.mark.parametrize("alt", ["", ":alt:  \n"])
def test_an_image_without_alt_text_is_reported(build, alt):
    build(f"# Title\n\n```{{image}} plain.svg\n{alt}```\n")
    assert "an image has no alt text" in build.warnings and "page.md" in build.warnings


# ---- references ---------------------------------------------------------------------------------------


def test_references_are_labelled_by_author_and_year(build):
    html = build("# Title\n\n{cite:p}`a2020` {cite:t}`b1997`\n\n```{bibliography}\n```\n")
    text = re.sub(r"<[^>]+>", "", html)
    assert "Bell et al. 2020" in text and "Hör &amp; von Neumann 1997" in text
    assert "doc-biblioentry" not in html and html.count('role="listitem"') == 2


# ---- notebooks ----------------------------------------------------------------------------------------


def read(build, name="page.ipynb"):
    return nbformat.read(build.out / "downloads" / name, as_version=4)


def test_a_page_with_code_is_offered_as_a_clean_notebook(build):
    html = build(
        HEADER + "# Title\n\nText $\\norm{x}$, {cite:p}`a2020`.\n\n```{code-cell}\n"
        "---\ntags: [hide-input]\nmystnb:\n  figure:\n    caption: It $x$ falls.\n---\na = 1\n```\n\n"
        "```{image} drawing.svg\n:alt: A line.\n```\n\n```{bibliography}\n```\n"
    )
    assert re.search(r'</h1>\s*<p class="chapter-take-home"><a href="downloads/page.ipynb" download>', html)
    notebook = read(build)
    kinds = [cell.cell_type for cell in notebook.cells]
    assert kinds == ["markdown", "markdown", "code", "markdown", "markdown", "markdown"]
    first, needs, code, caption, picture, last = notebook.cells
    assert notebook.metadata.title == "Title" and "install the book's package" in needs.source
    assert (
        first.source == "# Title\n\nText $\\lVert x \\rVert$, ([Bell et al., 2020](https://doi.org/10.1/x))."
    )
    folded = {"jupyter": {"source_hidden": True}}
    assert (code.source, code.outputs, code.execution_count, code.metadata) == ("a = 1", [], None, folded)
    assert caption.source == "It $x$ falls."
    assert "![A line.](attachment:drawing.svg)" in picture.source
    assert list(picture.attachments) == ["drawing.svg"]
    assert "On gates" in picture.source and "On state" not in picture.source
    assert "CC BY 4.0" in last.source
    assert notebook.metadata.kernelspec.name == "python3"


def test_a_notebook_prints_what_the_page_quotes_and_tells_figures_in_words(build):
    build(
        HEADER + "# Title\n\n```{code-cell}\nimport json\nfrom myst_nb import glue\n```\n\n"
        "```{code-cell}\n:tags: [remove-cell]\n\n"
        "for name, τ in zip('ab', [1, 2]):\n    glue(f'τ_{name}', τ,\n         display=False)\n```\n\n"
        "```{code-cell}\n---\nmystnb:\n  figure:\n    caption: It falls.\n    name: fig-falls\n"
        "  image:\n    alt: A line\n      that $falls$.\n---\n1\n```\n"
    )
    cells = read(build).cells
    first, numbers, last = (cell for cell in cells if cell.cell_type == "code")
    assert (first.source, first.metadata) == ("import json", {})
    assert numbers.source == (
        "for name, τ in zip('ab', [1, 2]):\n    print(f'τ_{name}', τ,\n         sep=\" = \")"
    )
    assert numbers.metadata.jupyter.source_hidden and last.metadata == {}
    caption, words, _ = cells[cells.index(last) + 1 :]
    assert caption.source.endswith("It falls.")
    assert words.source == (
        "<details>\n<summary>The figure in words</summary>\n\nA line that \\$falls\\$.\n\n</details>"
    )


@pytest.mark.parametrize("code", ["from myst_nb import glue, x", "glue('a', 1)", "glue('a', 1, True)"])
def test_code_that_needs_the_page_fails_the_build(build, code):
    with pytest.raises(SphinxError, match=r"page: .*glue"):
        build(HEADER + f"# Title\n\n```{{code-cell}}\n{code}\n```\n")


def test_a_page_without_code_is_not_offered(build):
    html = build("# Title\n\nText.\n")
    assert "chapter-take-home" not in html
    assert not list((build.out / "downloads").glob("*.ipynb"))


def test_links_in_a_notebook_lead_to_the_site_once_it_has_an_address(build):
    page = HEADER + "# Title\n\n(there)=\n## Place\n\nSee {ref}`there`.\n\n```{code-cell}\n1\n```\n"
    build(page)
    assert read(build).cells[0].source.endswith("See *Place*.")
    build(page, html_baseurl="https://book.example/")
    assert read(build).cells[0].source.endswith("See [Place](https://book.example/page.html#there).")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("```{list-figure}\n```", "has no form in a downloaded notebook"),
        ("{glue:text}`nothing`", "no cell of this chapter glues 'nothing'"),
        ("{cite:p}`nobody1900`", "references.bib has no 'nobody1900'"),
        ("{kbd}`Ctrl`", "has no form in a downloaded notebook"),
        ("[x](nowhere.md)", "leads to no page of the book"),
    ],
)
def test_what_a_notebook_could_not_show_fails_the_build(build, text, sentence):
    with pytest.raises(SphinxError, match=re.escape(sentence)) as caught:
        build(HEADER + f"# Title\n\n{text}\n\n```{{code-cell}}\n1\n```\n")
    assert str(caught.value).startswith("page: ")


def test_the_archive_is_the_same_each_time(build):
    page = HEADER + "# Title\n\n```{code-cell}\n1\n```\n"
    build(page)
    first = next((build.out / "downloads").glob("*.zip")).read_bytes()
    build(page)
    assert next((build.out / "downloads").glob("*.zip")).read_bytes() == first
