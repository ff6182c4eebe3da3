"""What MLflow tells of an invocation: a part, skipped, restored, pulled, failed, interrupted."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import mlflow
import psutil
import pytest
import yaml
from mlflow.entities import Run
from tests.conftest import Project

pytestmark = pytest.mark.xdist_group("invocations")
PARAMS = {
    "data": "breast_cancer",
    "model": "mlp",
    "training": "default",
    "search": "none",
    "gate": "default",
}
SMALL = {"training": {"max_epochs": 2, "threads": 1}}
LONG = {
    "training": {"max_epochs": 150, "threads": 1, "early_stopping": {"patience": None}},
    "search": {"trials": 5, "pruner": "none"},
}


@pytest.fixture(scope="module")
def project(new_project: Callable[[str], Project]) -> Project:
    project = new_project("invocations")
    _set(project, SMALL)
    project.commit("a small experiment")
    return project


@pytest.fixture(scope="module")
def part(project: Project) -> list[str]:
    return project.repro("export")


@pytest.fixture(scope="module")
def changed(project: Project, part: list[str]) -> list[str]:
    """One key edited, run, and edited back."""
    _set(project, {**SMALL, "export": {"tolerance": 0.001}})
    ran = project.repro("export")
    _set(project, SMALL)
    return ran


@pytest.fixture(scope="module")
def clone(
    project: Project, changed: list[str], tmp_path_factory: pytest.TempPathFactory
) -> Project:
    """Another machine: a clean clone that pulls what was pushed to a folder that both reach."""
    project.repro("export")
    remote = tmp_path_factory.mktemp("remote")
    project("dvc", "remote", "add", "-d", "shared", str(remote))
    project.commit("what was trained")
    project("dvc", "push")
    other = Project(tmp_path_factory.mktemp("clone") / "assay")
    project("git", "clone", "-q", str(project.root), str(other.root))
    other("dvc", "pull", "--allow-missing")
    return other


def _set(project: Project, settings: Mapping[str, Any], **choices: str) -> None:
    params = {**PARAMS, **choices, "set": settings}
    (project.root / "params.yaml").write_text(yaml.safe_dump(params, sort_keys=False))


def _runs(project: Project, query: str = "") -> list[Run]:
    client = mlflow.MlflowClient(f"sqlite:///{project.root}/.assay/mlflow.db")
    experiment = client.get_experiment_by_name("assay")
    order = ["attributes.start_time"]
    return list(client.search_runs([experiment.experiment_id], query, order_by=order))


def _parents(project: Project) -> list[Run]:
    return [run for run in _runs(project) if "mlflow.parentRunId" not in run.data.tags]


def _children(project: Project, parent: Run) -> dict[str, Run]:
    runs = _runs(project, f"tags.`mlflow.parentRunId` = '{parent.info.run_id}'")
    return {run.info.run_name: run for run in runs}


def _told(parent: Run) -> dict[str, str]:
    """What the row says of each stage: the word, without the run."""
    tags = parent.data.tags
    stages = {name.removeprefix("stage.") for name in tags if name.startswith("stage.")}
    return {stage: tags[f"stage.{stage}"].partition(":")[0] for stage in stages}


def _stage_run(parent: Run, stage: str) -> str:
    return str(parent.data.tags[f"stage.{stage}"].partition("run ")[2].partition(" of ")[0])


def test_a_part_says_where_it_stopped(project: Project, part: list[str]) -> None:
    (parent,) = _parents(project)
    assert part == ["compose", "prepare", "search", "train", "export"]
    assert parent.info.status == "FINISHED"
    assert parent.data.tags["pipeline"] == "partial: stopped after export"
    assert _told(parent) == dict.fromkeys(part[1:], "ran")
    for stage, run in _children(project, parent).items():
        assert (run.info.status, run.info.run_id) == ("FINISHED", _stage_run(parent, stage))


def test_skipped_stages_are_linked_to_the_runs_that_made_their_files(
    project: Project, changed: list[str]
) -> None:
    assert changed == ["compose", "export"]
    first, edited = _parents(project)
    assert edited.data.tags["pipeline"] == (
        "partial: stopped after export; linked: prepare, search, train"
    )
    assert list(_children(project, edited)) == ["export"]
    for stage in ("prepare", "search", "train"):
        assert _stage_run(edited, stage) == _stage_run(first, stage)
    assert _stage_run(edited, "export") != _stage_run(first, "export")
    assert edited.data.tags["data_digest"] == first.data.tags["data_digest"]
    assert len(edited.inputs.dataset_inputs) == 3


def test_what_the_cache_gives_back_is_no_run(project: Project, clone: Project) -> None:
    """The key was edited back before the clone: the row of the first export tells of its files."""
    assert _record_restored(project) == "False"
    first, _ = _parents(project)
    restored = json.loads((project.root / "artifacts/export/run.json").read_text())
    assert restored["run_id"] == _stage_run(first, "export")


def test_a_clone_tells_what_was_pulled(clone: Project) -> None:
    assert not (clone.root / ".assay").exists()
    assert clone.repro("export") == []
    assert _record_restored(clone) == "True"
    (parent,) = _parents(clone)
    stages = ["prepare", "search", "train", "export"]
    assert parent.data.tags["pipeline"] == (
        f"restored: nothing ran; restored: {', '.join(stages)}; "
        "missing: evaluate, explain, register"
    )
    assert parent.data.tags["stage.train"].endswith("mlflow.db")  # of the store that knows the run
    assert "data_digest" in parent.data.tags


def _record_restored(project: Project) -> str:
    """Do what ``assay ui`` does before it serves."""
    code = "from assay.tracking import invocation, store\n"
    code += "print(invocation.record_restored(store.open_store()))"
    return project("python", "-c", code).stdout.strip()


def test_a_failure_after_restored_stages_is_told(clone: Project) -> None:
    before = (clone.root / "params.yaml").read_text()
    _set(clone, {**SMALL, "export": {"tolerance": 1e-30}})
    failed = clone("dvc", "repro", "export", check=False)
    (clone.root / "params.yaml").write_text(before)
    assert failed.returncode != 0
    assert "Traceback" not in failed.stderr
    parent = _parents(clone)[-1]
    assert parent.info.status == "FAILED"
    assert parent.data.tags["pipeline"] == ("failed at export; restored: prepare, search, train")
    (run,) = _children(clone, parent).values()
    assert run.info.status == "FAILED"
    assert run.data.tags["error"].startswith("ExportError: ")
    assert _files(clone, "export") == []
    assert clone.repro("export") == ["compose"]
    assert "model.onnx" in _files(clone, "export")


def _files(project: Project, stage: str) -> list[str]:
    """What lies in a stage's folder, and what a stage left of its drafts."""
    artifacts = project.root / "artifacts"
    found = [p for p in (artifacts / stage).glob("*") if p.name != ".gitignore"]
    return sorted(p.name for p in [*found, *artifacts.glob(".drafts")])


