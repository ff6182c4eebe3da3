"""One attempt at a trial: run it, and say how it ended."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable
from contextlib import nullcontext
from types import TracebackType

import optuna
from optuna.exceptions import StorageInternalError, UpdateFinishedTrialError
from optuna.trial import TrialState
from sqlalchemy.exc import SQLAlchemyError

from assay.errors import ArtifactError, AssayError, TrackingError, TrainingError
from assay.secrets import masked
from assay.signals import HeldSignals, acting
from assay.space import Space
from assay.tuning.attempts import ERROR, FAILURE, INTERRUPTED, REASON, REPEAT, SEED
from assay.tuning.draw import draw
from assay.tuning.listed import NUMBER
from assay.tuning.numbered import Numbered
from assay.tuning.trial import Draw, Pruned, Report, Score, TrialFunction

log = logging.getLogger(__name__)
_REASON_LENGTH = 1000
# What would end every trial, so that the search ends: the store of the trials or of the runs.
_ENDS_ALL = (
    ArtifactError,
    TrackingError,
    SQLAlchemyError,
    StorageInternalError,
    UpdateFinishedTrialError,
)


class Failed(Exception):
    """A trial failed in a way that is recorded; the search goes on."""


def objective(
    run: TrialFunction, *, space: Space, extend: Callable[[optuna.Trial], None] | None = None
) -> Callable[[optuna.Trial], list[float]]:
    """Return what ``study.optimize`` calls for each trial.

    A TrainingError or a number that is not finite prunes the trial; another exception fails it,
    with its reason. A signal leaves it to be begun again.
    """

    def one(attempt: optuna.Trial) -> list[float]:
        with _Settled(attempt):
            values, marks = draw(attempt, space), attempt.user_attrs
            if extend is not None:
                extend(attempt)
                values = dict(attempt.params)
            drawn = Draw(
                number=marks[NUMBER],
                values=values,
                seed=marks[SEED],
                repeat=marks[REPEAT],
                attempt=marks["attempt"],
            )
            with acting():
                score = run(drawn, _reporter(attempt))
            _require_finite(score)
            if score.error:
                attempt.set_user_attr(ERROR, score.error)
        return [score.value, *score.more]

    return one


def _require_finite(score: Score) -> None:
    for value in (score.value, *score.more):
        if not math.isfinite(value):
            raise TrainingError(f"the objective is {value}")


def _reporter(attempt: optuna.Trial) -> Report:
    if len(attempt.study.directions) > 1:
        return lambda epoch, value: None  # Optuna prunes by one objective only

    study = attempt.study
    look = study.glancing if isinstance(study, Numbered) else nullcontext

    def report(epoch: int, value: float) -> None:
        with HeldSignals(), look():
            attempt.report(value, epoch)
            is_losing = attempt.should_prune()
        if is_losing:
            raise Pruned(f"stopped after epoch {epoch}: {value:.6g} is worse than others were")

    return report


class _Settled:
    """Records what ends a trial, whatever it is, and passes on what ends the search with it."""

    def __init__(self, attempt: optuna.Trial) -> None:
        self._attempt = attempt

    def __enter__(self) -> None:
        """Take what the block raises."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is None:
            return
        if isinstance(error, optuna.TrialPruned):
            self._attempt.set_user_attr(REASON, str(error))
        elif isinstance(error, TrainingError):
            reason = f"diverged: {error}"
            self._attempt.set_user_attr(REASON, reason[:_REASON_LENGTH])
            raise Pruned(reason) from error
        elif isinstance(error, _ENDS_ALL) or not isinstance(error, Exception):
            self._interrupt(error)
        else:
            reason = failure(error)
            self._attempt.set_user_attr(FAILURE, reason)
            log.warning("search: trial %d failed: %s", self._attempt.user_attrs[NUMBER], reason)
            raise Failed(reason) from error

    def _interrupt(self, error: BaseException) -> None:
        if isinstance(error, (SQLAlchemyError, StorageInternalError, UpdateFinishedTrialError)):
            return  # nothing can be written
        self._attempt.set_user_attr(INTERRUPTED, type(error).__name__)
        if not isinstance(error, (Exception, KeyboardInterrupt)):  # these Optuna settles
            storage = self._attempt.study._storage
            storage.set_trial_state_values(self._attempt._trial_id, state=TrialState.FAIL)


def failure(error: Exception) -> str:
    """Return in one line why a trial failed: ``out of memory``, or the exception.

    What Assay itself refuses is told whole: its first line alone says no more than how many problems.
    """
    lines = (
        str(error).splitlines()
        if isinstance(error, AssayError)
        else str(error).strip().splitlines()[:1]
    )
    line = " ".join(" ".join(lines).split())
    text = f"{type(error).__name__}: {line}".removesuffix(": ")
    names = {cls.__name__ for cls in type(error).__mro__}
    # A GPU's allocator has an error of its own, the CPU's raises a RuntimeError of this text.
    is_memory = bool(names & {"MemoryError", "OutOfMemoryError"}) or "DefaultCPUAllocator" in text
    return masked(f"out of memory ({text})" if is_memory else text)[:_REASON_LENGTH]
