"""The stage ``export``: what it writes, what it refuses, what it does not import."""

import subprocess
import sys

import pytest
import torch
from tests.sealed import seal

from assay.artifacts.files import read_json, write_json
from assay.data.prepared import Split
from assay.errors import ArtifactError, ExportError
from assay.export.knobs import Export
from assay.inference.signature import read_signature
from assay.stages import export


@pytest.fixture
def project(exported, enter_copy):
    return enter_copy(exported)


def test_what_it_writes(exported):
    folder = exported / "artifacts/export"
    assert {p.name for p in folder.iterdir()} == {
        "instruments",
        "manifest",
        "model.onnx",
        "parity.json",
        "run.json",
        "signature.json",
    }
    parity = read_json(folder / "parity.json")
    assert parity["largest_difference"] <= parity["tolerance"]
    assert parity["rows"] == len(Split(exported / "artifacts/prepare/valid"))
    assert parity["equal_labels"] == 1.0
    assert parity["calibration"]["temperature"] > 0
    assert read_signature(folder / "signature.json").classes == ("benign", "malignant")


def test_the_same_network_gives_the_same_bytes(exported, project):
    first = (exported / "artifacts/export/model.onnx").read_bytes()
    export.run(export.Params(export=Export()))
    assert (project / "artifacts/export/model.onnx").read_bytes() == first


def test_above_tolerance_nothing_is_written(project):
    with pytest.raises(ExportError, match=r"export\.tolerance allows 1e-30"):
        export.run(export.Params(export=Export(tolerance=1e-30)))
    assert not (project / "artifacts/export").exists()


def test_weights_of_another_network_are_refused(project):
    path = project / "artifacts/prepare/spec.json"
    spec = read_json(path)
    spec["columns"] = spec["columns"][1:]
    path.unlink()
    write_json(path, spec)
    seal("prepare")
    with pytest.raises(ArtifactError, match="holds other tensors than this model has"):
        export.run(export.Params(export=Export()))
    assert torch.is_inference_mode_enabled() is False


def test_lightning_is_not_imported():
    code = "import sys, assay.stages.export; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout
    assert "torch" in loaded.split()
    assert not {"pytorch_lightning", "lightning", "optuna", "matplotlib"} & set(loaded.split())
