"""A training that is killed: the same command goes on, in the same run, to the same weights."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import mlflow
import pandas as pd
import psutil
import pytest
import yaml
from mlflow.entities import Run
from tests.conftest import Project

from assay.artifacts.files import digest

TRAIN = (sys.executable, "-m", "assay.stages", "train")
EXPLORE = ("assay", "run", "training.max_epochs=61")
PARAMS = {"data": "digits", "model": "mlp", "training": "default", "search": "none"}
TRAINING = {
    "max_epochs": 60,
    "early_stopping": {"patience": None},
    "checkpoint": {"every_steps": 30, "every_seconds": None},
}
OWN_CODE = {"PYTHONPATH": "src"}
PATIENCE_SECONDS = 120


@pytest.fixture(scope="module")
def project(new_project: Callable[[str], Project]) -> Project:
    project = new_project("resume")
    params = {**PARAMS, "gate": "default", "set": {"training": TRAINING}}
    (project.root / "params.yaml").write_text(yaml.safe_dump(params, sort_keys=False))
    project.repro("train")
    return project


def _kept(project: Project) -> list[Path]:
    return sorted(project.root.glob(".assay/checkpoints/*/*.ckpt"))


def _cut_off(project: Project, command: Sequence[str], number: int) -> int:
    """Start a command, send it a signal once its second checkpoint is there; the exit status."""
    environment = project.environment(OWN_CODE)
    end, seen = time.monotonic() + PATIENCE_SECONDS, set(_kept(project))
    with subprocess.Popen(command, cwd=project.root, env=environment) as process:
        try:
            while process.poll() is None and len(set(_kept(project)) - seen) < 2:
                assert time.monotonic() < end
                time.sleep(0.02)
            assert process.poll() is None, "it ended before it could be cut off"
            psutil.Process(process.pid).send_signal(number)
            return process.wait(timeout=60)
        finally:
            process.kill()


def _runs(project: Project, query: str) -> list[Run]:
    client = mlflow.MlflowClient(f"sqlite:///{project.root}/.assay/mlflow.db")
    experiments = [e.experiment_id for e in client.search_experiments()]
    return list(client.search_runs(experiments, query))


def _steps(project: Project, run: Run) -> list[int]:
    client = mlflow.MlflowClient(f"sqlite:///{project.root}/.assay/mlflow.db")
    return [m.step for m in client.get_metric_history(run.info.run_id, "train_loss")]


def _written(project: Project) -> dict[str, str]:
    names = ("weights.safetensors", "history.csv", "effective.yaml")
    return {name: digest(project.root / "artifacts/train" / name) for name in names}


def test_a_stage_that_was_killed_twice_ends_as_one_that_was_not(project: Project) -> None:
    undisturbed = _written(project)
    before = {run.info.run_id for run in _runs(project, "tags.stage = 'train'")}

    assert _cut_off(project, TRAIN, signal.SIGTERM) == 128 + signal.SIGTERM
    (run,) = [r for r in _runs(project, "tags.stage = 'train'") if r.info.run_id not in before]
    assert run.info.status == "KILLED"
    assert _kept(project)
    assert _cut_off(project, TRAIN, signal.SIGKILL) == -signal.SIGKILL
    (folder,) = project.root.glob(".assay/checkpoints/*")
    assert json.loads((folder / "run.json").read_text()) == {"run_id": run.info.run_id}
    last = project(*TRAIN, env=OWN_CODE)

    assert "going on after epoch" in last.stderr
    assert _written(project) == undisturbed
    assert not list(project.root.glob(".assay/checkpoints/*"))
    runs = [r for r in _runs(project, "tags.stage = 'train'") if r.info.run_id not in before]
    assert [(r.info.run_id, r.info.status) for r in runs] == [(run.info.run_id, "FINISHED")]
    assert _steps(project, run) == list(range(1, 61))
    assert pd.read_csv(project.root / "artifacts/train/history.csv")["epoch"].tolist() == _steps(
        project, run
    )


def test_an_exploring_run_goes_on_too(project: Project) -> None:
    assert _cut_off(project, EXPLORE, signal.SIGKILL) == -signal.SIGKILL
    last = project(*EXPLORE, env=OWN_CODE)
    assert "going on after epoch" in last.stdout
    (run,) = _runs(project, "tags.`assay.kind` = 'run'")
    assert run.info.status == "FINISHED"
    assert _steps(project, run) == list(range(1, 62))
    assert not list(project.root.glob(".assay/checkpoints/*"))

    again = project(*EXPLORE, env=OWN_CODE)
    assert "going on" not in again.stdout
    first, second = _runs(project, "tags.`assay.kind` = 'run'")
    assert first.data.metrics["objective"] == second.data.metrics["objective"]
