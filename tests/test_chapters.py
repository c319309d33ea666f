"""What holds for every chapter alike: its equations, citations, figures, objectives and glued numbers."""

import re
from pathlib import Path

import jupytext
import pytest
import yaml
from conftest import executed, glued

ROOT = Path(__file__).resolve().parent.parent
PARTS = ("Principles and mechanisms", "Applications")


def chapters() -> list[Path]:
    """The numbered chapters that the book's contents name, in their order."""
    contents = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
    entries = [entry for part in contents["parts"] if part["caption"] in PARTS for entry in part["chapters"]]
    return [ROOT / f"{entry['file']}.md" for entry in entries]


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
    named = re.findall(r"# (eq-[\w-]+)", text) + re.findall(r"\{eq\}`(eq-[\w-]+)`", text)
    assert named and set(named) <= labels


def test_every_citation_has_an_entry_with_an_identifier(text, entries):
    cited = {key for keys in re.findall(r"\{cite:\w+\}`([^`]+)`", text) for key in keys.split(",")}
    assert len(cited) >= 5 and cited <= set(entries)
    for key in cited:
        assert re.search(r"\b(doi|isbn|url|eprint|school|institution)\s*=", entries[key]), key


def test_every_figure_says_a_finding_and_has_a_written_alt_text(chapter):
    drawn = [cell for cell in jupytext.read(chapter).cells if "figures.size(" in cell.source]
    assert len(drawn) >= 2
    for cell in drawn:
        metadata = cell.metadata["mystnb"]
        assert metadata["figure"]["caption"].startswith("**"), cell.source
        assert len(metadata["image"]["alt"]) > 80, cell.source


def test_every_objective_leads_to_what_tests_it(text, labels):
    box = re.search(r"What you will be able to do\n(.*?)\n````", text, re.S)[1]
    objectives = re.findall(r"^\d\. .*(?:\n(?!\d\.|\n).*)*", box, re.M)
    assert len(objectives) >= 3
    for objective in objectives:
        targets = re.findall(r"\{ref\}`[^<]*<([\w-]+)>`", objective)
        assert targets and set(targets) <= labels, objective


@pytest.mark.notebook
def test_every_number_in_the_prose_is_computed(chapter, text):
    assert set(re.findall(r"\{glue:text\}`(\w+)", text)) <= set(glued(executed(chapter)))
