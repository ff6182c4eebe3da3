"""Which trial is the best: better than the configured values by more than luck, over its seeds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

from assay.tuning.knobs import Search
from assay.tuning.problem import Problem
from assay.tuning.trial import Trial

Choose: TypeAlias = Callable[[Sequence[Trial]], Trial | None]


def best_of(trials: Sequence[Trial], *, problem: Problem, knobs: Search) -> Trial | None:
    """Return the best trial by its mean over seeds; None where none is complete.

    Trial 0 with the known values stays the best unless another's mean is better by more than
    ``knobs.margin`` of that one's standard errors over the validation rows (the one-standard-error
    rule of Breiman et al., Classification and Regression Trees, 1984, section 3.4.3). Where trials
    were trained again, only these are compared: the best of many single scores is partly luck.
    """
    ranked = _ranked(trials, problem, is_again=any(t.repeats for t in trials))
    if not ranked:
        return None
    configured = _configured(ranked, problem)
    return (
        configured if configured and _is_luck(ranked[0], configured, problem, knobs) else ranked[0]
    )


def finalists(trials: Sequence[Trial], *, problem: Problem, knobs: Search) -> list[Trial]:
    """Return whom to train again on fresh seeds: the best few, and the known values beside them.

    Nobody where no trial is better than the known values beyond its error: nothing is claimed then.
    """
    if len(problem.directions) > 1 or not knobs.finalists or not knobs.repeats:
        return []
    ranked = _ranked(trials, problem, is_again=False)
    configured = _configured(ranked, problem)
    if not ranked or (configured and _is_luck(ranked[0], configured, problem, knobs)):
        return []
    few = ranked[: knobs.finalists]
    return few if configured is None or configured in few else [*few, configured]


def _ranked(trials: Sequence[Trial], problem: Problem, *, is_again: bool) -> list[Trial]:
    sign = _sign(problem)
    complete = [t for t in trials if t.value is not None and (t.repeats or not is_again)]
    return sorted(complete, key=lambda t: (sign * t.mean, t.number))


def _configured(trials: Sequence[Trial], problem: Problem) -> Trial | None:
    return next((t for t in trials if t.number == 0 and problem.configured), None)


def _is_luck(best: Trial, configured: Trial, problem: Problem, knobs: Search) -> bool:
    sign = _sign(problem)
    return sign * configured.mean <= sign * best.mean + knobs.margin * best.error


def _sign(problem: Problem) -> int:
    return 1 if problem.directions[0] == "minimize" else -1
