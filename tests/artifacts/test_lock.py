"""One writer a stage: the second waits and says for whom; the dead hold nothing."""

from __future__ import annotations

import select
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

import pytest

_WRITER = """
    import sys, time
    from assay.artifacts.staging import staged
    from assay.errors import exit_plainly
    with exit_plainly("train"), staged("train") as folder:
        (folder / "who").write_text(sys.argv[1])
        print("writing", flush=True)
        sys.stdin.readline()
"""
Start = Callable[[str], "subprocess.Popen[str]"]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start a process that writes the stage until it is told to end, and reap it."""
    started = []

    def start(name: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(_WRITER), name],
            cwd=tmp_path,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def _line(pipe: IO[str] | None) -> str:
    """Return the next line that a process says; fail where it says none."""
    assert pipe is not None
    assert select.select([pipe], [], [], 60)[0], "nothing was said"
    return pipe.readline()


def _end(process: subprocess.Popen[str]) -> int:
    process.communicate("\n", timeout=60)
    return process.returncode


def test_a_second_writer_says_for_whom_it_waits_and_then_writes(
    start: Start, tmp_path: Path
) -> None:
    first = start("first")
    assert _line(first.stdout) == "writing\n"
    second = start("second")
    said = _line(second.stderr)
    assert f"train is being written by process {first.pid} on " in said
    assert "waiting until it has ended" in said
    assert (_end(first), (tmp_path / "artifacts/train/who").read_text()) == (0, "first")
    assert _line(second.stdout) == "writing\n"
    assert (_end(second), (tmp_path / "artifacts/train/who").read_text()) == (0, "second")


@pytest.mark.parametrize(("sent", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_who_waits_can_be_interrupted(start: Start, sent: signal.Signals, status: int) -> None:
    first = start("first")
    _line(first.stdout)
    second = start("second")
    _line(second.stderr)
    second.send_signal(sent)
    second.communicate(timeout=60)
    assert second.returncode == status
    assert _end(first) == 0


def test_a_killed_writer_holds_nothing(start: Start, tmp_path: Path) -> None:
    first = start("first")
    _line(first.stdout)
    second = start("second")
    _line(second.stderr)
    first.kill()
    assert _line(second.stdout) == "writing\n"
    assert _end(second) == 0
    assert {p.name for p in (tmp_path / "artifacts/train").iterdir()} == {"who", "manifest"}
