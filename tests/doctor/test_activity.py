"""Which command lines are work on the project."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest

from assay.artifacts.lock import is_held
from assay.doctor.activity import at_work, is_dvc_alive, is_worker

WORKERS = [
    "/p/bin/python /p/bin/dvc repro",
    "python -m dvc exp run -S lr=1",
    "dvc exp run --run-all",
    "python -m dvc exp queue-worker x",
    "python -m assay.stages train",
    "/p/bin/python3.11 /p/bin/assay run -m model=mlp",
    "python /p/bin/assay add churn.csv",
]
OTHERS = [
    "python /p/bin/assay doctor --fix",
    "python /p/bin/assay ui",
    "python -m dvc daemon analytics",
    "vim dvc.yaml",
    "python -m pytest tests/doctor/test_dvc_locks.py",
    "git status",
    "",
]


@pytest.mark.parametrize("command", WORKERS)
def test_what_writes_is_work(command):
    assert is_worker(command.split())


@pytest.mark.parametrize("command", OTHERS)
def test_what_only_looks_is_none(command):
    assert not is_worker(command.split())


def test_only_what_works_here_is_at_work(tiny, sleeper, tmp_path):
    (said,) = at_work(tiny.root)
    assert said == f"'dvc repro' (process {sleeper.pid})"
    (tmp_path / "elsewhere").mkdir()
    assert at_work(tmp_path / "elsewhere") == ()


def test_a_dvc_is_alive_until_it_ends_and_its_id_is_no_other_s(sleeper):
    now = time.time()
    assert is_dvc_alive(sleeper.pid, since=now)
    assert not is_dvc_alive(sleeper.pid, since=now - 3600)  # it began later: another process
    sleeper.kill()
    sleeper.wait()
    assert not is_dvc_alive(sleeper.pid, since=now)


def test_a_lock_is_held_by_a_living_process_only(tmp_path):
    lock = tmp_path / "lock"
    assert not is_held(lock)
    assert not lock.exists()
    code = (
        "import time; from filelock import FileLock\n"
        f"lock = FileLock({str(lock)!r})\n"
        "lock.acquire(); print(flush=True); time.sleep(60)"
    )
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    process.stdout.readline()
    assert is_held(lock)
    process.kill()
    process.wait()
    assert not is_held(lock)
