"""A project of its own, in which ``assay run`` is called as the command line calls it."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import mlflow
import pytest
from hydra.core.global_hydra import GlobalHydra
from mlflow.entities import Run

from assay.cli.run import command

ROOT = Path(__file__).parents[2]
Assay = Callable[..., list[Run]]
QUICK = ("model=mlp", "training.max_epochs=2", "training.threads=1", "search.repeats=0")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    root = tmp_path_factory.mktemp("search")
    shutil.copytree(ROOT / "conf", root / "conf")
    shutil.copyfile(ROOT / "params.yaml", root / "params.yaml")
    shutil.copyfile(ROOT / "dvc.yaml", root / "dvc.yaml")
    before, place = dict(os.environ), Path.cwd()
    for name in ("DVC_ROOT", "MLFLOW_TRACKING_URI", "HYDRA_FULL_ERROR"):
        os.environ.pop(name, None)
    os.environ["ASSAY_HOME"] = str(root / ".assay")
    os.chdir(root)
    yield root
    os.chdir(place)
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture
def run(project: Path) -> Iterator[Assay]:
    """Return a function that runs ``assay run`` and returns the runs that it tracked, by start."""
    arguments = list(sys.argv)

    def call(*words: str) -> list[Run]:
        GlobalHydra.instance().clear()
        known = {one.info.run_id for one in runs(project)}
        command.main(args=list(words), standalone_mode=False)
        return [one for one in runs(project) if one.info.run_id not in known]

    yield call
    sys.argv = arguments
    GlobalHydra.instance().clear()


def runs(project: Path) -> list[Run]:
    if not (project / ".assay" / "mlflow.db").exists():
        return []
    client = mlflow.MlflowClient(f"sqlite:///{project}/.assay/mlflow.db")
    experiment = client.get_experiment_by_name("assay")
    assert experiment is not None
    return list(client.search_runs([experiment.experiment_id], order_by=["attributes.start_time"]))
