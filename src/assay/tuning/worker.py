"""A worker: one process that runs trials of a study until none is left to begin."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import optuna
from optuna.exceptions import UpdateFinishedTrialError
from optuna.trial import FrozenTrial, TrialState

from assay.signals import HeldSignals
from assay.tuning.attempt import Failed, objective
from assay.tuning.attempts import ended_trials
from assay.tuning.choice import finalists
from assay.tuning.knobs import Search
from assay.tuning.numbered import Exhausted, Numbered, Plan
from assay.tuning.problem import Problem, agree
from assay.tuning.pruner import pruner
from assay.tuning.sampler import sampler
from assay.tuning.share import share_of
from assay.tuning.storage import AGAIN, Place, claiming, open_storage, refusals
from assay.tuning.trial import Result, Trial, Work


@dataclass(frozen=True, kw_only=True)
class Studies:
    """A search's trials, and those that are trained again, as they stand in the storage."""

    problem: Problem
    knobs: Search
    place: Place
    until: float = math.inf

    def open(self) -> Searched:
        """Open both studies, made where they are missing. Raises ConfigError where they differ."""
        with HeldSignals():
            optuna.logging.set_verbosity(optuna.logging.ERROR)
            storage = optuna.storages.get_storage(open_storage(self.place))
            for name in (self.problem.study, self.problem.study + AGAIN):
                opened = optuna.create_study(
                    storage=storage,
                    study_name=name,
                    directions=list(self.problem.directions),
                    load_if_exists=True,
                )
                if name == self.problem.study:
                    agree(opened, self.problem, self.knobs)
            return Searched(self, storage)

    def begun(self) -> int:
        """Return how many attempts at trials were begun so far."""
        searched = self.open()
        return len(searched.trials.attempts()) + len(searched.again().attempts())


class Searched:
    """The open studies of a search."""

    def __init__(self, of: Studies, storage: optuna.storages.BaseStorage) -> None:
        self._of, self._storage = of, storage
        problem, knobs = of.problem, of.knobs
        given = {(number, 0): values for number, values in enumerate(problem.first)}
        plan = Plan(
            seeds={(number, 0): problem.seed for number in range(knobs.trials)},
            given=given,
            retries=knobs.retries,
            is_over=lambda attempts: self._is_late(attempts) or self.has_failed(attempts),
        )
        self.trials = self._study(problem.study, plan, knobs)

    def again(self, ended: Sequence[Trial] | None = None) -> Numbered:
        """Return the study of the trials that are trained again, as it follows from the others."""
        problem, knobs = self._of.problem, self._of.knobs
        trials = self.ended() if ended is None else ended
        few = finalists(trials, problem=problem, knobs=knobs)
        keys = [(t.number, r) for r in range(1, knobs.repeats + 1) for t in few]
        values = {trial.number: trial.values for trial in few}
        plan = Plan(
            seeds={key: problem.seed + key[1] for key in keys},
            given={key: values[key[0]] for key in keys},
            retries=knobs.retries,
            is_over=lambda attempts: self._is_late(self.trials.attempts()),
        )
        return self._study(problem.study + AGAIN, plan, replace(knobs, pruner="none"))

    def ended(self) -> list[Trial]:
        """Return the trials that have ended, without what was trained again."""
        return ended_trials(self.trials.attempts(), total=self._of.knobs.trials)

    def result(self, attempts: Sequence[FrozenTrial]) -> Result:
        """Return the trials that have ended, each with its objectives on fresh seeds; no best.

        One that diverges on a fresh seed is infinitely bad there. Before all trials have ended
        there is nothing to look for.
        """
        total = self._of.knobs.trials
        ended = ended_trials(attempts, total=total)
        running = _running(attempts)
        if len(ended) < total:
            return Result(trials=tuple(ended), total=total, running=running)
        worst = math.inf if self._of.problem.directions[0] == "minimize" else -math.inf
        found: dict[int, list[float]] = {}
        again = self.again(ended)
        repeated = again.attempts()
        for trial in ended_trials(repeated, total=total):
            value = worst if trial.value is None else trial.value
            found.setdefault(trial.number, []).append(value)
        return Result(
            trials=tuple(replace(t, repeats=tuple(found.get(t.number, ()))) for t in ended),
            total=total,
            running=running + _running(repeated),
            again=again.total,
            again_ended=again.ended(repeated),
        )

    def has_failed(self, attempts: Sequence[FrozenTrial]) -> bool:
        """Tell whether more trials have failed than the knobs let the search bear."""
        total = self._of.knobs.trials
        failed = [t for t in ended_trials(attempts, total=total) if t.state == "failed"]
        return len(failed) > self._of.knobs.max_failure_rate * total

    def is_done(self) -> bool:
        """Tell whether no trial is left to begin, nor any running."""
        attempts = self.trials.attempts()
        if self._is_late(attempts) or self.has_failed(attempts):
            return True
        return self.trials.is_complete() and self.again().is_complete()

    def _is_late(self, attempts: Sequence[FrozenTrial]) -> bool:
        """Tell whether the time is over; one trial is always begun."""
        return bool(attempts) and time.time() > self._of.until

    def _study(self, name: str, plan: Plan, knobs: Search) -> Numbered:
        problem = self._of.problem
        seed = problem.seed if problem.draw_seed is None else problem.draw_seed
        return Numbered(
            plan=plan,
            claiming=claiming(self._of.place, name),
            study_name=name,
            storage=self._storage,
            sampler=sampler(knobs, seed=seed, space=problem.space, own=problem.sampler),
            pruner=pruner(knobs),
        )


def _running(attempts: Sequence[FrozenTrial]) -> int:
    return sum(attempt.state == TrialState.RUNNING for attempt in attempts)


@dataclass(frozen=True, kw_only=True)
class Worker:
    """What a process is handed to run trials of a search; it can be pickled."""

    work: Work
    studies: Studies

    def __call__(self, index: int, *, on_trial: Callable[[], None] = lambda: None) -> None:
        """Run trials, as worker ``index``, until none is left to begin.

        ``on_trial`` is called as each begins, when those before have ended, and at the end.
        Raises ArtifactError where the storage cannot be used.
        """
        share = share_of(index, self.studies.knobs)
        os.environ.update(share.environment)
        with refusals(self.studies.place), self.work(share) as run:
            searched, problem = self.studies.open(), self.studies.problem
            tried = objective(run, space=problem.space, extend=problem.extend)

            def one(attempt: optuna.Trial) -> list[float]:
                on_trial()
                return tried(attempt)

            with HeldSignals():  # but not while a trial is tried, nor while others are waited for
                _finish(searched.trials, one)
                _finish(searched.again(), one)
                on_trial()


def _finish(study: Numbered, one: Callable[[optuna.Trial], list[float]]) -> None:
    """Run trials of a study until none is left.

    A signal that cut off what Optuna writes would leave the studies locked, for as long as the
    exception lives, to those who say then that the trial is interrupted.
    """
    while True:
        try:
            study.optimize(one, catch=(Failed,))
        except Exhausted:
            return
        except UpdateFinishedTrialError:
            continue  # this process slept so long that another was given its trial
