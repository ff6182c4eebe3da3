"""The stage prepare: its files, what it tracks, and what it leaves when it fails."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from assay.artifacts.files import digest, read_json
from assay.artifacts.paths import CONFIG
from assay.config.load import load
from assay.errors import DataError
from assay.stages import prepare

_SPLITS = ("train", "valid", "test")


@pytest.fixture(autouse=True)
def _project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("MLFLOW_TRACKING_URI", "DVC_ROOT", "DVC_EXP_NAME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("ASSAY_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    rows = "".join(f"{i % 11},{i % 7},{'yes' if i % 2 else 'no'}\n" for i in range(80))
    Path("churn.csv").write_text(f"age,visits,churned\n{rows}")
    data = {"_target_": "assay.data.csv.Csv", "path": "churn.csv", "target": "churned"}
    CONFIG.parent.mkdir()
    choices = {"data": "churn", "model": "mlp", "gate": "default"}
    CONFIG.write_text(
        yaml.safe_dump({"choices": choices, "name": "churn", "seed": 0, "data": data})
    )


def _run() -> None:
    prepare.run(load(prepare.Params, CONFIG))


def _files(folder: str) -> set[str]:
    return {p.name for p in Path(folder).iterdir()}


def test_it_writes_splits_specification_checks_and_digests() -> None:
    _run()
    listed = {*_SPLITS, "spec.json", "checks.json", "digests.json", "run.json", "manifest"}
    assert _files("artifacts/prepare") == listed
    digests = read_json(Path("artifacts/prepare/digests.json"))
    assert set(digests) == {"data", *_SPLITS}
    for name in _SPLITS:
        assert digests[name] == digest(Path("artifacts/prepare") / name)
    checks = read_json(Path("artifacts/prepare/checks.json"))
    assert sum(checks["split"]["rows"].values()) == 80


def test_a_changed_cell_is_another_digest_and_bad_data_leaves_the_files_of_before() -> None:
    _run()
    before = read_json(Path("artifacts/prepare/digests.json"))
    text = Path("churn.csv").read_text()
    Path("churn.csv").write_text(text.replace("\n0,0,no\n", "\n99,0,no\n", 1))
    _run()
    after = read_json(Path("artifacts/prepare/digests.json"))
    assert after["data"] != before["data"]
    Path("churn.csv").write_text(text.replace("\n0,0,no\n", "\ninf,0,no\n", 1))
    with pytest.raises(DataError, match="column 'age' holds 1 number, infinite"):
        _run()
    assert read_json(Path("artifacts/prepare/digests.json")) == after
    assert _files("artifacts") == {"config.yaml", "prepare", ".locks"}


def test_it_imports_neither_torch_nor_lightning() -> None:
    code = (
        "import sys, assay.stages.prepare;"
        "print([m for m in ('torch', 'pytorch_lightning') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
