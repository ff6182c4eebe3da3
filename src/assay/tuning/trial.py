"""A trial: what is handed to the function that runs it, and what is known of it afterwards."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Literal, TypeAlias

import optuna

from assay.space import Value
from assay.tuning.share import Share

Direction: TypeAlias = Literal["minimize", "maximize"]
State: TypeAlias = Literal["complete", "pruned", "failed"]
Report: TypeAlias = Callable[[int, float], None]
"""Takes an epoch and its objective; raises ``Pruned`` when the trial should stop."""


class Pruned(optuna.TrialPruned):
    """The signal that ends a trial early; it is raised by ``report``."""


@dataclass(frozen=True, kw_only=True)
class Draw:
    """What one trial is to try.

    ``repeat`` counts from 1 where a trial is trained again on a fresh seed. ``attempt`` counts from
    0: how often this was begun before, by a process that did not end it.
    """

    number: int
    values: Mapping[str, Value]
    seed: int
    repeat: int = 0
    attempt: int = 0


@dataclass(frozen=True, kw_only=True)
class Score:
    """A trial's objective and its standard error over validation rows (0 where it is unknown).

    ``more`` holds the further objectives of a search that has several.
    """

    value: float
    error: float = 0.0
    more: tuple[float, ...] = ()


TrialFunction: TypeAlias = Callable[[Draw, Report], Score]
Work: TypeAlias = Callable[[Share], AbstractContextManager[TrialFunction]]
"""Opened once in each worker: what all trials of a worker share is loaded there."""


@dataclass(frozen=True, kw_only=True)
class Trial:
    """One trial that has ended; ``value`` is None unless it is complete, ``error`` its error.

    ``repeats`` are the objectives on fresh seeds, in their order.
    """

    number: int
    state: State
    value: float | None
    values: Mapping[str, Value]
    reason: str
    seconds: float
    curve: Mapping[int, float]
    seed: int = 0
    error: float = 0.0
    more: tuple[float, ...] = ()
    repeats: tuple[float, ...] = ()

    @property
    def mean(self) -> float:
        """The objective's mean over the trial's seeds; NaN unless it is complete."""
        return math.nan if self.value is None else statistics.fmean((self.value, *self.repeats))

    @property
    def spread(self) -> float:
        """The objective's standard deviation over the trial's seeds; NaN for a single one."""
        if self.value is None or not self.repeats or not math.isfinite(self.mean):
            return math.nan
        return statistics.stdev((self.value, *self.repeats))


@dataclass(frozen=True, kw_only=True)
class Result:
    """The ended trials in the order of their numbers, how many of them ran now, and the best.

    ``total`` is how many there are to be, ``running`` are at work at this moment. Of the ``again``
    fits on fresh seeds, which are known when all trials have ended, ``again_ended`` have too.
    """

    trials: tuple[Trial, ...] = ()
    total: int = 0
    fresh: int = 0
    running: int = 0
    again: int = 0
    again_ended: int = 0
    best: Trial | None = None


Watcher: TypeAlias = Callable[[Result], None]
