"""A project for each case, and a tracking store that is made once."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from tests.bad_input.way import Place

from assay.tracking.store import open_store


@pytest.fixture(scope="session")
def empty_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The home of an empty tracking store, which takes seconds to make."""
    folder = tmp_path_factory.mktemp("store")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ASSAY_HOME", str(folder))
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        open_store()
    return folder


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, empty_store: Path) -> Place:
    """A project with an empty store."""
    place = Place(tmp_path, monkeypatch)
    shutil.copytree(empty_store, tmp_path / "home")
    return place
