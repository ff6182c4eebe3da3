"""The search engine: numbered trials up to a total, pruned, resumed, the same for the same seed.

A trial's number runs from 0 to ``trials`` - 1 and is the user's; Optuna's own number counts
attempts. An attempt that a dead process left behind is failed and its number drawn again.
"""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

import optuna
from optuna.trial import FrozenTrial, TrialState

from assay.errors import ConfigError, TrainingError
from assay.space import Space, Value, in_order, is_active
from assay.tuning.draw import draw, holds
from assay.tuning.knobs import Search
from assay.tuning.listed import NUMBER
from assay.tuning.pruner import pruner
from assay.tuning.sampler import sampler, total_trials
from assay.tuning.storage import alone_with, open_storage, refusals

Direction: TypeAlias = Literal["minimize", "maximize"]
Report: TypeAlias = Callable[[int, float], None]
State: TypeAlias = Literal["complete", "pruned", "failed"]
_REASON = "reason"
_ERROR = "standard_error"


class Pruned(optuna.TrialPruned):
    """The signal that ends a trial early; it is raised by ``report``."""


@dataclass(frozen=True, kw_only=True)
class Trial:
    """One trial that has ended; ``value`` is None unless it is complete, ``error`` its error."""

    number: int
    state: State
    value: float | None
    error: float = 0.0
    values: dict[str, Value]
    reason: str
    seconds: float
    curve: dict[int, float]


@dataclass(frozen=True, kw_only=True)
class Result:
    """The ended trials in the order of their numbers, how many of them ran now, and the best."""

    trials: tuple[Trial, ...] = ()
    fresh: int = 0
    best: Trial | None = None


@dataclass(frozen=True, kw_only=True)
class Score:
    """A trial's objective and its standard error over validation rows (0 where it is unknown)."""

    value: float
    error: float = 0.0


TrialFunction: TypeAlias = Callable[[dict[str, Value], Report, int], Score]
Watcher: TypeAlias = Callable[[Result], None]


@dataclass(frozen=True, kw_only=True)
class _Task:
    study: optuna.Study
    space: Space
    knobs: Search
    run: TrialFunction
    known: dict[str, Value]


def search(
    run: TrialFunction,
    *,
    space: Space,
    knobs: Search,
    direction: Direction,
    storage: Path,
    study: str,
    seed: int,
    known: Mapping[str, Value] | None = None,
    on_trial: Watcher = lambda result: None,
) -> Result:
    """Run trials until ``knobs.trials`` have ended, counting those of earlier starts.

    ``run(values, report, number)`` returns the score; ``report(epoch, value)`` raises ``Pruned``
    when the trial should stop. A TrainingError or an objective that is no finite number fails the
    trial with its reason, and the search goes on; any other exception ends the search, and the
    trial's number is drawn again at the next start. ``study`` must name everything on which an
    objective depends.

    ``known`` values, where all lie in the space, are trial 0, and they stay the best unless
    another trial is better by more than ``knobs.margin`` of its standard errors: on few
    validation rows the best of many trials is partly luck (the one-standard-error rule of
    Breiman et al., Classification and Regression Trees, 1984, section 3.4.3).

    Raises TrainingError when no trial is complete, ConfigError when the space is empty,
    ArtifactError when ``storage`` cannot be read or written.
    """
    if not knobs.trials:
        return Result()
    if not space:
        raise ConfigError(
            [
                f"search.space: is empty, so {knobs.trials} trials have nothing to try; "
                "give it a key, such as training.lr, or choose 'search: none'"
            ]
        )
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    with alone_with(storage, study), refusals(storage):
        opened = optuna.create_study(
            storage=open_storage(storage),
            study_name=study,
            sampler=sampler(knobs, seed=seed, space=space),
            pruner=pruner(knobs),
            direction=direction,
            load_if_exists=True,
        )
        knobs = dataclasses.replace(knobs, trials=total_trials(knobs, space))
        first = _within(known or {}, space) if knobs.sampler != "grid" else {}
        task = _Task(study=opened, space=space, knobs=knobs, run=run, known=first)
        return _checked(_finish(task, on_trial), knobs)


def _within(known: Mapping[str, Value], space: Space) -> dict[str, Value]:
    """Return the known values of the dimensions beside them if each lies in its own, else nothing."""
    values: dict[str, Value] = {}
    for key in in_order(space):
        if not is_active(space[key], values):
            continue
        if key not in known or not holds(space[key], known[key]):
            return {}
        values[key] = known[key]
    return values


