"""The whole road on a table of the user's own: ``assay add`` and ``dvc repro``, then every change."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import mlflow
import pandas as pd
import pytest
import yaml
from mlflow.entities import Run
from tests.conftest import Project
from tests.end_to_end.churn import write_churn

STAGES = ["compose", "prepare", "search", "train", "export", "evaluate", "explain", "register"]
SMALL = {
    "training": {"max_epochs": 3, "threads": 1},
    "search": {"trials": 2},
    "evaluate": {"resamples": 50},
    "explain": {"rows": 2, "global_rows": 20, "lime_samples": 200},
}


@pytest.fixture(scope="module")
def project(new_project: Callable[[str], Project]) -> Iterator[Project]:
    project = new_project("churn")
    write_churn(project.root / "churn.csv", rows=600)
    project(
        "assay",
        "add",
        "churn.csv",
        "--target",
        "churned",
        "--id",
        "customer",
        "--sensitive",
        "region",
    )
    (project.root / "churn.csv").unlink()
    _set(project, SMALL)
    project.commit("my data")
    return project


@pytest.fixture(scope="module")
def first(project: Project) -> list[str]:
    return project.repro()


def _set(project: Project, settings: dict[str, Any]) -> None:
    path = project.root / "params.yaml"
    params = yaml.safe_load(path.read_text())
    path.write_text(yaml.safe_dump({**params, "set": settings}, sort_keys=False))


def _client(project: Project) -> mlflow.MlflowClient:
    return mlflow.MlflowClient(f"sqlite:///{project.root}/.assay/mlflow.db")


def _runs(project: Project, filter_string: str = "") -> list[Run]:
    client = _client(project)
    experiment = client.get_experiment_by_name("assay")
    return list(
        client.search_runs(
            [experiment.experiment_id], filter_string, order_by=["attributes.start_time"]
        )
    )


def _parents(project: Project) -> list[Run]:
    return [run for run in _runs(project) if "mlflow.parentRunId" not in run.data.tags]


def _children(project: Project, parent: Run) -> list[Run]:
    return _runs(project, f"tags.`mlflow.parentRunId` = '{parent.info.run_id}'")


def _artifact(project: Project, name: str) -> Any:
    return json.loads((project.root / "artifacts" / name).read_text())


def test_the_first_run_goes_through_every_stage(first: list[str]) -> None:
    assert first == STAGES


def test_it_ends_with_a_registered_champion(project: Project, first: list[str]) -> None:
    receipt = _artifact(project, "register/receipt.json")
    assert set(receipt) == {"name", "version", "alias", "accepted", "reasons", "run_id"}
    version = _client(project).get_model_version_by_alias("churn", receipt["alias"])
    assert str(version.version) == str(receipt["version"])
    assert "churn" in version.description


def test_metrics_have_intervals(project: Project, first: list[str]) -> None:
    metrics = _artifact(project, "evaluate/metrics.json")
    for name in ("accuracy", "precision", "recall", "f1", "roc_auc", "log_loss"):
        assert metrics[name]["low"] <= metrics[name]["value"] <= metrics[name]["high"]
    assert metrics["accuracy"]["value"] > 0.6


def test_the_run_tree_tells_what_happened(project: Project, first: list[str]) -> None:
    (parent,) = _parents(project)
    assert parent.info.status == "FINISHED"
    assert parent.data.tags["pipeline"] == "complete"
    children = _children(project, parent)
    assert [run.info.run_name for run in children] == STAGES[1:]
    assert {run.info.status for run in children} == {"FINISHED"}
    search = next(run for run in children if run.info.run_name == "search")
    names = [run.info.run_name or "" for run in _children(project, search)]
    once = [f"trial {number:03d}" for number in range(SMALL["search"]["trials"])]
    assert [name for name in names if "again" not in name] == once
    assert {item.dataset.name for item in children[0].inputs.dataset_inputs}


def test_a_second_run_does_nothing(project: Project, first: list[str]) -> None:
    before = len(_runs(project))
    assert project.repro() == []
    assert len(_runs(project)) == before


def test_one_key_under_conf_runs_what_reads_it(project: Project, first: list[str]) -> None:
    gate = project.root / "conf/gate/default.yaml"
    before = gate.read_text()
    content = yaml.safe_load(before)
    content["minimum"] = {"accuracy": 0.51}
    gate.write_text(yaml.safe_dump(content))
    assert project.repro() == ["compose", "register"]
    parent = _parents(project)[-1]
    assert [run.info.run_name for run in _children(project, parent)] == ["register"]
    gate.write_text(before)
    assert project.repro() == []  # restored from the run cache


def test_an_unrelated_model_runs_compose_only(project: Project, first: list[str]) -> None:
    module, options = (
        project.root / "src/assay/model/other.py",
        project.root / "conf/model/other.yaml",
    )
    module.write_text((project.root / "src/assay/model/mlp.py").read_text().replace("Mlp", "Other"))
    text = (project.root / "conf/model/mlp.yaml").read_text()
    options.write_text(text.replace("assay.model.mlp.Mlp", "assay.model.other.Other"))
    assert project.repro() == ["compose"]
    module.unlink()
    options.unlink()
    assert project.repro() == []


def test_the_test_split_is_sealed(project: Project, first: list[str]) -> None:
    """A changed test row is measured again; nothing that was learned is learned again."""
    _edit_cell(project, split="test", column="calls")
    assert project.repro() == ["prepare", "evaluate", "explain", "register"]


def test_a_changed_training_cell_runs_all_that_follows(project: Project, first: list[str]) -> None:
    _edit_cell(project, split="train", column="calls")
    assert project.repro() == STAGES[1:]


def _edit_cell(project: Project, *, split: str, column: str) -> None:
    path = project.root / "data/churn/churn.csv"
    frame = pd.read_csv(path)
    rows = pd.read_parquet(project.root / f"artifacts/prepare/{split}/rows.parquet")
    place = frame.index[frame["customer"] == rows["__id__"].iloc[0]][0]
    frame.loc[place, column] += 1
    path.unlink()  # DVC may have linked it to its cache
    frame.to_csv(path, index=False)


def test_a_failure_half_way_leaves_a_tree_that_tells_so(project: Project, first: list[str]) -> None:
    _set(project, {**SMALL, "export": {"tolerance": 1e-30}})
    done = project("dvc", "repro", check=False)
    assert done.returncode != 0
    assert "tolerance" in done.stderr + done.stdout
    assert "Traceback" not in done.stderr
    parent = _parents(project)[-1]
    assert parent.info.status == "FAILED"
    assert parent.data.tags["pipeline"].startswith("failed at export")
    assert not (project.root / "artifacts/export/model.onnx").exists()
    _set(project, SMALL)
    project.repro()


def test_scoring_rows_of_ones_own(project: Project, first: list[str]) -> None:
    rows = pd.DataFrame(
        {
            "plan": ["pro", "never seen"],
            "months": [3.0, None],
            "calls": [1, 9],
            "region": ["north"] * 2,
        }
    )
    rows.to_csv(project.root / "in.csv", index=False)
    alias = _artifact(project, "register/receipt.json")["alias"]
    project("assay", "predict", f"models:/churn@{alias}", "in.csv", "-o", "out.csv")
    assert set(pd.read_csv(project.root / "out.csv")["prediction"]) <= {"yes", "no"}
    rows.drop(columns="calls").to_csv(project.root / "in.csv", index=False)
    refused = project(
        "assay", "predict", f"models:/churn@{alias}", "in.csv", "-o", "none.csv", check=False
    )
    assert refused.returncode == 1
    assert "calls" in refused.stderr
    assert not (project.root / "none.csv").exists()


def test_rows_that_came_in_are_held_against_the_test_rows(
    project: Project, first: list[str]
) -> None:
    model = f"models:/churn@{_artifact(project, 'register/receipt.json')['alias']}"
    write_churn(project.root / "more.csv", rows=400)
    calm = project("assay", "monitor", model, "more.csv")
    assert "no drift in" in calm.stdout
    assert "log_loss is no worse than chance allows" in calm.stdout
    rows = pd.read_csv(project.root / "more.csv").drop(columns="churned")
    rows.assign(calls=rows["calls"] + 2).to_csv(project.root / "more.csv", index=False)
    moved = project("assay", "monitor", model, "more.csv", check=False)
    assert moved.returncode == 1
    assert "by chance in at most 5% of files" in moved.stdout
    assert "log_loss" not in moved.stdout
    rows.head(1).to_csv(project.root / "more.csv", index=False)
    few = project("assay", "monitor", model, "more.csv", check=False)
    assert few.returncode == 1
    assert "too few rows (1)" in few.stderr
    runs = _runs(project, "tags.`assay.kind` = 'monitor'")
    assert [run.data.metrics["drifted"] > 0 for run in runs] == [False, True]
    assert "calls" in runs[1].data.tags["drifted"]
    files = _client(project).list_artifacts(runs[1].info.run_id)
    assert {file.path for file in files} == {"drift.csv", "drift.png"}


def test_what_dvc_shows_is_worth_reading(project: Project, first: list[str]) -> None:
    assert "accuracy" in project("dvc", "metrics", "show").stdout
    assert "accuracy" in project("dvc", "exp", "show", "--csv").stdout
    page = project("dvc", "plots", "show").stdout.strip().removeprefix("file://")
    assert Path(page).stat().st_size > 10_000
