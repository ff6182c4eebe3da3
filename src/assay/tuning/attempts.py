"""Attempts at a trial, as a study keeps them, and the trials that they come to.

A trial's number is the user's; Optuna's own number counts attempts. An attempt that failed without
a word of ``failure`` was cut off with its process: its number is drawn again.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import TypeAlias

from optuna.trial import FrozenTrial, TrialState

from assay.tuning.listed import NUMBER
from assay.tuning.trial import State, Trial

Key: TypeAlias = tuple[int, int]
"""A trial's number and its repeat, 0 for the trial itself."""

REPEAT, PROCESS, SEED = "repeat", "process", "seed"
REASON, FAILURE, INTERRUPTED, ERROR = "reason", "failure", "interrupted", "standard_error"
_ENDS = {TrialState.COMPLETE: "complete", TrialState.PRUNED: "pruned", TrialState.FAIL: "failed"}


def key_of(attempt: FrozenTrial) -> Key:
    """Return which trial an attempt is at."""
    return attempt.user_attrs[NUMBER], attempt.user_attrs.get(REPEAT, 0)


def of_engine(attempts: Iterable[FrozenTrial]) -> list[FrozenTrial]:
    """Return the attempts that have a number: not what other programs put into the study."""
    return [attempt for attempt in attempts if NUMBER in attempt.user_attrs]


def is_ended(attempt: FrozenTrial) -> bool:
    """Tell whether an attempt ended its trial, well or badly."""
    is_final = attempt.state in (TrialState.COMPLETE, TrialState.PRUNED)
    return is_final or (attempt.state == TrialState.FAIL and FAILURE in attempt.user_attrs)


def is_death(attempt: FrozenTrial) -> bool:
    """Tell whether an attempt's process died without a word."""
    marks = attempt.user_attrs
    return attempt.state == TrialState.FAIL and not {FAILURE, INTERRUPTED} & set(marks)


def ended_trials(attempts: Sequence[FrozenTrial], *, total: int) -> list[Trial]:
    """Return the trials that have ended, of the numbers below ``total``, in their order."""
    ended = {key_of(attempt): attempt for attempt in attempts if is_ended(attempt)}
    return [_trial(key, ended[key]) for key in sorted(ended) if key[0] < total]


def _trial(key: Key, attempt: FrozenTrial) -> Trial:
    state: State = _ENDS[attempt.state]  # type: ignore[assignment]  # is_ended says so
    marks, values = attempt.user_attrs, attempt.values if state == "complete" else None
    return Trial(
        number=key[0],
        state=state,
        value=values[0] if values else None,
        more=tuple(values[1:]) if values else (),
        error=marks.get(ERROR, 0.0),
        values=dict(sorted(attempt.params.items())),
        reason=marks.get(FAILURE, marks.get(REASON, "")),
        seconds=attempt.duration.total_seconds() if attempt.duration else math.nan,
        curve=dict(attempt.intermediate_values),
        seed=marks.get(SEED, 0),
    )
