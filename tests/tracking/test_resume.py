"""Runs that go on after a kill: the same run, each step once, below the present parent."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from typing import Any

import pytest
from tests.tracking.recorded import ran, rows, run_stages, runs

from assay.tracking import spool
from assay.tracking.explore import explore_run, sweep_run
from assay.tracking.process import own_key
from assay.tracking.server import free_port, serving
from assay.tracking.store import open_store

pytestmark = pytest.mark.usefixtures("home")

CUT_OFF = """
import os, signal, sys
from pathlib import Path
from assay.tracking import buffer, invocation
from assay.tracking.run import stage_run

buffer.FLUSH_SECONDS = 0.0
invocation.invocation_key = lambda: "{host}:999999999:1.00"
folder = Path("artifacts/train")
folder.mkdir(parents=True, exist_ok=True)
with stage_run("train", folder=folder) as tracked:
    tracked.log_params({{"lr": 0.1}})
    for step in range(3):
        tracked.log_metrics({{"loss": 1 / (step + 1)}}, step=step)
    print(tracked.run_id, flush=True)
    if {is_inside}:
        os.kill(os.getpid(), signal.SIGKILL)
os.kill(os.getpid(), signal.SIGKILL)
"""


def killed(*, is_inside: bool = True) -> str:
    """Run a training in a process of its own, cut it off, and return its run's id."""
    script = CUT_OFF.format(host=socket.gethostname(), is_inside=is_inside)
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == -signal.SIGKILL, done.stderr
    return done.stdout.strip()


def history(run_id: str) -> list[tuple[int, float]]:
    found = open_store().client.get_metric_history(run_id, "loss")
    return [(metric.step, metric.value) for metric in found]


def log_all(tracked: Any, steps: int) -> None:
    tracked.log_params({"lr": 0.1})
    for step in range(steps):
        tracked.log_metrics({"loss": 1 / (step + 1)}, step=step)


@pytest.mark.parametrize("is_inside", [True, False])
def test_a_killed_stage_goes_on_in_its_run_each_step_once(dvc, is_inside):
    run_id = killed(is_inside=is_inside)
    with ran("train", resume=run_id) as tracked:
        assert (tracked.run_id, tracked.is_resumed) == (run_id, True)
        (run,) = runs("tags.stage = 'train'")
        assert run.info.status == "RUNNING"
        assert run.data.tags["assay.process"] == own_key()
        assert "error" not in run.data.tags
        log_all(tracked, 5)
    assert history(run_id) == [(step, 1 / (step + 1)) for step in range(5)]
    (run,) = runs("tags.stage = 'train'")
    assert (run.info.status, run.data.tags["resumed"]) == ("FINISHED", "1")


def test_the_run_moves_below_the_present_row_and_the_old_row_says_so(dvc):
    run_id = killed()
    with ran("train", resume=run_id):
        pass
    old, new = rows()
    run = open_store().client.get_run(run_id)
    assert run.data.tags["mlflow.parentRunId"] == new.info.run_id
    assert old.info.status == "KILLED"
    assert old.data.tags["pipeline"] == "killed at train; missing: prepare, search"
    assert old.data.tags["stage.train"] == (
        f"killed: run {run_id}; it went on below run {new.info.run_id}"
    )
    assert (new.info.status, new.data.tags["stage.train"]) == ("FINISHED", f"ran: run {run_id}")
    run_stages("export")
    assert rows()[-1].data.tags["stage.train"] == f"ran: run {run_id}"


def test_resumed_again_in_the_same_invocation_keeps_its_row(dvc):
    with pytest.raises(KeyboardInterrupt), ran("train") as tracked:
        log_all(tracked, 2)
        raise KeyboardInterrupt
    run_id = tracked.run_id
    for steps in (3, 4):
        with ran("train", resume=run_id) as tracked:
            log_all(tracked, steps)
    (row,) = rows()
    assert row.data.tags["stage.train"] == f"ran: run {run_id}"
    assert row.info.status == "FINISHED"
    assert open_store().client.get_run(run_id).data.tags["resumed"] == "2"
    assert [step for step, _ in history(run_id)] == [0, 1, 2, 3]


@pytest.mark.parametrize("why", ["unknown", "deleted", "elsewhere", "no id"])
def test_a_run_that_cannot_go_on_is_a_new_one(dvc, why, monkeypatch):
    run_id = {"unknown": "f" * 32, "no id": "../x"}.get(why, "")
    if not run_id:
        with ran("train") as tracked:
            run_id = tracked.run_id
    if why == "deleted":
        open_store().client.delete_run(run_id)
    if why == "elsewhere":
        monkeypatch.setenv("MLFLOW_EXPERIMENT_NAME", "other")
    with ran("train", resume=run_id) as tracked:
        assert not tracked.is_resumed
        assert tracked.run_id != run_id
        log_all(tracked, 2)
    assert [step for step, _ in history(tracked.run_id)] == [0, 1]


def test_what_the_killed_process_kept_is_sent_before_its_run_goes_on(dvc):
    """Its old end, sent later, would close the run in the middle of its new life."""
    store = open_store()
    run_id = killed()
    kept = spool.Spool.new(store)
    rest = [["loss", 0.25, 5, 3]]
    kept.append({"op": "metrics", "run": run_id, "values": rest})
    kept.append({"op": "status", "run": run_id, "status": "KILLED", "end": 1})
    with ran("train", resume=run_id) as tracked:
        assert not tracked.is_resumed, "another process holds what was kept"
    kept.release()
    with ran("train", resume=run_id) as tracked:
        assert tracked.is_resumed
        log_all(tracked, 5)
        assert open_store().client.get_run(run_id).info.status == "RUNNING"
    assert sorted(history(run_id)) == [(step, 1 / (step + 1)) for step in range(5)]


def test_a_run_of_a_sweep_goes_on_below_the_present_sweep():
    with (
        pytest.raises(KeyboardInterrupt),
        sweep_run(name="first") as first,
        explore_run(name="job", parent=None, config={"seed": 1}) as job,
    ):
        log_all(job, 2)
        raise KeyboardInterrupt
    with (
        sweep_run(name="second") as second,
        explore_run(name="job", parent=None, config={"seed": 1}, resume=job.run_id) as again,
    ):
        assert again.is_resumed
        log_all(again, 3)
    run = open_store().client.get_run(job.run_id)
    assert first.run_id != second.run_id
    assert run.data.tags["mlflow.parentRunId"] == second.run_id
    assert run.info.status == "FINISHED"
    assert [step for step, _ in history(job.run_id)] == [0, 1, 2]


def test_a_real_server_knows_the_run_again(dvc, monkeypatch):
    port = free_port()
    with serving(open_store(), port=port):
        monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://127.0.0.1:{port}")
        run_id = killed()
        with ran("train", resume=run_id) as tracked:
            assert tracked.is_resumed
            log_all(tracked, 5)
        with ran("train", resume="f" * 32) as tracked:
            assert not tracked.is_resumed
        assert history(run_id) == [(step, 1 / (step + 1)) for step in range(5)]
        assert open_store().client.get_run(run_id).info.status == "FINISHED"
