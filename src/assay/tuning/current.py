"""The trial at work in this process, for a training that a search calls through something else."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

import optuna

from assay.tuning.share import Share
from assay.tuning.trial import Draw, Report

STOPPED = (optuna.TrialPruned,)
"""What ends a trial that is stopped early."""


@dataclass(frozen=True, kw_only=True)
class Current:
    """What the trial at work is to try, where it reports to, and its worker's share."""

    draw: Draw
    report: Report
    share: Share


_CURRENT: ContextVar[Current | None] = ContextVar("trial", default=None)


def current() -> Current | None:
    """Return the trial at work, None outside of a search."""
    return _CURRENT.get()


def report(step: int, value: float) -> None:
    """Tell the search the objective after a step; a trial that should stop ends here.

    Raises ``Pruned``, which is to come out of the trial. Outside of a search nothing happens, so a
    training may always call it.
    """
    if (trial := _CURRENT.get()) is not None:
        trial.report(step, value)


@contextmanager
def at_work(trial: Current) -> Iterator[None]:
    """Make this the trial at work while the block runs."""
    token = _CURRENT.set(trial)
    try:
        yield
    finally:
        _CURRENT.reset(token)
