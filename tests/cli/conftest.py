"""A project of its own, and all that is in it."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeAlias

import numpy as np
import pandas as pd
import pytest
from tests.cli.small import image_graph, table_graph, text_graph

from assay.cli.main import main
from assay.tracking import registry
from assay.tracking.run import stage_run

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


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home in which a model of tables, one of images and one of texts are registered."""
    folder = tmp_path_factory.mktemp("home")
    frame = pd.DataFrame({"size": [1.0], "colour": ["red"]})
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ASSAY_HOME", str(folder))
        patch.chdir(folder)
        for name in ("MLFLOW_TRACKING_URI", "DVC_EXP_NAME", "DVC_ROOT"):
            patch.delenv(name, raising=False)
        Path("artifacts").mkdir()
        Path("artifacts/config.yaml").write_text("choices: {}\nname: flowers\nseed: 0\n")
        file = folder / "graph.onnx"
        with stage_run("register", folder=folder) as tracked:
            for name, make, example in (
                ("flowers", table_graph, frame),
                ("pictures", image_graph, {"image": np.zeros((1, 1, 2, 2), np.uint8)}),
                ("reviews", text_graph, {"tokens": np.array([[3, 2]]), "lengths": np.array([2])}),
            ):
                version = registry.register(
                    name,
                    run_id=tracked.run_id,
                    graph=file,
                    signature=make(file),
                    example=example,
                    tags={},
                )
                registry.set_alias(version, "champion")
    return folder


Assay: TypeAlias = Callable[..., tuple[int, str, str]]


@pytest.fixture
def assay(
    home: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Iterator[Assay]:
    """Run a verb in this process and return its exit status and what it said."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ASSAY_HOME", str(home))
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    before = signal.getsignal(signal.SIGTERM)

    def assay(*words: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["assay", *map(str, words)])
        status = 0
        try:
            main()
        except SystemExit as ended:
            status = int(ended.code or 0)
        said = capsys.readouterr()
        return status, said.out, said.err

    yield assay
    signal.signal(signal.SIGTERM, before)


@contextmanager
def changed(home: Path, uri: str) -> Iterator[None]:
    """Damage one byte of a registered version's graph within the block."""
    with tempfile.TemporaryDirectory() as scratch:
        model = (registry.fetch(registry.resolve(uri), Path(scratch)) / "model.onnx").read_bytes()
    (file,) = (p for p in home.rglob("model.onnx") if p.read_bytes() == model)
    file.write_bytes(model[:-1] + bytes([model[-1] ^ 1]))
    try:
        yield
    finally:
        file.write_bytes(model)


def content(root: Path) -> dict[str, bytes]:
    kept = [
        p
        for p in root.rglob("*")
        if p.is_file() and not {".git", ".dvc"} & set(p.relative_to(root).parts)
    ]
    return {str(p.relative_to(root)): p.read_bytes() for p in kept}
