"""The project's home is one and the same from wherever DVC or git put the code."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from assay.artifacts.paths import home, project_root, real_root


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DVC_ROOT", "ASSAY_HOME"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    root = tmp_path / "repository"
    root.mkdir()
    (root / "dvc.yaml").touch()
    (root / "sub").mkdir()
    (root / "sub" / "dvc.yaml").touch()
    _git(root, "init", "-q")
    _git(root, "add", "-A")
    _git(root, "-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "start")
    return root


def _git(root: Path, *words: str) -> None:
    subprocess.run(["git", *words], cwd=root, check=True, capture_output=True)


def test_the_root_holds_dvc_yaml(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inside = repository / "src" / "deep"
    inside.mkdir(parents=True)
    monkeypatch.chdir(inside)
    assert project_root() == repository
    assert home() == repository / ".assay"


def test_dvc_says_where_the_root_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DVC_ROOT", str(tmp_path))
    assert project_root() == tmp_path


@pytest.mark.parametrize("copy", ["standalone/tmpab12", "tmpab12"])
def test_an_experiments_copy_has_the_real_home(
    repository: Path, copy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    inside = repository / ".dvc" / "tmp" / "exps" / copy
    inside.mkdir(parents=True)
    (inside / "dvc.yaml").touch()
    monkeypatch.setenv("DVC_ROOT", str(inside))
    monkeypatch.chdir(inside)
    assert project_root() == inside
    assert real_root() == repository
    assert home() == repository / ".assay"


@pytest.mark.parametrize("place", [".", "sub"])
def test_a_worktree_has_the_main_ones_home(
    repository: Path, place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _git(repository, "worktree", "add", "-q", str(tmp_path / "tree"))
    monkeypatch.chdir(tmp_path / "tree" / place)
    assert project_root() == tmp_path / "tree" / place
    assert real_root() == repository / place


def test_a_submodule_is_a_repository_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inside = tmp_path / "inside"
    inside.mkdir()
    (inside / "dvc.yaml").touch()
    (inside / ".git").write_text("gitdir: ../.git/modules/inside\n")
    monkeypatch.chdir(inside)
    assert real_root() == inside


def test_the_home_can_be_moved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ASSAY_HOME", "else/where")
    assert home() == tmp_path / "else" / "where"
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("ASSAY_HOME", "~/mine")
    assert home() == tmp_path / "mine"
