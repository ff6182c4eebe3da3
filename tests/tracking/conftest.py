from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from assay.tracking import invocation
from assay.tracking.store import _ensure_database

CHOSEN = "choices: {data: digits, model: cnn, gate: none}\nname: digits\nseed: 7\n"
UNSET = ("MLFLOW_TRACKING_URI", "MLFLOW_EXPERIMENT_NAME", "DVC_EXP_NAME", "DVC_ROOT")


@pytest.fixture(scope="session")
def fresh_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store that was made once; tests copy it, since building the tables takes a second."""
    folder = tmp_path_factory.mktemp("fresh")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ASSAY_HOME", str(folder))
        for name in UNSET:
            patch.delenv(name, raising=False)
        _ensure_database(folder / "mlflow.db")
    return folder / "mlflow.db"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty project with a composed configuration; its home holds no store yet."""
    for name in (*UNSET, "ASSAY_PARENT_RUN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("ASSAY_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "artifacts").mkdir()
    (tmp_path / "artifacts" / "config.yaml").write_text(CHOSEN)
    return tmp_path


@pytest.fixture
def home(project: Path, fresh_database: Path) -> Path:
    """The home of a project whose store is there, empty."""
    folder = project / "home"
    folder.mkdir()
    shutil.copy(fresh_database, folder / "mlflow.db")
    return folder


@pytest.fixture
def dvc(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Set which invocation the stages that follow belong to."""

    def begin(name: str) -> None:
        monkeypatch.setattr(invocation, "invocation_key", lambda: f"host:{name}:1.00")

    begin("first")
    return begin
