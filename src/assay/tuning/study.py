"""The search: numbered trials up to a total, pruned, resumed, shared by workers, never lost.

A trial's number runs from 0 to ``trials`` - 1 and is the user's; Optuna's own number counts
attempts. An attempt that a dead process left behind is failed and its number drawn again, with the
same values.
"""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from optuna.trial import TrialState

from assay.artifacts.alive import own_key
from assay.errors import ConfigError, TrainingError
from assay.tuning.attempts import PROCESS, ended_trials
from assay.tuning.choice import Choose, best_of
from assay.tuning.knobs import Search
from assay.tuning.launch import Launch, local
from assay.tuning.numbered import fail
from assay.tuning.problem import Problem
from assay.tuning.rule import picked
from assay.tuning.sampler import total_trials
from assay.tuning.share import cores
from assay.tuning.storage import alone_with, place_of, refusals
from assay.tuning.trial import Pruned, Result, Score, Trial, Watcher, Work
from assay.tuning.worker import Searched, Studies, Worker

__all__ = ["Pruned", "Score", "search"]

log = logging.getLogger(__name__)
_LOOK_SECONDS = 0.5
_SHOWN = 10
_HERE = ("processes", "joblib", "submitit_local")  # launchers whose workers share this machine


def search(
    work: Work,
    *,
    problem: Problem,
    knobs: Search,
    storage: Path | str,
    launch: Launch | None = None,
    choose: Choose | None = None,
    on_trial: Watcher = lambda result: None,
) -> Result:
    """Run trials until ``knobs.trials`` have ended, counting those of earlier starts.

    ``work(share)`` opens what a worker needs and gives the function that runs a trial:
    ``run(draw, report)`` returns the score, and ``report(epoch, value)`` raises ``Pruned`` when the
    trial should stop. A TrainingError or an objective that is no finite number prunes the trial with
    its reason; another exception fails it, and the search goes on while no more than
    ``knobs.max_failure_rate`` of all trials have failed. A signal, and what ends the storage or the
    tracking, end the search, and the trial's number is drawn again at the next start.

    One worker runs in this process, unless a ``launch`` is given; several are launched, and this
    process watches: ``work`` is pickled then. The first seed's best few are trained again on fresh
    seeds before one is the best (``choice.py``); ``choose``, or else ``knobs.rule``, picks where there
    are several objectives. ``on_trial`` is called with the result so far, as trials begin and end.

    Raises TrainingError when too many trials failed or none is complete, ConfigError when the space
    is empty or the study searched something else, ArtifactError when ``storage`` cannot be used.
    """
    if not knobs.trials:
        return Result()
    _require_space(problem, knobs)
    place = place_of(storage)
    with alone_with(place, problem.study), refusals(place):
        knobs = replace(knobs, trials=total_trials(knobs, problem.space))
        if knobs.sampler == "grid":
            problem = replace(problem, known={}, warm=())
        Studies(problem=problem, knobs=knobs, place=place).open()
        limit = knobs.timeout_minutes
        until = math.inf if limit is None else time.time() + 60 * limit
        studies = Studies(problem=problem, knobs=knobs, place=place, until=until)
        view = _View(studies.open(), studies, choose)
        view.fail_own()
        on_trial(view.result())
        _run(Worker(work=work, studies=studies), view, launch=launch, on_trial=on_trial)
        return _checked(view.result(), view)


def _require_space(problem: Problem, knobs: Search) -> None:
    if not problem.space and problem.extend is None:
        raise ConfigError(
            [
                f"search.space: is empty, so {knobs.trials} trials have nothing to try; "
                "give it a key, such as training.lr, or choose 'search: none'"
            ]
        )