@pytest.fixture(scope="module")
def interrupted(project: Project, clone: Project) -> int:
    """Ctrl-C in the middle of a search: the terminal sends SIGINT to DVC and the stage alike."""
    _set(project, LONG, search="tpe")
    return _interrupt(project, lambda dvc: os.killpg(dvc.pid, signal.SIGINT))


@pytest.fixture(scope="module")
def terminated(project: Project, interrupted: int) -> int:
    """SIGTERM to the stage alone, in the next start of the same search."""
    return _interrupt(project, lambda dvc: _stage(dvc).send_signal(signal.SIGTERM))


def _interrupt(project: Project, send: Callable[[subprocess.Popen[bytes]], None]) -> int:
    log = project.root / "dvc_plots" / "repro.log"
    log.parent.mkdir(exist_ok=True)
    with log.open("w") as file:
        dvc = subprocess.Popen(
            ["dvc", "repro", "search"],
            cwd=project.root,
            env=project.environment({}),
            stdout=file,
            stderr=file,
            start_new_session=True,
        )
    try:
        _wait_for_a_fresh_trial(project, log, dvc)
        send(dvc)
        status = dvc.wait(timeout=60)
    finally:
        if dvc.poll() is None:
            os.killpg(dvc.pid, signal.SIGKILL)
    assert "Traceback" not in log.read_text()
    return status


def _wait_for_a_fresh_trial(project: Project, log: Path, dvc: subprocess.Popen[bytes]) -> None:
    """Wait until this start has ended a trial and opened the next."""
    until = time.monotonic() + 120
    while time.monotonic() < until and dvc.poll() is None:
        if log.read_text().count("search: ") - log.read_text().count("search: these") >= 2:
            time.sleep(0.3)
            return
        time.sleep(0.1)
    pytest.fail(f"no trial ended: {log.read_text()}")


def _stage(dvc: subprocess.Popen[bytes]) -> psutil.Process:
    below = psutil.Process(dvc.pid).children(recursive=True)
    return next(p for p in below if "python" in p.name() and "assay.stages" in p.cmdline())


def _assert_killed(project: Project) -> None:
    parent = _parents(project)[-1]
    assert parent.data.tags["pipeline"].startswith("killed at search; linked: prepare")
    search = _children(project, parent)["search"]
    trials = _children(project, search)
    statuses = [run.info.status for run in trials.values()]
    assert (parent.info.status, search.info.status, statuses[-1]) == ("KILLED",) * 3
    assert set(statuses[:-1]) <= {"FINISHED"}
    assert not _runs(project, "attributes.status = 'RUNNING'")
    assert _files(project, "search") == []


def test_an_interrupted_search_is_killed_with_its_trial(project: Project, interrupted: int) -> None:
    assert interrupted != 0
    _assert_killed(project)


def test_a_terminated_search_is_killed_with_its_trial(project: Project, terminated: int) -> None:
    assert terminated != 0
    _assert_killed(project)


def test_the_next_start_completes(project: Project, terminated: int) -> None:
    assert project.repro("search") == ["search"]
    parent = _parents(project)[-1]
    search = _children(project, parent)["search"]
    assert parent.data.tags["pipeline"].startswith("partial: stopped after search; linked: prepare")
    assert search.info.status == "FINISHED"
    assert search.data.metrics["trials_complete"] == 5
    trials = [name for name in _children(project, search) if "again" not in name]
    assert 0 < len(trials) < 5
    assert _files(project, "search") == ["best.json", "manifest", "run.json", "trials.csv"]
