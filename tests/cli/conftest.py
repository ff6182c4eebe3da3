"""A project of its own, and all that is in it."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
_KEPT = ["conf", "params.yaml", "dvc.yaml", ".gitignore", ".dvcignore"]


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("template")
    for name in _KEPT:
        source = ROOT / name
        (shutil.copytree if source.is_dir() else shutil.copyfile)(source, root / name)
    (root / "data").mkdir()
    (root / "params.yaml").write_text(
        "# chosen by hand\ndata: digits  # digits\nmodel: cnn\ntraining: default\nsearch: none\n"
        "gate: default\nset:\n  model: {width: 8}\n  training:\n    lr: 0.01  # found by hand\n"
    )
    for words in (["git", "init", "-q"], [sys.executable, "-m", "dvc", "init", "-q"]):
        subprocess.run(words, cwd=root, check=True, capture_output=True)
    return root


@pytest.fixture
def project(template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = tmp_path / "project"
    shutil.copytree(template, root, symlinks=True)
    monkeypatch.delenv("DVC_ROOT", raising=False)
    monkeypatch.chdir(root)
    return root


def content(root: Path) -> dict[str, bytes]:
    kept = [
        p
        for p in root.rglob("*")
        if p.is_file() and not {".git", ".dvc"} & set(p.relative_to(root).parts)
    ]
    return {str(p.relative_to(root)): p.read_bytes() for p in kept}
