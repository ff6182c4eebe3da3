"""A stage ends with its DVC; a command that a person started outlives its shell."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import psutil
import pytest

# What stands for a stage: it writes its id, then how it ended.
_STAGE = """
    import os, sys, time
    from pathlib import Path
    from assay.artifacts import process
    from assay.errors import Terminated, exit_plainly
    {before}
    with exit_plainly("train"):
        try:
            process.end_with_parent(grace_seconds={grace})
            Path("draft").write_text(str(os.getpid()))
            Path("draft").rename("begun")
            time.sleep(60)
        except Terminated:
            Path("unwound").touch()
            {after}
            raise
"""
# What stands for DVC: it starts the stage through a shell, as DVC does, and waits.
_DVC = "import subprocess, sys; subprocess.run(['/bin/sh', '-c', sys.argv[1]])"
_DIRECT = "exec env ASSAY_PARENT=$PPID {python} stage.py"
_INDIRECT = "env ASSAY_PARENT=$PPID {python} stage.py; echo"


@pytest.fixture(autouse=True)
def _inside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("ASSAY_PARENT", raising=False)
    monkeypatch.delenv("DVC_STAGE", raising=False)


def _write_stage(*, before: str = "", after: str = "pass", grace: float = 30) -> None:
    text = textwrap.dedent(_STAGE).format(before=before, after=after, grace=grace)
    Path("stage.py").write_text(text)


def _start(command: str) -> tuple[subprocess.Popen[bytes], psutil.Process]:
    """Return the process that stands for DVC, and the stage below it."""
    parent = subprocess.Popen([sys.executable, "-c", _DVC, command.format(python=sys.executable)])
    _wait_for(lambda: Path("begun").is_file())
    return parent, psutil.Process(int(Path("begun").read_text()))


def _wait_for(condition: object, seconds: float = 60) -> None:
    until = time.monotonic() + seconds
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < until, "it never came"
        time.sleep(0.02)


def _has_ended(process: psutil.Process) -> bool:
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


_BY_KERNEL = "process.threading.Thread.start = lambda self: None"
_BY_WATCHING = "process._ask_kernel = lambda: False"


@pytest.mark.parametrize(
    ("command", "before"),
    [
        pytest.param(
            _DIRECT,
            _BY_KERNEL,
            marks=pytest.mark.skipif(sys.platform != "linux", reason="Linux tells of a parent"),
        ),
        (_DIRECT, _BY_WATCHING),
        (_INDIRECT, "pass"),
    ],
    ids=["by the kernel", "by watching", "behind a shell"],
)
def test_a_stage_unwinds_when_its_dvc_is_killed(command: str, before: str) -> None:
    _write_stage(before=before)
    parent, stage = _start(command)
    parent.kill()
    parent.wait()
    _wait_for(lambda: _has_ended(stage))
    assert Path("unwound").is_file()


def test_what_does_not_unwind_is_killed() -> None:
    _write_stage(after="time.sleep(60)", grace=0.2)
    parent, stage = _start(_DIRECT)
    parent.kill()
    parent.wait()
    _wait_for(lambda: _has_ended(stage), seconds=30)
    assert Path("unwound").is_file()


def test_a_stage_whose_dvc_is_gone_already_does_not_begin() -> None:
    gone = subprocess.Popen(["true"])
    gone.wait()
    _write_stage()
    environment = {**os.environ, "ASSAY_PARENT": str(gone.pid)}
    done = subprocess.run([sys.executable, "stage.py"], env=environment, timeout=60)
    assert done.returncode == 143
    assert not Path("begun").exists()


@pytest.mark.parametrize("command", ["{python} stage.py & wait", "nohup {python} stage.py & wait"])
def test_a_command_of_a_persons_outlives_its_shell(command: str) -> None:
    _write_stage()
    parent, stage = _start(command)
    shell = stage.parent()
    assert shell is not None
    try:
        for process in (shell, parent):
            process.kill()
        parent.wait()
        _wait_for(lambda: stage.ppid() not in (shell.pid, parent.pid))
        time.sleep(1.5)  # longer than a watch's period
        assert not _has_ended(stage)
        assert not Path("unwound").exists()
    finally:
        stage.send_signal(signal.SIGTERM)
        _wait_for(lambda: _has_ended(stage))


@pytest.mark.parametrize("given", ["ASSAY_PARENT=", ""])
def test_where_a_shell_does_not_know_its_parent_the_nearest_one_is_followed(given: str) -> None:
    _write_stage()
    parent, stage = _start(f"exec env DVC_STAGE=train {given} {{python}} stage.py")
    parent.kill()
    parent.wait()
    _wait_for(lambda: _has_ended(stage))
    assert Path("unwound").is_file()
