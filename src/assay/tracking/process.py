"""Which invocation a process belongs to: the nearest DVC process above it, else itself."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import PurePath

import psutil

from assay.artifacts.alive import is_gone, key_of, own_key

__all__ = ["invocation_key", "is_gone", "own_key"]

_PIPELINES = re.compile(r"^(\S+ )?(repro|(exp|experiments) (run|exec-run))( |$)")


def invocation_key() -> str:
    """Return host, pid and start time of the DVC process above this one, else of this one.

    Stages that one ``dvc`` process starts have one key, and no later process repeats it.
    """
    me = psutil.Process()
    parents = (p for p in me.parents() if _is_pipeline(_command(p)))
    key = key_of(next(parents, me))
    experiment = os.environ.get("DVC_EXP_NAME")
    return f"{key}:{experiment}" if experiment else key


def _command(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:
        return []


def _is_pipeline(command: Sequence[str]) -> bool:
    """Tell whether a command line is a DVC that runs stages."""
    words = _after_dvc(command)
    verbs = " ".join(word for word in words if not word.startswith("-"))
    return _PIPELINES.match(verbs) is not None


def _after_dvc(command: Sequence[str]) -> Sequence[str]:
    words = command[1:] if _is_python(command) else command
    if tuple(words[:2]) == ("-m", "dvc"):
        return words[2:]
    return words[1:] if words and PurePath(words[0]).name in ("dvc", "dvc.exe") else ()


def _is_python(command: Sequence[str]) -> bool:
    return bool(command) and PurePath(command[0]).name.lower().startswith(("python", "pypy"))
