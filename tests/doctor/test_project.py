"""The files that a person writes, and the repositories that they lie in."""

from __future__ import annotations

import shutil

import pytest

BROKEN = {"no YAML": "a: [\n", "empty": "", "a list": "- 1\n", "no text": "\xff"}


@pytest.mark.parametrize("name", ["dvc.yaml", "params.yaml"])
@pytest.mark.parametrize("case", BROKEN)
def test_a_file_that_cannot_be_read_is_told_and_not_touched(tiny, name, case):
    path = tiny.root / name
    path.write_bytes(BROKEN[case].encode("latin-1"))
    before = tiny.digest()
    (line,) = tiny.doctor("project", fix=True)
    assert line.state == "found"
    assert f"git checkout HEAD -- {name}" in line.text
    assert tiny.digest() == before


def test_without_git_and_without_dvc(tiny):
    shutil.rmtree(tiny.root / ".git")
    shutil.rmtree(tiny.root / ".dvc")
    lines = tiny.doctor("project")
    assert [line.state for line in lines] == ["found", "found"]
    assert "run 'git init'" in lines[0].text
    assert "run 'dvc init'" in lines[1].text


def test_a_lock_of_git(tiny):
    (tiny.root / ".git/index.lock").touch()
    assert "remove " in tiny.find("project").text


def test_a_home_that_cannot_be_written(tiny, monkeypatch):
    monkeypatch.setenv("ASSAY_HOME", str(tiny.root / "params.yaml" / "home"))
    assert "name another place in ASSAY_HOME" in tiny.find("project").text


def test_a_check_that_cannot_look_says_so(tiny):
    (tiny.root / "dvc.yaml").write_text("stages: 3\n")
    (tiny.root / "dvc.lock").write_text("")
    line = tiny.find("lockfile")
    assert line.state == "found"
    assert "cannot be looked at: dvc.yaml has no stages" in line.text
