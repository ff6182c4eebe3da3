from __future__ import annotations

import os
import socket
import subprocess

import pytest

from assay.tracking.process import _is_pipeline, invocation_key, is_gone, own_key


@pytest.mark.parametrize(
    "command",
    [
        "/venv/bin/python /venv/bin/dvc repro",
        "/venv/bin/dvc repro -f train",
        "python -m dvc repro",
        "python -m dvc -q repro --keep-going",
        "python /venv/bin/dvc exp run -S model=gru",
        "dvc exp run --temp",
        "dvc experiments run",
        "dvc --cd sub repro",
        "dvc exp exec-run --infofile /p/.dvc/tmp/exps/run/x/x.json",
        "python -m dvc exp exec-run --infofile x.json",
    ],
)
def test_what_runs_stages_is_recognised(command):
    assert _is_pipeline(command.split())


@pytest.mark.parametrize(
    "command",
    [
        "",
        "python",
        "dvc status",
        "dvc exp show",
        "dvc queue start",
        "python -m dvc exp queue-worker w1",
        "vim dvc repro",
        "bash -c dvc repro",
        "python train.py dvc repro",
        "/srv/dvc/bin/python tool.py repro",
    ],
)
def test_what_runs_no_stages_is_not(command):
    assert not _is_pipeline(command.split())


def test_without_dvc_a_process_is_its_own_invocation(monkeypatch):
    monkeypatch.delenv("DVC_EXP_NAME", raising=False)
    if invocation_key() != own_key():
        pytest.skip("these tests run below dvc")
    monkeypatch.setenv("DVC_EXP_NAME", "bold-fish")
    assert invocation_key() == f"{own_key()}:bold-fish"


def test_a_process_that_ended_is_gone_and_one_that_lives_is_not():
    assert not is_gone(own_key())
    host, pid, started = own_key().split(":")
    assert is_gone(f"{host}:{pid}:{float(started) - 100:.2f}"), "the pid was used again"
    assert not is_gone(f"{host}:{pid}:{float(started) + 2:.2f}"), "the clock was set"
    ended = subprocess.Popen(["true"])
    ended.wait()
    assert is_gone(f"{socket.gethostname()}:{ended.pid}:1.00")
    assert not is_gone(f"another-host:{os.getpid()}:1.00")
