"""What holds for every chapter alike: its equations, citations, figures, objectives and glued numbers."""

import math
import re
from pathlib import Path

import jupytext
import pytest
import yaml
from conftest import executed, glued

ROOT = Path(__file__).resolve().parent.parent
PARTS = ("Principles and mechanisms", "Applications")
# Books, theses and papers of conferences that have no DOI.
WITHOUT_DOI = {
    "costa2017cortical",
    "dayan2001theoretical",
    "heek2020flax",
    "hochreiter1991untersuchungen",
    "jaeger2001echo",
    "jozefowicz2015empirical",
    "kramer2016case",
    "maheswaranathan2019reverse",
    "maris2025open",
    "silva2012predicting",
}
# Chapters that glue whole families of numbers in a loop and tell some of them; all others tell every one.
TELL_SOME = {"04", "05", "06", "08", "11", "12"}
# The numbers with a point or a comma that stand in the prose as they are: settings, what the reader is asked
# to try, what others have published, and facts of a data card. Every other such number is computed.
TYPED = {
    "01": "0.001 0.01 0.02 0.1 0.5 0.8 0.9 0.99",
    "02": "0.003 0.01 0.05 0.1 0.5 0.9 0.95 1.05 1.1 1.5 2.5 3.6",
    "03": "0.01 0.03 0.05 1,024 5,400",
    "04": "0.85 1.5",
    "05": "0.05 0.1 0.2 0.5 0.9 0.99 0.995 0.999 1.5",
    "06": "1.50 2.25",
    "07": "0.005 3,018",
    "08": "0.1 0.2 3.0 4,297 6,783",
    "09": "0.2 1,000 2,000 2.5 6,400",
    "10": "0.2 0.5 1.0 3,200 4,000",
    "11": "0.06 0.977 1.36 2,333 2.3 264,385",
    "12": "0.01 3.6",
}


def chapters() -> list[Path]:
    """The numbered chapters that the book's contents name, in their order."""
    contents = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
    entries = [entry for part in contents["parts"] if part["caption"] in PARTS for entry in part["chapters"]]
    return [ROOT / f"{entry['file']}.md" for entry in entries]


def anchors(page: Path) -> set[str]:
    """The places of a page that others can lead to."""
    return set(re.findall(r"^\(([\w-]+)\)=$", page.read_text(encoding="utf-8"), re.M))


def labels_of_the_book() -> list[str]:
    """Every label that a page defines: before a heading, of an equation, of a figure."""
    pages = [ROOT / "index.md", *(ROOT / "chapters").rglob("*.md")]
    text = "\n".join(page.read_text(encoding="utf-8") for page in pages)
    return re.findall(r"^\(([\w-]+)\)=$|^:(?:label|name): ([\w-]+)$|^    name: ([\w-]+)$", text, re.M)


@pytest.fixture(scope="module")
def labels() -> set[str]:
    return {label for found in labels_of_the_book() for label in found if label}


@pytest.fixture(scope="module")
def entries() -> dict[str, str]:
    bibliography = (ROOT / "references.bib").read_text(encoding="utf-8")
    return dict(re.findall(r"@\w+\{([\w-]+),(.*?)\n\}", bibliography, re.S))


@pytest.fixture(params=chapters(), ids=lambda page: page.stem)
def chapter(request) -> Path:
    return request.param


@pytest.fixture
def text(chapter) -> str:
    return chapter.read_text(encoding="utf-8")


def test_no_label_is_given_twice():
    found = [label for labels in labels_of_the_book() for label in labels if label]
    assert sorted(found) == sorted(set(found))


def test_every_equation_that_the_package_names_is_defined(labels):
    sources = (ROOT / "code" / "gatedrnn").rglob("*.py")
    text = "\n".join(path.read_text(encoding="utf-8") for path in sources)
    named = set(re.findall(r"#.*?\b(eq-[\w-]+)", text))
    assert len(named) > 20 and named <= labels


def test_every_equation_that_a_chapter_names_is_defined(text, labels):
    told, coded = (set(re.findall(pattern, text)) for pattern in (r"\{eq\}`(eq-[\w-]+)`", r"# (eq-[\w-]+)"))
    assert told <= labels
    assert coded and coded <= set(re.findall(r"^:label: (eq-[\w-]+)$", text, re.M))  # of this very chapter


def test_every_citation_has_an_entry_with_an_identifier(text, entries):
    cited = {key for keys in re.findall(r"\{cite:\w+\}`([^`]+)`", text) for key in keys.split(",")}
    assert len(cited) >= 7 and cited <= set(entries)
    for key in cited:
        wanted = r"isbn|url|eprint|school|institution" if key in WITHOUT_DOI else "doi"
        assert re.search(rf"\b({wanted})\s*=", entries[key]), key


def test_every_figure_says_a_finding_and_has_a_written_alt_text(chapter):
    cells = jupytext.read(chapter).cells
    drawn = [cell for cell in cells if "figures.size(" in cell.source or "plt.subplots(" in cell.source]
    assert len(drawn) >= 3
    assert drawn == [cell for cell in cells if "image" in cell.metadata.get("mystnb", {})]
    for cell in drawn:
        metadata = cell.metadata["mystnb"]
        assert metadata["figure"]["caption"].startswith("**"), cell.source
        assert len(metadata["image"]["alt"]) > 80, cell.source


def test_every_objective_leads_to_what_tests_it(chapter, text):
    box = re.search(r"What you will be able to do\n(.*?)\n````", text, re.S)[1]
    objectives = re.findall(r"^\d\. .*(?:\n(?!\d\.|\n).*)*", box, re.M)
    assert [int(objective[0]) for objective in objectives] == list(range(1, len(objectives) + 1))
    assert len(objectives) >= 4
    sets = (ROOT / "chapters" / "practice").glob("set-*.md")
    places = anchors(chapter).union(*map(anchors, sets))
    for objective in objectives:
        targets = re.findall(r"\{ref\}`[^<]*<([\w-]+)>`", objective)
        assert targets and set(targets) <= places, objective


@pytest.mark.notebook
def test_every_number_in_the_prose_is_computed(chapter, text):
    told, computed = set(re.findall(r"\{glue:text\}`(\w+)", text)), glued(executed(chapter))
    assert told <= set(computed)
    assert told == set(computed) or chapter.stem[:2] in TELL_SOME
    assert all(math.isfinite(value) for value in computed.values() if isinstance(value, float))


def test_no_result_is_typed(chapter, text):
    prose = text.split("\n---\n", 1)[1]
    prose = re.sub(r"^(```+)\{(?:code-cell|math|bibliography)\}.*?^\1$", "", prose, flags=re.M | re.S)
    prose = re.sub(r"\{[\w:]+\}`[^`]*`", "", prose)  # roles, glued numbers among them
    prose = re.sub(r"\$\$.*?\$\$|\$[^$]*\$|`[^`]*`", "", prose, flags=re.S)
    typed = set(re.findall(r"(?<![\w.,/])0?\.\d+|(?<![\w/.])\d+\.\d+|\d+,\d{3}", prose))
    assert typed <= set(TYPED[chapter.stem[:2]].split())
