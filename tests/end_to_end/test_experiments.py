"""DVC's experiments, in the workspace, aside and queued: their own code, and one store for all."""

from __future__ import annotations

import csv
import io
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import mlflow
import pytest
import yaml
from mlflow.entities import Run
from tests.conftest import Project, ran

pytestmark = pytest.mark.xdist_group("experiments")
PARAMS = {
    "data": "breast_cancer",
    "model": "mlp",
    "training": "default",
    "search": "none",
    "gate": "default",
    "set": {
        "training": {"max_epochs": 2, "threads": 1},
        "evaluate": {"resamples": 60},
        "explain": {"rows": 2, "global_rows": 20, "lime_samples": 200},
    },
}
QUEUED = ("queued-1", "queued-2")


@pytest.fixture(scope="module")
def project(new_project: Callable[[str], Project]) -> Project:
    project = new_project("experiments")
    (project.root / "params.yaml").write_text(yaml.safe_dump(PARAMS, sort_keys=False))
    project.commit("a small experiment")
    return project


@pytest.fixture(scope="module")
def here(project: Project) -> str:
    """An experiment in the workspace, from nothing, with its lock file committed."""
    _mark(project, "here")
    output = project("dvc", "exp", "run", "-n", "here", "-S", "set.evaluate.resamples=50").stdout
    project.commit("what it gave")
    return output


@pytest.fixture(scope="module")
def aside(project: Project, here: str) -> str:
    """An experiment in a temporary folder, with code that is not committed."""
    _mark(project, "aside")
    words = ["-S", "set.evaluate.resamples=60"]
    return project("dvc", "exp", "run", "--temp", "-n", "aside", *words).stdout


@pytest.fixture(scope="module")
def queued(project: Project, aside: str) -> Iterator[Mapping[str, str]]:
    """Two experiments run by DVC's own workers at one time; their outputs by name."""
    _mark(project, "queued")
    project("dvc", "exp", "run", "--queue", "-n", "queued", "-S", "gate=default,strict")
    _mark(project, "after")  # what the queue runs is what was there when it was queued
    try:
        project("dvc", "queue", "start", "-j", "2")
        _wait_for_queue(project)
        yield {name: project("dvc", "queue", "logs", name).stdout for name in QUEUED}
    finally:
        project("dvc", "queue", "stop", "--kill", check=False)


def _mark(project: Project, word: str) -> None:
    """Let the stage register say which code it is."""
    stage = project.root / "src/assay/stages/register.py"
    text = stage.read_text().partition("\nprint(")[0]
    stage.write_text(f"{text}\nprint('the code of {word}')\n")


def _wait_for_queue(project: Project) -> None:
    until = time.monotonic() + 240
    while time.monotonic() < until:
        status = project("dvc", "queue", "status").stdout
        if "Running" not in status.partition("Worker status")[0] and "Queued" not in status:
            return
        time.sleep(1)
    pytest.fail(f"the queue does not end: {status}")


def _client(project: Project) -> mlflow.MlflowClient:
    return mlflow.MlflowClient(f"sqlite:///{project.root}/.assay/mlflow.db")


def _parents(project: Project, experiment: str) -> list[Run]:
    query = f"tags.`dvc.experiment` = '{experiment}'"
    return [r for r in _runs(project, query) if "mlflow.parentRunId" not in r.data.tags]


def _runs(project: Project, query: str) -> list[Run]:
    client = _client(project)
    experiment = client.get_experiment_by_name("assay")
    order = ["attributes.start_time"]
    return list(client.search_runs([experiment.experiment_id], query, order_by=order))


def _stages(project: Project, parent: Run) -> dict[str, str]:
    children = _runs(project, f"tags.`mlflow.parentRunId` = '{parent.info.run_id}'")
    return {run.info.run_name: run.info.status for run in children}


def _registered(project: Project, parent: Run) -> Any:
    name, _, number = parent.data.tags["model_version"].removeprefix("models:/").rpartition("/")
    return _client(project).get_model_version(name, number)


