"""One export for each model and kind of data: an export costs seconds."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest
import torch

from assay.data.prepared import Split
from assay.data.raw import Raw, Roles
from assay.data.spec import Spec, Task
from assay.export.export import export
from assay.export.exported import Exported
from assay.export.knobs import Export
from assay.layers.network import Network
from assay.model.cnn import Cnn
from assay.model.mlp import Mlp
from assay.split.learn import learn
from assay.split.write import write_split


@dataclass(frozen=True)
class Case:
    network: Network
    spec: Spec
    valid: Split
    exported: Exported


def _case(folder, frame: pd.DataFrame, *, task: Task, model=None, images=None, knobs=None) -> Case:
    raw = Raw(frame=frame, roles=Roles(target="y"), task=task, images=images)
    rows = np.arange(len(frame))
    spec = learn(raw, train=rows[::2], task=task)
    write_split(raw, rows=rows[1::2], spec=spec, folder=folder / "valid")
    valid = Split(folder / "valid")
    torch.manual_seed(0)
    network = Network(spec=spec, model=model or Mlp(width=8)).eval()
    exported = export(network, spec=spec, valid=valid, knobs=knobs or Export(tolerance=1e-5))
    return Case(network, spec, valid, exported)


def _table(rows: int) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    gaps = rng.random(rows) < 0.2
    return pd.DataFrame(
        {
            "mean radius": rng.normal(3, 5, rows),
            "age": np.where(gaps, np.nan, rng.integers(18, 90, rows)),
            "member": pd.Series(rng.random(rows) < 0.5, dtype=object).where(~gaps, None),
            "city": pd.Series(rng.choice(["Łódź", "New York", ""], rows)).where(~gaps, None),
            "plan": rng.choice(["a", "b"], rows),
        }
    )


@pytest.fixture(scope="session")
def table(tmp_path_factory) -> Case:
    frame = _table(120)
    frame["y"] = np.where(frame["mean radius"] > 3, "yes", "no")
    return _case(tmp_path_factory.mktemp("table"), frame, task="classification")


@pytest.fixture(scope="session")
def images(tmp_path_factory) -> Case:
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (60, 1, 8, 8), dtype=np.uint8)
    frame = pd.DataFrame({"y": np.arange(60) % 3 + 5})
    folder = tmp_path_factory.mktemp("images")
    model = Cnn(width=4)
    return _case(folder, frame, task="classification", model=model, images=pixels)


@pytest.fixture(scope="session")
def single(tmp_path_factory) -> Case:
    x = np.linspace(0, 1, 40)
    frame = pd.DataFrame({"x": x, "y": 1e6 * x + 5e6})
    return _case(tmp_path_factory.mktemp("single"), frame, task="regression")


@pytest.fixture(scope="session")
def flags(tmp_path_factory) -> Case:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"word": rng.choice(["a", "b", "c"], 60), "y": rng.random(60) < 0.5})
    return _case(tmp_path_factory.mktemp("flags"), frame, task="classification")
