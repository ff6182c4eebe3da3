"""Worker processes on this machine: one that dies is replaced, one that gives up ends all."""

from __future__ import annotations

import logging
import multiprocessing
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import TypeAlias

from assay.artifacts.process import PARENT, end_with_parent
from assay.errors import (
    EXIT_INTERRUPTED,
    EXIT_TERMINATED,
    AssayError,
    Terminated,
    TrainingError,
    end_on_signals,
)
from assay.secrets import mask_logs
from assay.tuning.share import share_of
from assay.tuning.worker import Worker

log = logging.getLogger(__name__)
Launch: TypeAlias = Callable[[Worker, int], str | None]
"""Runs a worker for each index below a count, and returns when they have all ended.

Where one was killed that was not replaced, it returns a word on that.
"""

_FRUITLESS = 3


@dataclass(kw_only=True)
class _Process:
    process: BaseProcess
    words: Connection
    begun: int = field(default=0)


def local(worker: Worker, count: int) -> None:
    """Run workers in processes of this machine.

    Raises TrainingError when a worker gives up, or when workers die again and again before they
    begin a trial.
    """
    begun = worker.studies.begun()
    running = {index: _started(worker, index, begun=begun) for index in range(count)}
    fruitless = 0
    try:
        while running:
            for index in _ended(running):
                gone = running.pop(index)
                if not _has_died(gone, index):
                    continue
                begun = worker.studies.begun()
                fruitless = 0 if begun > gone.begun else fruitless + 1
                if fruitless > _FRUITLESS:
                    raise TrainingError(
                        f"the search's workers died {fruitless} times, the last by signal "
                        f"{-(gone.process.exitcode or 0)}, before they began a trial"
                    )
                log.warning(
                    "search: worker %d died (signal %d): another takes its place",
                    index,
                    -(gone.process.exitcode or 0),
                )
                running[index] = _started(worker, index, begun=begun)
    finally:
        _end(running)


def _started(worker: Worker, index: int, *, begun: int) -> _Process:
    context = multiprocessing.get_context("spawn")
    words, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_enter, args=(worker, index, theirs), name=f"search {index}")
    with _environment(share_of(index, worker.studies.knobs).environment):
        process.start()
    theirs.close()
    return _Process(process=process, words=words, begun=begun)


@contextmanager
def _environment(changes: dict[str, str]) -> Iterator[None]:
    """Set what a process that is started within the block reads at its first import."""
    changes = {**changes, PARENT: str(os.getpid())}
    before = {name: os.environ.get(name) for name in changes}
    os.environ.update(changes)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _ended(running: dict[int, _Process]) -> list[int]:
    sentinels = {one.process.sentinel: index for index, one in running.items()}
    return [sentinels[ended] for ended in wait(list(sentinels))]  # type: ignore[index]  # ours


def _has_died(gone: _Process, index: int) -> bool:
    """Tell whether a process was killed; raise TrainingError where it gave up."""
    gone.process.join()
    code = gone.process.exitcode or 0
    said = _said(gone.words)
    if code > 0:
        why = said or f"ended with exit status {code}; its traceback stands above"
        raise TrainingError(f"worker {index} of the search: {why}")
    return code < 0


def _said(words: Connection) -> str:
    try:
        return str(words.recv()) if words.poll() else ""
    except (EOFError, OSError):
        return ""
    finally:
        words.close()


def _end(running: dict[int, _Process]) -> None:
    for one in running.values():
        one.process.terminate()
    for one in running.values():
        one.process.join()


def _enter(worker: Worker, index: int, words: Connection) -> None:
    """What a worker process does from its first to its last line."""
    end_on_signals()
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    mask_logs()
    try:
        end_with_parent()
        worker(index)
    except AssayError as error:
        words.send(str(error))
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(EXIT_INTERRUPTED)
    except Terminated:
        sys.exit(EXIT_TERMINATED)
