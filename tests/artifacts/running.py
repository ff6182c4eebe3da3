"""Python run in a process of its own, with a small disk where asked for."""

from __future__ import annotations

import resource
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable


def run_python(
    body: str, *, before: Callable[[], None] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a program and return how it ended; ``before`` is called in the new process."""
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(body)],
        preexec_fn=before,
        capture_output=True,
        text=True,
        timeout=60,
    )


def small_disk() -> None:
    """Refuse files above 20 kB in this process, as a full disk does."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
