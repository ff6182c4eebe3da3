"""Which processes work in the project right now, and whether a process of old still lives."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path, PurePath

import psutil

from assay.artifacts.process import GRACE_SECONDS, PARENT

_WRITING = {"add", "run", "use"}


def at_work(root: Path) -> tuple[str, ...]:
    """Return the DVC commands, stages and runs that work below ``root``, each in words."""
    me = psutil.Process()
    ours = {me.pid, *(parent.pid for parent in me.parents())}
    return tuple(_said(process) for process in _workers(root) if process.pid not in ours)


def wait_for_orphans(root: Path, *, seconds: float = GRACE_SECONDS + 10) -> tuple[str, ...]:
    """Wait for the stages below ``root`` whose DVC is gone: they end by themselves. Name them."""
    orphans = {_said(process): process for process in _workers(root) if _is_orphan(process)}
    psutil.wait_procs(list(orphans.values()), timeout=seconds)
    return tuple(orphans)


def _is_orphan(stage: psutil.Process) -> bool:
    """Tell whether a process was started by a DVC that has ended."""
    try:
        given = stage.environ().get(PARENT, "")
        return given.isdigit() and int(given) not in {above.pid for above in stage.parents()}
    except psutil.Error:
        return False


def _workers(root: Path) -> Iterator[psutil.Process]:
    for process in psutil.process_iter():
        with suppress(psutil.Error, OSError):
            if is_worker(process.cmdline()) and _is_below(process.cwd(), root):
                yield process


def is_worker(command: Sequence[str]) -> bool:
    """Tell whether a command line is DVC, a stage, or a verb of Assay that writes."""
    words = [PurePath(word).name for word in command[:3]]
    if "assay.stages" in command[:4]:
        return True
    if "assay" in words:
        return bool(_WRITING & set(command[:4]))
    return "dvc" in words and "daemon" not in command


def _is_below(folder: str, root: Path) -> bool:
    path = Path(folder)
    return path == root or root in path.parents


def _said(process: psutil.Process) -> str:
    try:
        words = [PurePath(word).name for word in process.cmdline()]
    except psutil.Error:
        words = []
    shown = [word for word in words if not word.startswith("python") and word != "-m"]
    return f"'{' '.join(shown)[:60]}' (process {process.pid})"


def is_dvc_alive(pid: int, *, since: float) -> bool:
    """Tell whether the DVC process of an id that was noted at ``since`` may still be alive.

    An id is given out again: a process that began later, or that is no DVC, is another one.
    """
    try:
        process = psutil.Process(pid)
        return process.create_time() <= since + 1 and any("dvc" in w for w in process.cmdline())
    except psutil.NoSuchProcess:
        return False
    except psutil.Error:
        return True


def is_gone(pid: int) -> bool:
    """Tell whether no process has an id."""
    return not psutil.pid_exists(pid)
