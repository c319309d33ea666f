"""`make lab`: a learner's copies are made once and never touched again."""

import importlib.util
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture
def lab(tmp_path, monkeypatch):
    spec = importlib.util.spec_from_file_location("lab", ROOT / "tools" / "lab.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "WORK", tmp_path / "my-work")
    monkeypatch.setattr(module, "EDITIONS", tmp_path / "my-work" / ".editions")
    return module


def test_a_learners_copy_is_kept_and_a_newer_edition_is_said(lab, tmp_path):
    original, place = tmp_path / "01.ipynb", Path("chapters/01.ipynb")
    original.write_text("first edition")
    assert lab.hand_out([(original, place)]) == []
    copy = lab.WORK / place
    assert copy.read_text() == "first edition"
    copy.write_text("first edition, with the learner's notes")
    assert lab.hand_out([(original, place)]) == []  # notes are no edition
    original.write_text("second edition")
    (sentence,) = lab.hand_out([(original, place)])
    assert sentence == "my-work/chapters/01.ipynb is of an older edition; yours is kept."
    assert copy.read_text() == "first edition, with the learner's notes"
    copy.rename(tmp_path / "moved away")
    assert lab.hand_out([(original, place)]) == []
    assert copy.read_text() == "second edition"


def test_without_a_built_book_it_says_what_to_run(lab, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(lab, "ROOT", tmp_path)
    assert lab.main([]) == 1
    assert "run `make lab`" in capsys.readouterr().err
