"""axe on every page of the built site, in both colour schemes, everything unfolded and nothing excused."""

from pathlib import Path

import axe_playwright_python
import pytest
from browsing import lay_out, page_names, settle

AXE = Path(axe_playwright_python.__file__).parent / "axe.min.js"
SCHEMES = ("light", "dark")
CHAPTER = "chapters/principles/01-machine-with-memory.html"

# What is folded is opened, and what is far is laid out: axe does not look at what nobody sees.
UNFOLD = "document.querySelectorAll('details').forEach((node) => { node.open = true; })"
# The rules that look at colours, and slowly: every box of every formula and every word of code is one text
# more. A formula has one colour, so two letters in its place are looked at for all of them (axe never calls a
# single letter too pale); a block of code has one for each class of words, so the first of each class is.
# Other rules see the page as it is, once: to them it is the same document in either scheme.
COLOURS = ["color-contrast", "link-in-text-block"]
ONE_OF_EACH = """() => {
  document.querySelectorAll(".katex").forEach((node) => { node.textContent = "xy"; });
  document.querySelectorAll(".highlight pre").forEach((block) => {
    const seen = new Set();
    block.querySelectorAll("span[class]:not(:has(*))").forEach((word) => {
      const kind = `${word.parentElement.className}/${word.className}/${word.style.cssText}`;
      if (seen.has(kind)) word.remove();
      seen.add(kind);
    });
  });
}"""
RUN = """(options) => axe.run(document, { resultTypes: ["violations"], ...options })
  .then(({ violations }) => violations.flatMap(({ id, nodes }) =>
    nodes.map((node) => `${id}: ${node.target.join(" ")}: ${node.failureSummary}`)))"""
BUT_COLOURS = {"rules": {rule: {"enabled": False} for rule in COLOURS}}


def faults(page, scheme: str) -> list[str]:
    """What axe finds on an open page; all that does not hang on colours it looks for in the first scheme."""
    page.evaluate(UNFOLD)
    lay_out(page)
    settle(page)
    page.add_script_tag(path=AXE)
    assert page.evaluate("document.documentElement.dataset.theme") == scheme
    found = page.evaluate(RUN, BUT_COLOURS) if scheme == SCHEMES[0] else []
    page.evaluate(ONE_OF_EACH)
    return found + page.evaluate(RUN, {"runOnly": COLOURS})


@pytest.mark.browser
@pytest.mark.parametrize("name", page_names() or ["index.html"])
def test_axe_finds_nothing(visit_page, name):
    found = {}
    for scheme in SCHEMES:
        page = visit_page(name, color_scheme=scheme, reduced_motion="reduce")
        found[scheme] = faults(page, scheme)
    assert found == {scheme: [] for scheme in SCHEMES}


PALE = "color: #999 !important; background: #888 !important"
PLANTED = {
    "a pale word": (f'<p style="{PALE}">pale</p>', "color-contrast"),
    "a pale formula": (
        f'<p style="{PALE}"><span class="math"><span class="katex"><i>h</i></span></span></p>',
        "color-contrast",
    ),
    "a pale class of words in code": (
        f"<style>.pale {{ {PALE} }}</style>"
        '<div class="highlight"><pre><span class="k">for</span> <span class="pale">x_0</span> '
        '<span class="k">in</span> <span class="pale">x_1</span></pre></div>',
        "color-contrast",
    ),
    "one pale word among others of its class": (
        '<div class="highlight"><pre><span class="n">x_0</span> '
        f'<span class="n" style="{PALE}">x_1</span></pre></div>',
        "color-contrast",
    ),
    "a picture without words": ('<img src="data:,">', "image-alt"),
    "a button without a name": ("<button></button>", "button-name"),
}


@pytest.mark.browser
@pytest.mark.parametrize("scheme", SCHEMES)
def test_axe_would_find_a_fault(visit_page, scheme):
    """The test above can fail: what is planted on a page, folded and far down, is found."""
    page = visit_page(CHAPTER, color_scheme=scheme, reduced_motion="reduce")
    for number, (html, _) in enumerate(PLANTED.values()):
        page.evaluate(
            """([html, number]) => {
              const parts = document.querySelectorAll("article .long-part");
              parts[parts.length - 1].insertAdjacentHTML("beforeend",
                `<details><summary>More</summary><div id="planted-${number}">${html}</div></details>`);
            }""",
            [html, number],
        )
    found = [fault.split(": ")[:2] for fault in faults(page, scheme)]
    place = "(target) => document.querySelector(target).closest('[id^=planted]')?.id"
    found = {(rule, page.evaluate(place, target)) for rule, target in found}
    wanted = {(rule, f"planted-{number}") for number, (_, rule) in enumerate(PLANTED.values())}
    assert found == {(rule, place) for rule, place in wanted if rule in COLOURS or scheme == SCHEMES[0]}