def _run(worker: Worker, view: _View, *, launch: Launch | None, on_trial: Watcher) -> None:
    knobs = worker.studies.knobs
    if launch is None and knobs.workers == 1:
        worker(0, on_trial=lambda: on_trial(view.result()))
        return
    if knobs.launcher in _HERE and knobs.workers > cores():
        log.warning(
            "search: %d workers share %d cores: expect them to wait for each other",
            knobs.workers,
            cores(),
        )
    carried: Launch = launch or local
    with _watched(worker.studies, view, on_trial):
        while not view.is_done():
            begun = worker.studies.begun()
            lost = carried(worker, knobs.workers)
            if worker.studies.begun() == begun and not view.is_done():
                why = f": {lost}" if lost else ""
                raise TrainingError(f"the search's workers ended and began no trial{why}")
            if lost:
                log.warning("search: a worker died: others take its place (%s)", lost)


class _View:
    """What a search has come to so far, for those who watch it."""

    def __init__(self, searched: Searched, studies: Studies, choose: Choose | None) -> None:
        self._searched, self._studies, self._choose = searched, studies, choose
        self._earlier = len(searched.ended())

    def fail_own(self) -> None:
        """Fail what an earlier search of this very process left running: it is at none now."""
        for study in (self._searched.trials, self._searched.again()):
            running = (a for a in study.attempts() if a.state == TrialState.RUNNING)
            own = [a for a in running if a.user_attrs[PROCESS] == own_key()]
            fail(own, study._storage)

    def is_done(self) -> bool:
        """Tell whether no trial is left to begin."""
        return self._searched.is_done()

    def result(self) -> Result:
        """Return the trials so far and the best of them."""
        found = self._searched.result(self._searched.trials.attempts())
        fresh = len(found.trials) - self._earlier
        return replace(found, fresh=fresh, best=self._best(found.trials))

    def failures(self) -> list[Trial]:
        """Return the trials that failed, where they are more than the search may bear."""
        attempts = self._searched.trials.attempts()
        if not self._searched.has_failed(attempts):
            return []
        ended = ended_trials(attempts, total=self._studies.knobs.trials)
        return [t for t in ended if t.state == "failed"]

    def total(self) -> int:
        """Return how many trials there are to be."""
        return self._studies.knobs.trials

    def _best(self, trials: Sequence[Trial]) -> Trial | None:
        problem, knobs = self._studies.problem, self._studies.knobs
        if len(problem.directions) == 1:
            return best_of(trials, problem=problem, knobs=knobs)
        if self._choose is not None:
            return self._choose(trials)
        return picked(trials, problem=problem, knobs=knobs)


@contextmanager
def _watched(studies: Studies, view: _View, on_trial: Watcher) -> Iterator[None]:
    """Tell of trials as they end, from a thread of its own, while the block runs."""
    over = threading.Event()

    def look() -> None:
        before: tuple[int, ...] | None = None
        while not over.wait(_LOOK_SECONDS):
            result = view.result()
            now = (len(result.trials), result.running, result.again_ended)
            if now != before:
                before = now
                on_trial(result)

    thread = threading.Thread(target=look, name="search", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
    on_trial(view.result())


def _checked(result: Result, view: _View) -> Result:
    if failed := view.failures():
        shown = "\n".join(f"  - trial {t.number}: {t.reason}" for t in failed[:_SHOWN])
        shown += f"\n  - and {len(failed) - _SHOWN} more" if len(failed) > _SHOWN else ""
        raise TrainingError(
            f"{len(failed)} of the search's {view.total()} trials failed, more than "
            f"search.max_failure_rate lets it bear:\n{shown}\n"
            "their runs in MLflow hold the tracebacks; mend it, or raise search.max_failure_rate"
        )
    if result.best is not None:
        return result
    reasons = [f"trial {t.number}: {t.reason}" for t in result.trials if t.reason]
    raise TrainingError(
        f"none of the search's {len(result.trials)} trials (of {view.total()}) ended with a score"
        + (f"; the first: {reasons[0]}" if reasons else "")
        + "; narrow search.space, or raise search.timeout_minutes if that was set"
    )
