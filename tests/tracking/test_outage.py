"""A real server that is killed and comes back, and senders that are killed while they replay."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from tests.tracking.recorded import run_stages

from assay.tracking.health import spools
from assay.tracking.server import free_port, serving
from assay.tracking.store import open_store

STEPS = 40
TRAIN = """
import logging, sys, time
from pathlib import Path
from assay.tracking import buffer
from assay.tracking.resume import child_run
from assay.tracking.run import stage_run

logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(message)s")
buffer.FLUSH_SECONDS, buffer.RETRY_SECONDS = 0.0, 0.5
folder = Path("artifacts/train")
folder.mkdir(parents=True, exist_ok=True)
with stage_run("train", folder=folder) as tracked:
    print(tracked.run_id, flush=True)
    for step in range(int(sys.argv[1])):
        tracked.log_metrics({"loss": 1 / (step + 1)}, step=step)
        with child_run(tracked, f"trial {step}") as trial:
            trial.log_metrics({"loss": float(step)}, step=0)
        print(step, flush=True)
        sys.stdin.readline()
"""

SENDERS = """
import os, signal
from assay.tracking import spool
from assay.tracking.store import open_store

def send(calls):
    note = spool.Spool._remember

    def die_or_note(self, offset):
        nonlocal calls
        calls -= 1
        if calls <= 0:
            os.kill(os.getpid(), signal.SIGKILL)  # sent, and not noted
        note(self, offset)

    spool.Spool._remember = die_or_note
    spool.replay_leftovers(open_store())
    os._exit(0)

ends = []
while len(ends) < 100 and (not ends or ends[-1] != 0):
    child = os.fork()
    if not child:
        send(1 + 7 * (len(ends) % 3) if len(ends) < 6 else 10**6)
    ends.append(os.waitpid(child, 0)[1])
print(ends)
"""


class Training:
    """A training in a process of its own that waits after each step until it is told to go on."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", TRAIN, str(STEPS)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.run_id = self._line()
        self._line()

    def _line(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def steps(self, count: int) -> None:
        for _ in range(count):
            self.process.stdin.write("\n")
            self.process.stdin.flush()
            self._line()

    def finish(self) -> list[str]:
        _, errors = self.process.communicate("\n" * STEPS, timeout=120)
        assert self.process.returncode == 0, errors
        return [line for line in errors.splitlines() if line.startswith("WARNING")]


def kill(server: subprocess.Popen[bytes]) -> None:
    os.killpg(server.pid, signal.SIGKILL)
    server.wait(30)


def check_all_is_there(run_id: str) -> None:
    store = open_store()
    assert store.client.get_run(run_id).info.status == "FINISHED"
    history = store.client.get_metric_history(run_id, "loss")
    assert [(m.step, m.value) for m in history] == [(i, 1 / (i + 1)) for i in range(STEPS)]
    query = f"tags.`mlflow.parentRunId` = '{run_id}'"
    trials = store.client.search_runs([store.experiment_id], query)
    trials = sorted(trials, key=lambda trial: int(trial.info.run_name.split()[1]))
    assert [t.info.run_name for t in trials] == [f"trial {i}" for i in range(STEPS)]
    assert [t.data.metrics for t in trials] == [{"loss": float(i)} for i in range(STEPS)]
    assert {t.info.status for t in trials} == {"FINISHED"}
    once = [store.client.get_metric_history(t.info.run_id, "loss") for t in trials]
    assert {len(values) for values in once} == {1}


def test_a_server_that_comes_back_gets_everything_in_order_and_once(home, project, monkeypatch):
    port, local = free_port(), open_store()
    with serving(local, port=port) as server:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://127.0.0.1:{port}")
        training = Training()
        training.steps(5)
        kill(server)
        training.steps(10)
        assert list(home.glob("spool/*/*.jsonl"))
    with serving(local, port=port):
        time.sleep(0.6)  # until the training tries again
        training.steps(10)
        assert not list(home.glob("spool/*/*.jsonl"))
        warnings = training.finish()
        check_all_is_there(training.run_id)
    assert len(warnings) == 1
    assert "the store is away" in warnings[0]


def test_a_server_that_is_gone_for_good_and_senders_that_are_killed(home, project, monkeypatch):
    port, local = free_port(), open_store()
    with serving(local, port=port) as server:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://127.0.0.1:{port}")
        training = Training()
        training.steps(5)
        kill(server)
        warnings = training.finish()
    assert len(warnings) == 2, "that it is away, and at the end what happens with the rest"
    (kept,) = spools()
    assert kept.changes > STEPS
    with serving(local, port=port):
        done = subprocess.run([sys.executable, "-c", SENDERS], capture_output=True, text=True)
        assert done.stdout.strip() == str([9, 9, 9, 9, 9, 9, 0]), done.stderr
        assert spools() == []
        check_all_is_there(training.run_id)
        run_stages("export")
    assert Path("artifacts/export/run.json").is_file()
