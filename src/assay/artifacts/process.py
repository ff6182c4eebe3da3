"""A stage ends with the DVC that started it, so that a killed DVC leaves no second writer.

``dvc.yaml`` gives each stage the id of its DVC in ``ASSAY_PARENT``. A stage that a person starts
has none, and outlives the shell that it was started from as any command does.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import threading
import time

import psutil

from assay.errors import Terminated

PARENT = "ASSAY_PARENT"
_OF_DVC = "DVC_STAGE"  # which DVC sets for every stage that it runs
GRACE_SECONDS = 30.0
_POLL_SECONDS = 1.0
_PR_SET_PDEATHSIG = 1


def end_with_parent(*, grace_seconds: float = GRACE_SECONDS) -> None:
    """Have this process terminated when the one that ``ASSAY_PARENT`` names ends.

    SIGTERM comes at once on Linux, within a second elsewhere; what has not unwound after the
    grace is killed. Raises Terminated when that process has ended already.
    """
    parent = _parent()
    if parent is None:
        return
    is_signalled = os.getppid() == parent and _ask_kernel()
    if not _is_below(parent):  # after the kernel was asked: no moment in between is missed
        raise Terminated
    watch = threading.Thread(
        target=_watch, args=(parent, is_signalled, grace_seconds), name="parent", daemon=True
    )
    watch.start()


def _parent() -> int | None:
    """Return the id of the DVC above, and hide it from processes that this one starts."""
    given = os.environ.pop(PARENT, "")
    if given.isdigit():
        return int(given)
    return os.getppid() if _OF_DVC in os.environ else None  # a shell without $PPID, or a person


def _ask_kernel() -> bool:
    """Ask Linux for SIGTERM when the parent ends; tell whether it will send it."""
    if sys.platform != "linux":
        return False
    try:
        refused: int = ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    except (AttributeError, OSError):
        return False
    return refused == 0


def _is_below(parent: int) -> bool:
    if os.getppid() == parent:
        return True
    try:
        return any(process.pid == parent for process in psutil.Process().parents())
    except psutil.Error:
        return True  # it cannot be seen: not a reason to end


def _watch(parent: int, is_signalled: bool, grace_seconds: float) -> None:
    while _is_below(parent):
        time.sleep(_POLL_SECONDS)
    if not is_signalled:
        os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(grace_seconds)
    os.kill(os.getpid(), signal.SIGKILL)
