"""A trained network, and its export, made once for the stages that begin from one."""

import dataclasses
import shutil
from pathlib import Path

import pandas as pd
import pytest
import torch
from tests.sealed import seal

from assay.artifacts.files import write_json, write_yaml
from assay.artifacts.manifest import MANIFEST
from assay.data.breast_cancer import BreastCancer
from assay.data.diabetes import Diabetes
from assay.data.prepared import Split
from assay.data.spec import read_spec
from assay.export.knobs import Export
from assay.layers.network import Network
from assay.model.mlp import Mlp
from assay.pipeline.fitting.network import write_weights
from assay.pipeline.fitting.repeats import COLUMNS
from assay.split.prepare import prepare
from assay.stages import export
from assay.tracking.store import open_store
from assay.training.knobs import Training

MODEL = Mlp(width=8, depth=1, dropout=0.0)
HOME, PREPARE, TRAIN = "home", "artifacts/prepare", "artifacts/train"


def _train(root, data):
    """Prepare data, and train for a moment: a network that has learned something."""
    folder = root / PREPARE
    folder.mkdir(parents=True)
    prepare(data, folder=folder)
    spec, split = read_spec(folder / "spec.json"), Split(folder / "train")
    torch.manual_seed(0)
    network = Network(spec=spec, model=MODEL)
    optimizer = torch.optim.Adam(network.parameters(), lr=0.02)
    inputs = {name: torch.from_numpy(array) for name, array in split.whole().items()}
    target = torch.from_numpy(split.target.copy())
    for _ in range(60):
        outputs = network(**inputs)
        if spec.task == "classification":
            loss = torch.nn.functional.cross_entropy(outputs, target)
        else:
            scaled = (target - spec.target_mean) / spec.target_std
            loss = torch.nn.functional.mse_loss(outputs[:, 0], scaled)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    _write(root / TRAIN, network)


def _write(folder, network):
    folder.mkdir()
    write_weights(folder / "weights.safetensors", network.state_dict())
    model = {"_target_": "assay.model.mlp.Mlp", **dataclasses.asdict(MODEL)}
    training = dataclasses.asdict(Training())
    write_yaml(folder / "effective.yaml", {"model": model, "training": training, "seed": 0})
    (folder / "beside").mkdir()
    write_json(folder / "beside/list.json", [])
    history = {"epoch": [1, 2], "train_loss": [1.0, 0.5], "valid_loss": [1.0, 0.6]}
    pd.DataFrame(history).to_csv(folder / "history.csv", index=False)
    pd.DataFrame(columns=list(COLUMNS)).to_csv(folder / "repeats.csv", index=False)


def _exported(root, data):
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        patch.setenv("ASSAY_HOME", str(root / HOME))
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        open_store()
        _train(root, data)
        seal()
        export.run(export.Params(export=Export()))
    return root


@pytest.fixture(scope="session")
def exported(tmp_path_factory):
    """A folder in which a classifier of breast_cancer was trained and exported."""
    return _exported(tmp_path_factory.mktemp("exported"), BreastCancer())


@pytest.fixture(scope="session")
def exported_regression(tmp_path_factory):
    """A folder in which a regression of diabetes was trained and exported."""
    return _exported(tmp_path_factory.mktemp("exported_regression"), Diabetes())


@pytest.fixture
def enter_copy(tmp_path, monkeypatch):
    """Return a function that copies such a folder, cheaply, and works in the copy."""

    def enter(source: Path, *stages: str) -> Path:
        for stage in ("prepare", "train", *stages):
            folder = tmp_path / "artifacts" / stage
            folder.mkdir(parents=True)
            for entry in (source / "artifacts" / stage).iterdir():
                if entry.name == MANIFEST:
                    shutil.copytree(entry, folder / MANIFEST)  # tests write it anew
                else:
                    (folder / entry.name).symlink_to(entry)
        shutil.copytree(source / HOME, tmp_path / HOME)
        monkeypatch.chdir(tmp_path)
        monkeypatch.setenv("ASSAY_HOME", str(tmp_path / HOME))
        monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
        return tmp_path

    return enter


@pytest.fixture(scope="module")
def empty_home(tmp_path_factory):
    """A home whose tracking store is made already, which takes seconds."""
    folder = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ASSAY_HOME", str(folder))
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        open_store()
    return folder
