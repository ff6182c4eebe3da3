"""Tracked data that is missing or was changed, and paths in ``conf/data`` that lead nowhere."""

from __future__ import annotations

import shutil

import pytest

DATA, POINTER = "data/words/words.csv", "data/words/words.csv.dvc"


def test_a_missing_file_comes_from_the_cache(tiny):
    path = tiny.root / DATA
    whole = path.read_bytes()
    path.unlink()
    line = tiny.find("data")
    assert f"{DATA} is missing; --fix takes it from DVC's cache" in line.text
    tiny.mend("data")
    assert path.read_bytes() == whole
    assert tiny.repro() == []


@pytest.mark.parametrize("damage", ["gone", "cut"])
def test_without_a_whole_copy_the_person_is_told(tiny, damage):
    (tiny.root / DATA).unlink()
    for copy in (tiny.root / ".dvc/cache/files").rglob("*"):
        if copy.is_file():
            copy.chmod(0o644)
            copy.unlink() if damage == "gone" else copy.write_bytes(b"a")
    (line,) = tiny.doctor("data", fix=True)
    assert line.state == "found"
    assert "'dvc pull'" in line.text
    assert not (tiny.root / DATA).exists()


@pytest.mark.parametrize("content", ["a,b\nc,e\n", "a,b\n"])
def test_a_changed_file_is_told_and_not_overwritten(tiny, content):
    path = tiny.root / DATA
    path.unlink()
    path.write_text(content)
    (line,) = tiny.doctor("data", fix=True)
    assert line.state == "note"
    assert f"'dvc repro' takes the change, 'dvc checkout {POINTER}' undoes it" in line.text
    assert path.read_text() == content


@pytest.mark.parametrize("content", ["", "outs: 3\n", "outs:\n- path: x\n", "outs: [\n", "\0"])
def test_a_damaged_pointer_is_told(tiny, content):
    (tiny.root / POINTER).write_text(content)
    assert "git checkout HEAD -- " + POINTER in tiny.find("data").text


def test_a_path_that_leads_nowhere(tiny):
    shutil.copy(tiny.root / "conf/data/words.yaml", tiny.root / "conf/data/other.yaml")
    (tiny.root / "conf/data/words.yaml").write_text("path: data/words/word.csv\n")
    line = tiny.find("data")
    assert line.state == "found"
    assert "conf/data/words.yaml names data/words/word.csv" in line.text
    (tiny.root / "params.yaml").write_text("data: other\n")
    assert tiny.find("data").state == "note"  # nothing that runs needs it


def test_a_path_that_is_yet_to_be_given_is_none(tiny):
    (tiny.root / "conf/data/csv.yaml").write_text("path: ???\n")
    (tiny.root / "conf/data/digits.yaml").write_text("_target_: x\n")
    assert tiny.find("data").state == "ok"
