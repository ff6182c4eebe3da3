from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.tracking.recorded import ran, rows, run_stages, runs

from assay.errors import Terminated, TrainingError
from assay.tracking.invocation import STAGES, record_restored
from assay.tracking.orphans import close_orphans
from assay.tracking.store import open_store

pytestmark = pytest.mark.usefixtures("home")


def told(row) -> str:
    return row.data.tags["pipeline"]


def stage_ids() -> dict[str, str]:
    return {run.data.tags["stage"]: run.info.run_id for run in runs("tags.stage LIKE '%'")}


def test_all_stages_of_one_invocation_share_a_row(dvc):
    run_stages(*STAGES)
    (row,) = rows()
    assert told(row) == "complete"
    assert row.info.status == "FINISHED"
    children = runs(f"tags.`mlflow.parentRunId` = '{row.info.run_id}'")
    assert [run.info.run_name for run in children] == list(STAGES)


def test_each_invocation_has_a_row_of_its_own(dvc):
    run_stages("prepare")
    dvc("second")
    run_stages("prepare")
    assert len(rows()) == 2


def test_skipped_stages_are_linked_and_their_findings_stay_on_the_row(dvc):
    with ran("prepare") as tracked:
        tracked.log_dataset(name="d", digest="1", source="s", context="training", rows=3)
        tracked.log_parent(tags={"data_digest": "1"})
    run_stages("search", "train", "export")
    with ran("evaluate") as tracked:
        tracked.log_parent(metrics={"test_accuracy": 0.98})
    run_stages("explain", "register")
    first = stage_ids()
    dvc("second")
    run_stages("explain", "register")
    row = rows()[-1]
    assert told(row) == "complete; linked: prepare, search, train, export, evaluate"
    assert row.data.tags["stage.evaluate"] == f"linked: run {first['evaluate']}"
    assert row.data.tags["stage.explain"] == f"ran: run {stage_ids()['explain']}"
    assert row.data.metrics == {"test_accuracy": 0.98}
    assert row.data.tags["data_digest"] == "1"
    assert row.inputs.dataset_inputs[0].dataset.name == "d"


def test_a_part_says_where_it_stopped_and_distrusts_files_of_later_stages(dvc):
    run_stages(*STAGES)
    with ran("evaluate") as tracked:
        tracked.log_parent(metrics={"test_accuracy": 0.5})
    old = stage_ids()
    dvc("second")
    run_stages("prepare", "search", "train")
    row = rows()[-1]
    assert told(row) == "partial: stopped after train; left: export, evaluate, explain, register"
    assert row.data.tags["stage.evaluate"] == (
        f"left: not run, its files are of run {old['evaluate']}"
    )
    assert row.data.metrics == {}
    assert row.info.status == "FINISHED"


def test_a_first_part_says_where_it_stopped(dvc):
    run_stages("prepare", "search")
    assert told(rows()[0]) == "partial: stopped after search"


@pytest.mark.parametrize(
    ("error", "words", "status"),
    [
        (TrainingError("nan"), "failed at export", "FAILED"),
        (Terminated(), "killed at export", "KILLED"),
        (KeyboardInterrupt(), "killed at export", "KILLED"),
    ],
)
def test_half_way_is_told(dvc, error, words, status):
    run_stages("prepare", "search", "train")
    with pytest.raises(type(error)), ran("export"):
        raise error
    (row,) = rows()
    assert (told(row), row.info.status) == (words, status)
    assert row.data.tags["stage.train"] == f"ran: run {stage_ids()['train']}"


def test_a_failure_is_not_forgotten_when_other_stages_go_on(dvc):
    with pytest.raises(TrainingError), ran("evaluate"):
        raise TrainingError("x")
    run_stages("explain")
    (row,) = rows()
    assert row.info.status == "FAILED"
    assert told(row).startswith("failed at evaluate")


def test_files_of_another_store_are_told_apart(dvc):
    run_stages("prepare", "search")
    file = Path("artifacts/prepare/run.json")
    origin = json.loads(file.read_text())
    file.write_text(json.dumps({**origin, "run_id": "f" * 32, "tracking_uri": "http://elsewhere"}))
    dvc("second")
    run_stages("train")
    row = rows()[-1]
    assert row.data.tags["stage.prepare"] == f"restored: run {'f' * 32} of http://elsewhere"
    assert row.data.tags["stage.search"].startswith("linked: run ")
    assert told(row) == "partial: stopped after train; linked: search; restored: prepare"


def test_missing_and_damaged_origins_are_told(dvc):
    run_stages("prepare", "search", "train")
    shutil.rmtree("artifacts/search")
    Path("artifacts/train/run.json").write_text("{")
    dvc("second")
    run_stages("export")
    row = rows()[-1]
    assert told(row) == "partial: stopped after export; linked: prepare; missing: search, train"


def test_a_restoration_of_everything_gets_a_row(dvc, project):
    run_stages(*STAGES)
    shutil.copytree("artifacts", "cache")
    dvc("second")
    run_stages(*STAGES)
    assert not record_restored(open_store())
    shutil.rmtree("artifacts/explain")
    shutil.copytree("cache/explain", "artifacts/explain")
    assert record_restored(open_store())
    row = rows()[-1]
    assert told(row) == f"restored: nothing ran; linked: {', '.join(STAGES)}"
    assert row.data.params["model"] == "cnn"
    assert not record_restored(open_store())
    assert len(rows()) == 3


def test_nothing_is_recorded_without_files_or_beside_a_running_pipeline(dvc):
    assert not record_restored(open_store())
    with ran("prepare"):
        Path("artifacts/train").mkdir()
        Path("artifacts/train/run.json").write_text('{"run_id": "x"}')
        assert not record_restored(open_store())


SCRIPT = """
import sys, time
from pathlib import Path
from assay.errors import exit_plainly
from assay.tracking.run import stage_run
stage, wait = sys.argv[1:]
folder = Path("artifacts") / stage
folder.mkdir(parents=True, exist_ok=True)
with exit_plainly(stage), stage_run(stage, folder=folder):
    print("ready", flush=True)
    time.sleep(float(wait))
"""


def start(stage: str, wait: float = 0.0) -> subprocess.Popen[str]:
    words = [sys.executable, "-c", SCRIPT, stage, str(wait)]
    return subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_a_real_dvc_process_above_ties_its_stages_together(project):
    dvc = project / "bin" / "dvc"
    dvc.parent.mkdir()
    dvc.write_text(
        "import subprocess, sys\n"
        f"for stage in ('prepare', 'search'):\n"
        f"    subprocess.run([sys.executable, '-c', {SCRIPT!r}, stage, '0'], check=True)\n"
    )
    subprocess.run([sys.executable, str(dvc), "repro"], check=True, stdout=subprocess.DEVNULL)
    (row,) = rows()
    assert told(row) == "partial: stopped after search"


def test_signals_are_told_as_killed_and_a_cut_off_run_is_closed_later(project):
    stopped, cut_off = start("prepare", 60), start("search", 60)
    for process in (stopped, cut_off):
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    stopped.send_signal(signal.SIGTERM)
    assert stopped.wait(30) == 143
    os.kill(cut_off.pid, signal.SIGKILL)
    cut_off.wait(30)
    by_stage = {run.data.tags.get("stage"): run for run in runs()}
    assert by_stage["prepare"].info.status == "KILLED"
    assert by_stage["search"].info.status == "RUNNING"
    assert close_orphans(open_store()) == 2
    assert {run.info.status for run in runs()} == {"KILLED"}
    assert time.time() * 1000 - runs()[-1].info.end_time < 60_000
