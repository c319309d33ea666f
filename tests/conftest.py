"""What the tests of the chapters share: a chapter's source, and what it said when it was executed."""

import functools
import importlib.util
import os
import random
import sys
from pathlib import Path

import pytest
from browsing import (  # noqa: F401  (fixtures for every test file)
    address,
    browser,
    built,
    open_page,
    pages,
    tabs,
    visit_page,
)
from nbclient import NotebookClient

ROOT = Path(__file__).resolve().parent.parent


@functools.cache
def built_book():
    """The module tools/book.py, which knows what `make book` executed."""
    spec = importlib.util.spec_from_file_location("book", ROOT / "tools" / "book.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def executed(page: Path):
    """The page as the book has executed it; executed here if the book is not built or is out of date."""
    book = built_book()
    notebook = book.executed(page)
    if notebook is None:
        notebook = book.read_notebook(page)
        NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(page.parent)}}).execute()
    return notebook


def glued(notebook) -> dict:
    """Every number and word that a notebook glues, by name."""
    found = {name: text for name, (text, _) in built_book().glued(notebook).items()}
    quotes = ("'", '"')
    return {
        name: text.strip("'\"") if text.startswith(quotes) else float(text) for name, text in found.items()
    }


def drawn(rows: list[dict], names) -> tuple[dict, dict, str]:
    """A row, another in every run, its key of these names, and what to say if it does not come out again."""
    draw = os.environ.get("GATEDRNN_ROW") or str(random.SystemRandom().randrange(10**6))
    row = random.Random(draw).choice(rows)
    key = {name: row[name] for name in names}
    return row, key, f"row {key} differs; GATEDRNN_ROW={draw} draws it again"


@pytest.fixture(autouse=True)
def no_figure_stays_open():
    """Close what a test has drawn, so that a test of what stays open sees its own figures only."""
    yield
    if "matplotlib.pyplot" in sys.modules:
        sys.modules["matplotlib.pyplot"].close("all")


@pytest.fixture(scope="module")
def said(request) -> dict:
    """What the chapter that a test module names in CHAPTER glues."""
    return glued(executed(request.module.CHAPTER))


@pytest.fixture(scope="module")
def source(request) -> str:
    """The text of the chapter that a test module names in CHAPTER."""
    return request.module.CHAPTER.read_text(encoding="utf-8")
