"""``assay doctor`` on a pipeline that really ran: damage of every kind, and a real SIGKILL."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import mlflow
import pytest
import yaml
from tests.conftest import Project
from tests.doctor.conftest import tree
from tests.end_to_end.churn import write_churn

from assay.tracking.tracked import PROCESS

CHECKS = 11
SMALL = {
    "training": {"max_epochs": 2, "threads": 1},
    "search": {"trials": 2},
    "evaluate": {"resamples": 50},
    "explain": {"rows": 2, "global_rows": 20, "lime_samples": 200},
}
GONE = f"{socket.gethostname()}:999999999:1.00"
DATA = "data/churn/churn.csv"
OLD = time.time() - 8 * 24 * 3600


@pytest.fixture(scope="module")
def made(new_project: Callable[[str], Project]) -> Path:
    """The whole pipeline, run once and committed."""
    project = new_project("doctor")
    write_churn(project.root / "churn.csv", rows=300)
    project("assay", "add", "churn.csv", "--target", "churned", "--id", "customer")
    (project.root / "churn.csv").unlink()
    path = project.root / "params.yaml"
    params = {**yaml.safe_load(path.read_text()), "search": "tpe", "set": SMALL}
    path.write_text(yaml.safe_dump(params, sort_keys=False))
    assert len(project.repro()) == 8
    project.commit("my data")
    return project.root


@pytest.fixture
def project(made: Path, tmp_path: Path) -> Project:
    root = tmp_path / "project"
    shutil.copytree(made, root, symlinks=True)
    return Project(root)


def _said(project: Project, *words: str, status: int) -> dict[str, list[str]]:
    """Return what the doctor says, by its first two words; without --fix nothing is changed."""
    before = tree(project.root)
    done = project("assay", "doctor", *words, check=False)
    assert done.returncode == status, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    if "--fix" not in words:
        assert tree(project.root) == before
    said: dict[str, list[str]] = {}
    for line in done.stdout.splitlines():
        said.setdefault(line[13:19].strip(), []).append(line)
    return said


def _client(project: Project) -> mlflow.MlflowClient:
    return mlflow.MlflowClient(f"sqlite:///{project.root}/.assay/mlflow.db")


def test_a_healthy_project_says_what_was_looked_at(project: Project) -> None:
    said = _said(project, status=0)
    assert len(said["ok"]) == CHECKS
    assert any("8 of 8 stages recorded" in line for line in said["ok"])
    assert project("assay", "doctor", cwd=project.root / "conf").returncode == 0


def _cut(path: Path, *, share: float = 0.5) -> None:
    content = path.read_bytes()
    path.unlink()
    path.write_bytes(content[: int(len(content) * share)])


def _cut_within_a_line(path: Path) -> None:
    """Half a YAML file may be YAML again; with a quote left open it is not."""
    _cut(path)
    path.write_bytes(path.read_bytes() + b"\n'")


def _leave_behind(project: Project) -> None:
    """A run, a trial, checkpoints and a draft of processes that are gone."""
    client, home = _client(project), project.root / ".assay"
    experiment = client.get_experiment_by_name("assay").experiment_id
    client.create_run(experiment, run_name="train", tags={PROCESS: GONE})
    with sqlite3.connect(home / "study.db") as studies:
        studies.execute("UPDATE trials SET state = 'RUNNING' WHERE trial_id = 2")
    studies.close()
    folder = home / "checkpoints" / ("0" * 20)
    folder.mkdir(parents=True)
    (folder / "step-000000007.ckpt").write_bytes(b"x" * 1000)
    for path in (*folder.iterdir(), folder):
        os.utime(path, (OLD, OLD))
    (project.root / "artifacts/.drafts/train").mkdir(parents=True)


def test_all_at_once_is_told_then_mended_and_nothing_runs_again(project: Project) -> None:
    _cut_within_a_line(project.root / "dvc.lock")
    _cut(project.root / ".dvc/tmp/rwlock", share=0)
    _cut(project.root / "artifacts/train/weights.safetensors")
    (project.root / DATA).unlink()
    _leave_behind(project)
    assert project("dvc", "repro", check=False).returncode != 0
    found = _said(project, status=1)["found"]
    words = [
        "DVC's locks", "dvc.lock", f"{DATA} is missing", "weights.safetensors", "still RUNNING",
        "1 trial", "8 days ago", "stage train was cut off",
    ]  # fmt: skip
    assert all(any(word in line for line in found) for word in words), found
    mended = _said(project, "--fix", status=0)["mended"]
    assert len(mended) == len(found) == len(words), mended
    assert project.repro() == []
    assert json.loads(project("dvc", "status", "--json").stdout) == {}
    assert len(_said(project, status=0)["ok"]) == CHECKS
    assert {run.info.status for run in _client(project).search_runs(["1"])} <= {
        "FINISHED",
        "KILLED",
    }


def test_a_receipt_that_the_registry_does_not_know(project: Project) -> None:
    receipt = json.loads((project.root / "artifacts/register/receipt.json").read_text())
    name, number = receipt["name"], receipt["version"]
    client = _client(project)
    client.delete_registered_model_alias(name, receipt["alias"])
    (note,) = (line for line in _said(project, "--fix", status=0)["note"] if "registry" in line)
    assert f"@{receipt['alias']} is no version any more" in note
    client.set_model_version_tag(name, number, "graph_digest", "0" * 64)
    assert "another graph" in _said(project, status=1)["found"][0]
    client.delete_model_version(name, number)
    (note,) = (line for line in _said(project, "--fix", status=0)["note"] if "registry" in line)
    assert "was registered in" in note  # the run.json here names the store that this is a copy of
    _claim_own_store(project)
    (found,) = _said(project, "--fix", status=1)["found"]
    assert f"the receipt names models:/{name}/{number}, which the registry does not have" in found
    assert "'dvc repro -f -s register'" in found


def _claim_own_store(project: Project) -> None:
    register = project.root / "artifacts/register"
    origin = json.loads((register / "run.json").read_text())
    origin["tracking_uri"] = f"sqlite:///{project.root}/.assay/mlflow.db"
    (register / "run.json").write_text(json.dumps(origin))
    (register / "manifest/run.json.json").unlink()


def test_an_output_that_dvc_took_for_good_is_not_mended_behind_ones_back(project: Project) -> None:
    path = project.root / "artifacts/train/history.csv"
    content = path.read_text()
    path.unlink()
    path.write_text(content + "\n")
    project("dvc", "commit", "-f", "train")
    (found,) = _said(project, "--fix", status=1)["found"]
    assert "history.csv was changed" in found
    assert "'dvc repro -f -s train'" in found
    assert path.read_text() == content + "\n"


BAD_USE: dict[str, tuple[list[str], dict[str, str], int, str]] = {
    "an unknown option": (["--fixx"], {}, 2, "No such option"),
    "an argument": (["all"], {}, 2, "unexpected extra argument"),
    "a home that is a file": (["--fix"], {"ASSAY_HOME": "params.yaml"}, 1, "params.yaml cannot be written"),
    "a store that is a folder": ([], {"MLFLOW_TRACKING_URI": "./mlruns"}, 1, "which MLflow no longer writes"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD_USE)
def test_bad_use(project: Project, case: str) -> None:
    words, env, status, message = BAD_USE[case]
    env = {k: str(project.root / v) if k == "ASSAY_HOME" else v for k, v in env.items()}
    done = project("assay", "doctor", *words, env=env, check=False)
    assert done.returncode == status
    assert message in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


def test_outside_a_project(project: Project, tmp_path: Path) -> None:
    done = project("assay", "doctor", "--fix", cwd=tmp_path, check=False)
    assert done.returncode == 1
    assert "is no Assay project" in done.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["project"]


def test_after_sigkill_in_mid_training_it_is_mended_and_ends(project: Project) -> None:
    path = project.root / "params.yaml"
    settings = {
        **SMALL,
        "training": {"max_epochs": 100, "threads": 1, "early_stopping": {"patience": None}},
    }
    params = {**yaml.safe_load(path.read_text()), "search": "none", "set": settings}
    path.write_text(yaml.safe_dump(params, sort_keys=False))
    dvc = subprocess.Popen(
        ["dvc", "repro"],
        cwd=project.root,
        env=project.environment({}),
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        _await_training(project)
        os.killpg(dvc.pid, signal.SIGSTOP)  # it stays at work while the doctor looks
        (project.root / DATA).unlink()
        (left,) = _said(project, "--fix", status=1)["left"]
        assert f"left alone while 'dvc repro' (process {dvc.pid})" in left
        assert not (project.root / DATA).exists()
    finally:
        os.killpg(dvc.pid, signal.SIGKILL)
        dvc.wait()
    mended = _said(project, "--fix", status=0)["mended"]
    words = (DATA, "DVC's locks", "2 runs of dead processes", "stage train was cut off")
    assert all(any(word in line for line in mended) for word in words), mended
    assert project.repro()[0] == "train"
    assert "mended" not in _said(project, "--fix", status=0)


def _await_training(project: Project) -> None:
    query = "SELECT count(*) FROM runs WHERE name = 'train' AND status = 'RUNNING'"
    deadline = time.monotonic() + 180
    while time.monotonic() < deadline:
        with sqlite3.connect(project.root / ".assay/mlflow.db", timeout=60) as database:
            (count,) = database.execute(query).fetchone()
        database.close()
        if count:
            return
        time.sleep(0.05)
    pytest.fail("training did not begin")
