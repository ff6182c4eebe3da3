"""Damaged artifacts: each stage names the file that is missing, cut, changed or added, and writes nothing."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.bad_input.way import Place

PARAMS = """
data: breast_cancer
model: mlp
training: default
search: none
gate: default
set:
  training: {max_epochs: 1}
  evaluate: {resamples: 20}
  explain: {rows: 2, global_rows: 4}
"""
STAGES = ("compose", "prepare", "search", "train", "export")


def _missing(file: Path) -> None:
    shutil.rmtree(file) if file.is_dir() else file.unlink()


def _cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-7])


def _emptied(file: Path) -> None:
    file.write_bytes(b"")


def _other_bytes(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 0x55
    file.write_bytes(bytes(content))


def _pickled(file: Path) -> None:
    file.write_bytes(b"\x80\x04K\x01.")


def _added(folder: Path) -> None:
    (folder / "image-00000.npy").write_bytes(b"\x93NUMPY")


MISSING, CHANGED, ADDED = "is missing", "was changed", "was added"
# The stage that is run, the file that is damaged before, how, and what is said of it.
CASES: dict[str, tuple[str, str, Callable[[Path], None], str]] = {
    "no configuration": ("prepare", "config.yaml", _missing, MISSING),
    "a changed configuration": ("prepare", "config.yaml", _other_bytes, CHANGED),
    "no specification": ("train", "prepare/spec.json", _missing, MISSING),
    "a cut specification": ("search", "prepare/spec.json", _cut, CHANGED),
    "a changed specification": ("export", "prepare/spec.json", _other_bytes, CHANGED),
    "no numbers": ("train", "prepare/train/numeric.npy", _missing, MISSING),
    "changed numbers": ("train", "prepare/train/numeric.npy", _other_bytes, CHANGED),
    "a pickle for numbers": ("train", "prepare/train/numeric.npy", _pickled, CHANGED),
    "an array too many": ("train", "prepare/train", _added, ADDED),
    "changed rows": ("evaluate", "prepare/test/rows.parquet", _other_bytes, CHANGED),
    "no test rows": ("evaluate", "prepare/test", _missing, MISSING),
    "a changed test target": ("explain", "prepare/test/target.npy", _other_bytes, CHANGED),
    "no finding of the search": ("train", "search/best.json", _missing, MISSING),
    "no weights": ("export", "train/weights.safetensors", _missing, MISSING),
    "cut weights": ("export", "train/weights.safetensors", _cut, CHANGED),
    "changed weights": ("export", "train/weights.safetensors", _other_bytes, CHANGED),
    "a pickle for weights": ("export", "train/weights.safetensors", _pickled, CHANGED),
    "no history": ("evaluate", "train/history.csv", _missing, MISSING),
    "a cut history": ("evaluate", "train/history.csv", _cut, CHANGED),
    "no graph": ("evaluate", "export/model.onnx", _missing, MISSING),
    "a cut graph": ("evaluate", "export/model.onnx", _cut, CHANGED),
    "a changed graph": ("explain", "export/model.onnx", _other_bytes, CHANGED),
    "a changed signature": ("evaluate", "export/signature.json", _other_bytes, CHANGED),
    "no manifest": ("train", "prepare/manifest/spec.json.json", _missing, MISSING),
    "an empty manifest": ("train", "prepare/manifest/train.json", _emptied, "damaged, no manifest"),
}  # fmt: skip


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory, empty_store: Path) -> Path:
    """The artifacts of a pipeline up to export."""
    root = tmp_path_factory.mktemp("exported")
    with pytest.MonkeyPatch.context() as patch:
        place = Place(root, patch)
        shutil.copytree(empty_store, root / "home")
        place.put({"params.yaml": PARAMS})
        for name in STAGES:
            ended = place.run(f"stage {name}")
            assert ended.status == 0, ended.said
    return root / "artifacts"


@pytest.mark.parametrize("case", CASES)
def test_a_damaged_artifact(place: Place, exported: Path, case: str) -> None:
    stage, name, damage, says = CASES[case]
    artifacts = place.root / "artifacts"
    shutil.copytree(exported, artifacts)
    damage(artifacts / name)
    before = place.tree()
    ended = place.run(f"stage {stage}")
    assert ended.status == 1, ended.said
    assert says in ended.said
    assert name.removesuffix(".json").removeprefix("prepare/manifest/") in ended.said
    assert "Traceback" not in ended.said
    assert place.tree() == before
