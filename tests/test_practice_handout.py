"""Handing out never overwrites anything."""

import os

import pytest
from gatedrnn.cli import main
from gatedrnn.practice import handout, sets
from gatedrnn.practice.handout import copy_release


def test_every_set_is_copied_as_it_was_released(tmp_path):
    copies = copy_release(tmp_path / "new" / "place")
    assert [copy.new for copy in copies] == [True] * len(sets.MODULES)
    for copy, name in zip(copies, sets.MODULES, strict=True):
        exercise_set = sets.load(name)
        assert copy.path == tmp_path / "new" / "place" / name / exercise_set.notebook
        assert copy.path.read_bytes() == (handout.RELEASE / name / exercise_set.notebook).read_bytes()


def test_a_learners_notebook_is_kept(tmp_path):
    (copy,) = copy_release(tmp_path, ["set-1"])
    copy.path.write_text("my work")
    os.utime(copy.path, ns=(10**18, 10**18))
    (again,) = copy_release(tmp_path, ["set-1"])
    assert again == (copy.path, False)
    assert copy.path.read_text() == "my work" and copy.path.stat().st_mtime_ns == 10**18


@pytest.mark.skipif(os.name != "posix", reason="links need rights elsewhere")
def test_a_link_is_kept_too_even_a_broken_one(tmp_path):
    (tmp_path / "set-1").mkdir()
    link = tmp_path / "set-1" / sets.load("set-1").notebook
    link.symlink_to(tmp_path / "elsewhere.ipynb")
    assert copy_release(tmp_path, ["set-1"]) == [(link, False)]
    assert link.is_symlink() and not (tmp_path / "elsewhere.ipynb").exists()


def test_a_copy_that_is_cut_short_leaves_nothing(tmp_path, monkeypatch):
    def full(source, target):
        target.write(source.read(100))
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(handout.shutil, "copyfileobj", full)
    with pytest.raises(OSError, match="No space left"):
        copy_release(tmp_path, ["set-1"])
    assert list((tmp_path / "set-1").iterdir()) == []


def test_a_package_without_the_book_says_what_to_do(tmp_path):
    with pytest.raises(FileNotFoundError, match="take the notebook from the book's page"):
        copy_release(tmp_path / "work", source=tmp_path / "nowhere")
    assert not (tmp_path / "work").exists()


def test_the_command_says_what_is_new_and_what_was_kept(tmp_path, capsys):
    assert main(["start", "set-1", "--to", str(tmp_path)]) == 0
    assert capsys.readouterr().out.endswith("echo-and-time-scales.ipynb: new\n")
    assert main(["start", "set-1", "--to", str(tmp_path)]) == 0
    assert capsys.readouterr().out.endswith("was there already, kept as it is\n")


def test_the_command_refuses_in_one_sentence(tmp_path, capsys):
    assert main(["start", "set-99", "--to", str(tmp_path)]) == 2
    assert capsys.readouterr().err == (
        f"gatedrnn start: there is no set 'set-99'; known sets: {', '.join(sets.MODULES)}\n"
    )
    (tmp_path / "file").write_text("")
    assert main(["start", "--to", str(tmp_path / "file")]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1