def _finish(task: _Task, on_trial: Watcher) -> Result:
    _fail_what_was_left(task.study)
    started, fresh = time.monotonic(), 0
    result = _result(task, fresh)
    on_trial(result)
    while missing := _missing(task.study, task.knobs.trials):
        if _is_late(task.knobs, started):
            break
        _run(task, number=missing[0])
        fresh += 1
        result = _result(task, fresh)
        on_trial(result)
    return result


def _fail_what_was_left(study: optuna.Study) -> None:
    for attempt in study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
        study.tell(attempt.number, state=TrialState.FAIL)


def _missing(study: optuna.Study, total: int) -> list[int]:
    ended = {attempt.user_attrs[NUMBER] for attempt in _ended(study)}
    return [number for number in range(total) if number not in ended]


def _ended(study: optuna.Study) -> list[FrozenTrial]:
    return study.get_trials(deepcopy=False, states=(TrialState.COMPLETE, TrialState.PRUNED))


def _is_late(knobs: Search, started: float) -> bool:
    limit = knobs.timeout_minutes
    return limit is not None and time.monotonic() - started > 60 * limit


def _run(task: _Task, *, number: int) -> None:
    attempt = _ask(task, number)
    try:
        score = task.run(draw(attempt, task.space), _reporter(attempt), number)
        if not math.isfinite(score.value):
            raise TrainingError(f"the objective is {score.value}")
        attempt.set_user_attr(_ERROR, score.error)
    except optuna.TrialPruned as signal:
        _settle(task, attempt, reason=str(signal))
    except TrainingError as error:
        _settle(task, attempt, reason=f"failed: {error}")
    except BaseException:
        task.study.tell(attempt, state=TrialState.FAIL)
        raise
    else:
        task.study.tell(attempt, score.value)


def _ask(task: _Task, number: int) -> optuna.Trial:
    if not task.study.get_trials(deepcopy=False, states=(TrialState.WAITING,)):
        values = task.known if number == 0 else {}
        task.study.enqueue_trial(values, user_attrs={NUMBER: number})
    return task.study.ask()


def _reporter(attempt: optuna.Trial) -> Report:
    def report(epoch: int, value: float) -> None:
        attempt.report(value, epoch)
        if attempt.should_prune():
            raise Pruned(f"stopped after epoch {epoch}: {value:.6g} is worse than others were")

    return report


def _settle(task: _Task, attempt: optuna.Trial, *, reason: str) -> None:
    attempt.set_user_attr(_REASON, reason)
    task.study.tell(attempt, state=TrialState.PRUNED)


def _result(task: _Task, fresh: int) -> Result:
    total = task.knobs.trials
    numbered = {a.user_attrs[NUMBER]: a for a in _ended(task.study)}
    trials = tuple(_trial(n, numbered[n]) for n in sorted(numbered) if n < total)
    return Result(trials=trials, fresh=fresh, best=_best(task, trials))


def _best(task: _Task, trials: Sequence[Trial]) -> Trial | None:
    sign = 1 if task.study.direction == optuna.study.StudyDirection.MINIMIZE else -1
    complete = {t.number: sign * t.value for t in trials if t.value is not None}
    if not complete:
        return None
    ranked = {t.number: t for t in trials}
    best = ranked[min(complete, key=lambda number: (complete[number], number))]
    is_luck = (
        0 in complete and complete[0] <= complete[best.number] + task.knobs.margin * best.error
    )
    return ranked[0] if task.known and is_luck else best


def _trial(number: int, attempt: FrozenTrial) -> Trial:
    reason = attempt.user_attrs.get(_REASON, "")
    is_complete = attempt.state == TrialState.COMPLETE
    failed_or_pruned: State = "failed" if reason.startswith("failed: ") else "pruned"
    return Trial(
        number=number,
        state="complete" if is_complete else failed_or_pruned,
        value=attempt.value if is_complete else None,
        error=attempt.user_attrs.get(_ERROR, 0.0),
        values=dict(sorted(attempt.params.items())),
        reason=reason.removeprefix("failed: "),
        seconds=attempt.duration.total_seconds() if attempt.duration else math.nan,
        curve=dict(attempt.intermediate_values),
    )


def _checked(result: Result, knobs: Search) -> Result:
    if result.best is not None:
        return result
    reasons = [f"trial {t.number}: {t.reason}" for t in result.trials if t.state == "failed"]
    raise TrainingError(
        f"none of the search's {len(result.trials)} trials (of {knobs.trials}) ended with a score"
        + (f"; {len(reasons)} failed, the first: {reasons[0]}" if reasons else "")
        + "; narrow search.space, or raise search.timeout_minutes if that was set"
    )