def test_the_workspace_runs_every_stage(project: Project, here: str) -> None:
    (parent,) = _parents(project, "here")
    stages = ran(here)[1:]
    assert len(stages) == 7
    assert _stages(project, parent) == dict.fromkeys(stages, "FINISHED")
    assert parent.data.tags["pipeline"] == "complete"
    assert parent.info.run_name == "breast_cancer · mlp · here"


def test_a_temporary_folder_runs_what_changed(project: Project, aside: str) -> None:
    (parent,) = _parents(project, "aside")
    assert ran(aside) == ["compose", "evaluate", "register"]
    assert _stages(project, parent) == {"evaluate": "FINISHED", "register": "FINISHED"}
    linked = "linked: prepare, search, train, export, explain"
    assert parent.data.tags["pipeline"] == f"complete; {linked}"


def test_queued_experiments_have_a_row_each(project: Project, queued: Mapping[str, str]) -> None:
    gates = []
    for name in QUEUED:
        (parent,) = _parents(project, name)
        assert _stages(project, parent) == {"register": "FINISHED"}
        assert parent.data.tags["pipeline"].startswith("complete; linked: prepare")
        gates.append(parent.data.params["gate"])
    assert sorted(gates) == ["default", "strict"]


def test_each_runs_the_code_of_its_own_folder(
    project: Project, here: str, aside: str, queued: Mapping[str, str]
) -> None:
    outputs = {"here": here, "aside": aside} | dict.fromkeys(QUEUED, "")
    outputs |= queued
    said = {name: "the code of " + name.removesuffix("-1").removesuffix("-2") for name in outputs}
    for name, output in outputs.items():
        assert output.count("the code of") == output.count(said[name]) == 1, output


def test_all_land_in_the_store_of_the_real_root(
    project: Project, queued: Mapping[str, str]
) -> None:
    for folder in (project.root / ".dvc/tmp").rglob("mlflow.db"):
        pytest.fail(f"a store of its own: {folder}")
    for name in ("here", "aside", *QUEUED):
        (parent,) = _parents(project, name)
        artifacts = parent.info.artifact_uri.removeprefix("file://")
        assert artifacts.startswith(str(project.root / ".assay"))
        assert parent.data.metrics["accuracy"] > 0.8


def test_an_experiment_is_a_challenger(project: Project, queued: Mapping[str, str]) -> None:
    for name in ("here", "aside", *QUEUED):
        (parent,) = _parents(project, name)
        assert parent.data.tags["alias"] == "challenger"
        assert "challenger" in _registered(project, parent).tags["verdict"]
    aliases = _client(project).get_registered_model("breast_cancer").aliases
    assert set(aliases) == {"challenger"}


def test_dvc_lists_metrics_and_composed_values(project: Project, queued: Mapping[str, str]) -> None:
    table = project("dvc", "exp", "show", "--csv", "-n", "2").stdout
    rows = {row["Experiment"]: row for row in csv.DictReader(io.StringIO(table))}
    assert {"here", "aside", *QUEUED} <= rows.keys()
    assert float(rows["aside"]["accuracy.value"]) > 0.8
    column = next(name for name in rows["aside"] if name.endswith("evaluate.resamples"))
    assert {rows[name][column] for name in ("here", "aside")} == {"50", "60"}
    assert "training.lr" in table


def test_dvc_compares_experiments(project: Project, aside: str) -> None:
    metrics = project("dvc", "metrics", "diff", "here", "aside").stdout
    assert "accuracy.low" in metrics
    both = project("dvc", "exp", "diff", "here", "aside").stdout
    assert "accuracy.low" in both
    assert "evaluate.resamples" in both


def test_code_from_elsewhere_is_refused(project: Project) -> None:
    refused = project("python", "-m", "assay.stages", "compose", check=False)
    assert refused.returncode == 1
    assert f"this checkout is {project.root}, but 'assay' was imported from" in refused.stderr
    assert "PYTHONPATH=src" in refused.stderr
    assert "Traceback" not in refused.stderr
