"""The list of claims: every glued number with its cell, every citation, sentence by sentence."""

import importlib.util
import sys

from conftest import ROOT
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output


def test_a_claim_stands_beside_the_cell_or_the_paper_behind_it(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "tools")
    spec = importlib.util.spec_from_file_location("claims", ROOT / "tools" / "claims.py")
    claims = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(claims)
    sys.modules.pop("book", None)
    record = new_output(
        "display_data",
        data={"application/papermill.record/text/plain": "10.1"},
        metadata={"scrapbook": {"name": "tau"}},
    )
    text = (
        "It lasts {glue:text}`tau:.0f` ms. Nothing is claimed here. Others found more {cite:p}`murray2014`."
    )
    notebook = new_notebook(
        cells=[new_code_cell("1"), new_code_cell("glue", outputs=[record]), new_markdown_cell(text)]
    )
    assert list(claims.claims(notebook)) == [
        ("It lasts <tau> ms.", ["tau = 10.1 (cell 2)"]),
        ("Others found more {cite:p}`murray2014`.", ["cited: murray2014"]),
    ]
