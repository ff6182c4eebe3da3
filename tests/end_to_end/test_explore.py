"""``assay run`` and ``assay use`` as a user types them: one run, sweeps, mistakes, interruption."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import mlflow
import pytest
import yaml
from mlflow.entities import Run
from tests.conftest import Project

QUICK = ("model=mlp", "training.max_epochs=2", "training.threads=1")


@pytest.fixture(scope="module")
def project(new_project: Callable[[str], Project]) -> Project:
    return new_project("explore")


def _runs(project: Project) -> list[Run]:
    client = mlflow.MlflowClient(f"sqlite:///{project.root}/.assay/mlflow.db")
    experiment = client.get_experiment_by_name("assay")
    assert experiment is not None
    return list(client.search_runs([experiment.experiment_id], order_by=["attributes.start_time"]))


def _kept(output: str) -> str:
    (name,) = re.findall(r"assay use ((?:run|sweep):\w+)", output)
    return str(name)


def test_one_run_is_scored_on_validation_rows_only(project: Project) -> None:
    done = project("assay", "run", *QUICK)
    run = _runs(project)[-1]
    assert run.info.status == "FINISHED"
    assert run.data.metrics["objective"] == pytest.approx(run.data.metrics["best_valid_log_loss"])
    assert not [name for name in run.data.metrics if name.startswith("test")]
    assert not (project.root / "artifacts").exists()
    assert run.info.run_id.startswith(_kept(done.stderr + done.stdout).removeprefix("run:"))


def test_a_finding_becomes_the_record(project: Project) -> None:
    before = (project.root / "params.yaml").read_text()
    done = project("assay", "run", *QUICK, "training.lr=0.0123")
    shown = project("assay", "use", _kept(done.stderr + done.stdout)).stdout
    params = yaml.safe_load((project.root / "params.yaml").read_text())
    assert params["model"] == "mlp"
    assert params["set"]["training"]["lr"] == 0.0123
    assert "+model: mlp" in shown
    assert "# What 'dvc repro' runs" in (project.root / "params.yaml").read_text()
    (project.root / "params.yaml").write_text(before)


@pytest.mark.parametrize("launcher", ["basic", "joblib"])
def test_a_sweep_is_a_tree_whichever_launcher_carries_it(project: Project, launcher: str) -> None:
    words = ["-m", *QUICK, "training.lr=0.001,0.01", f"hydra/launcher={launcher}"]
    done = project("assay", "run", *words)
    sweep = next(run for run in reversed(_runs(project)) if run.info.run_name.startswith("sweep"))
    jobs = [r for r in _runs(project) if r.data.tags.get("mlflow.parentRunId") == sweep.info.run_id]
    assert [run.info.status for run in (sweep, *jobs)] == ["FINISHED"] * 3
    assert {job.data.params["training.lr"] for job in jobs} == {"0.001", "0.01"}
    assert sweep.data.metrics["objective"] == min(job.data.metrics["objective"] for job in jobs)
    assert _kept(done.stdout.rsplit("best first", 1)[-1]).startswith("sweep:")


def test_a_ready_made_experiment_is_a_beginning(project: Project) -> None:
    project("assay", "run", "--from", "cancer-mlp", "training.max_epochs=1")
    assert _runs(project)[-1].data.tags["data"] == "breast_cancer"
    refused = project("assay", "run", "--from", "cancer-mlpp", check=False)
    assert refused.returncode == 1
    assert "did you mean 'cancer-mlp'?" in refused.stderr


def test_a_table_of_ones_own_is_explored_at_once(project: Project) -> None:
    rows = "".join(
        f"{i % 7},{'a' if i % 3 else 'b'},{'yes' if i % 7 > 3 else 'no'}\n" for i in range(200)
    )
    (project.root / "mine.csv").write_text("x,y,target\n" + rows)
    done = project("assay", "run", "data=csv", "data.path=mine.csv", "data.target=target", *QUICK)
    refused = project("assay", "use", _kept(done.stderr + done.stdout), check=False)
    assert refused.returncode == 1
    assert "assay add mine.csv --target target" in refused.stderr


BAD = {
    "an unknown option": (["model=mlpp"], "did you mean 'mlp'?"),
    "an unknown key": (["training.lrr=1"], "did you mean 'training.lr'?"),
    "several mistakes": (["training.lr=abc", "training.batch_size=0"], "2 problems"),
    "a value out of range": (["training.max_epochs=0"], "training.max_epochs"),
    "a missing file": (
        ["data=csv", "data.path=none.csv", "data.target=y", "model=mlp"],
        "none.csv",
    ),
    "a model that cannot take it": (
        ["data=breast_cancer", "model=cnn"],
        "these can: ensemble, mlp, pretrained",
    ),
    "no grammar": (["training.lr=[1"], "training.lr=[1"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_one_clear_message(project: Project, case: str) -> None:
    words, message = BAD[case]
    refused = project("assay", "run", *words, check=False)
    assert refused.returncode == 1
    assert message in refused.stderr
    assert "Traceback" not in refused.stderr


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupted_run_is_killed_in_mlflow_too(
    project: Project, number: signal.Signals, status: int
) -> None:
    words = [
        "assay",
        "run",
        "model=mlp",
        "training.max_epochs=100000",
        "training.early_stopping.patience=null",
    ]
    log = project.root / "interrupted.log"
    with log.open("w") as file:
        running = subprocess.Popen(
            words, cwd=project.root, env=project.environment({}), stdout=file, stderr=file
        )
    try:
        _wait_for("epoch", log, running)
        os.kill(running.pid, number)
        assert running.wait(timeout=60) == status
    finally:
        running.kill()
    assert "Traceback" not in log.read_text()
    assert _runs(project)[-1].info.status == "KILLED"


def _wait_for(word: str, log: Path, running: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + 120
    while time.monotonic() < until and running.poll() is None:
        if word in log.read_text():
            return
        time.sleep(0.2)
    pytest.fail(f"no '{word}' in {log.read_text()}")


def test_an_unreachable_server_is_said_before_anything_runs(project: Project) -> None:
    env = {"MLFLOW_TRACKING_URI": "http://127.0.0.1:9"}
    refused = project("assay", "run", *QUICK, check=False, env=env)
    assert refused.returncode == 1
    assert "127.0.0.1:9" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_help_imports_nothing_heavy(project: Project) -> None:
    code = "import sys; sys.argv = ['assay', '--help']\nfrom assay.cli.main import main\n"
    code += "try: main()\nexcept SystemExit: pass\nassert not {'torch', 'mlflow', 'hydra'} & set(sys.modules)"
    project("python", "-c", code, env={"PYTHONPATH": str(Path("src"))})
