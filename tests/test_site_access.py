"""axe on every page of the built site, in both colour schemes, everything unfolded and nothing excused."""

from pathlib import Path

import axe_playwright_python
import pytest
from browsing import page_names, settle

AXE = Path(axe_playwright_python.__file__).parent / "axe.min.js"
SCHEMES = ("light", "dark")

# What is folded is opened, and what is far is laid out: axe does not look at what nobody sees.
UNFOLD = "document.querySelectorAll('details').forEach((node) => { node.open = true; })"
# The rules that look at colours, and slowly: every box of every formula is one text more. A formula has one
# colour, so one letter in its place is looked at for all of them. Other rules see the page as it is, once:
# to them it is the same document in either scheme.
COLOURS = ["color-contrast", "link-in-text-block"]
ONE_LETTER = "document.querySelectorAll('.katex').forEach((node) => { node.textContent = 'x'; })"
RUN = """(options) => axe.run(document, { resultTypes: ["violations"], ...options })
  .then(({ violations }) => violations.flatMap(({ id, nodes }) =>
    nodes.map((node) => `${id}: ${node.target.join(" ")}: ${node.failureSummary}`)))"""
BUT_COLOURS = {"rules": {rule: {"enabled": False} for rule in COLOURS}}


@pytest.mark.browser
@pytest.mark.parametrize("name", page_names() or ["index.html"])
def test_axe_finds_nothing(open_page, name):
    found = {}
    for scheme in SCHEMES:
        page = open_page(name, color_scheme=scheme, reduced_motion="reduce")
        page.evaluate(UNFOLD)
        page.add_style_tag(content=".long-part { content-visibility: visible !important; }")
        settle(page)
        page.add_script_tag(path=AXE)
        found[scheme] = page.evaluate(RUN, BUT_COLOURS) if scheme == SCHEMES[0] else []
        page.evaluate(ONE_LETTER)
        found[scheme] += page.evaluate(RUN, {"runOnly": COLOURS})
    assert found == {scheme: [] for scheme in SCHEMES}


@pytest.mark.browser
def test_axe_would_find_a_fault(open_page):
    """The test above can fail: a pale word, a picture without words and a nameless button are found."""
    page = open_page("index.html")
    page.add_script_tag(path=AXE)
    page.evaluate(
        """document.querySelector("article").insertAdjacentHTML("beforeend",
        '<p style="color: #ddd; background: #fff">pale</p><img src="data:,"><button></button>')"""
    )
    found = " ".join(page.evaluate(RUN, {}))
    assert all(rule in found for rule in ("color-contrast", "image-alt", "button-name"))
