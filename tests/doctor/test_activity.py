"""A stage whose DVC was killed ends by itself; the doctor waits for that before it mends."""

import os
import subprocess
import sys

import pytest

from assay.doctor.activity import at_work, wait_for_orphans

# Stands for a stage: its command line names one, and it ends when it is told to.
_STAGE = [
    sys.executable,
    "-c",
    "import sys; print(flush=True); sys.stdin.readline()",
    "assay.stages",
]


@pytest.fixture
def start(tmp_path):
    started = []

    def start(parent):
        environment = {k: v for k, v in os.environ.items() if k != "ASSAY_PARENT"}
        given = {"ASSAY_PARENT": str(parent)} if parent else {}
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        stage = subprocess.Popen(_STAGE, cwd=tmp_path, env={**environment, **given}, **pipes)
        started.append(stage)
        stage.stdout.readline()
        return stage

    yield start
    for stage in started:
        with stage:  # which closes its pipes and reaps it
            stage.kill()


def _ended():
    process = subprocess.Popen(["true"])
    process.wait()
    return process.pid


def test_a_stage_without_its_dvc_is_waited_for(start, tmp_path):
    stage = start(_ended())
    assert len(at_work(tmp_path)) == 1
    (said,) = wait_for_orphans(tmp_path, seconds=0.1)
    assert f"process {stage.pid}" in said
    assert stage.poll() is None, "it was waited for, not ended"
    stage.stdin.close()
    wait_for_orphans(tmp_path, seconds=60)
    stage.wait(timeout=60)
    assert at_work(tmp_path) == ()


@pytest.mark.parametrize("parent", [os.getpid, lambda: None], ids=["of a DVC", "of a person"])
def test_a_stage_at_work_is_not(start, tmp_path, parent):
    start(parent())
    assert wait_for_orphans(tmp_path, seconds=60) == ()
    assert len(at_work(tmp_path)) == 1
