"""A study of numbered trials: each process that asks is given the lowest number nobody has."""

from __future__ import annotations

import math
import time
import warnings
from collections import Counter
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import optuna
from optuna.exceptions import ExperimentalWarning, UpdateFinishedTrialError
from optuna.storages._heartbeat import BaseHeartbeat
from optuna.trial import FrozenTrial, TrialState

from assay.artifacts.alive import is_gone, own_key
from assay.signals import HeldSignals, acting
from assay.space import Value
from assay.tuning.attempts import (
    FAILURE,
    PROCESS,
    REPEAT,
    SEED,
    Key,
    is_death,
    is_ended,
    key_of,
    of_engine,
)
from assay.tuning.listed import NUMBER

POLL_SECONDS = 0.1
STALE_CHECK_SECONDS = 30.0
GLANCE_SECONDS = 2.0


class Exhausted(Exception):
    """No trial is left to begin."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The trials that a study is to have, and the values of those that are given.

    ``retries`` bounds how often a trial is begun again whose process died. ``is_over`` is asked
    before each trial, with all attempts so far, whether none may begin any more.
    """

    seeds: Mapping[Key, int]
    given: Mapping[Key, Mapping[str, Value]] = field(default_factory=dict)
    retries: int = 0
    is_over: Callable[[Sequence[FrozenTrial]], bool] = lambda attempts: False


class Numbered(optuna.Study):
    """A study in which ``ask`` begins the next trial of a plan, one process at a time.

    ``ask`` waits while other processes are at the last trials, for one of them may die; it raises
    Exhausted when every trial has ended.
    """

    def __init__(
        self, *, plan: Plan, claiming: Callable[[], AbstractContextManager[object]], **study: Any
    ) -> None:
        super().__init__(**study)
        self._plan, self._claiming = plan, claiming
        self._checked = -STALE_CHECK_SECONDS
        self._is_glancing, self._glanced = False, -math.inf
        self._seen: list[FrozenTrial] = []

    @contextmanager
    def glancing(self) -> Iterator[None]:
        """Let a pruner, which asks in each epoch, look at the trials of up to two seconds ago.

        Reading them takes longer than a small epoch. A trial begins with a fresh look, so that with
        one worker nothing is missed.
        """
        self._is_glancing = True
        try:
            yield
        finally:
            self._is_glancing = False

    def get_trials(
        self, deepcopy: bool = True, states: Container[TrialState] | None = None
    ) -> list[FrozenTrial]:
        """Return the trials as Optuna does."""
        if not self._is_glancing:
            return super().get_trials(deepcopy, states)
        if time.monotonic() - self._glanced > GLANCE_SECONDS:
            self._seen, self._glanced = super().get_trials(deepcopy=False), time.monotonic()
        return [trial for trial in self._seen if states is None or trial.state in states]

    def attempts(self) -> list[FrozenTrial]:
        """Return every attempt at a trial, in the order in which they began."""
        with HeldSignals():
            return of_engine(self.get_trials(deepcopy=False))

    @property
    def total(self) -> int:
        """How many trials the plan has."""
        return len(self._plan.seeds)

    def ended(self, attempts: Sequence[FrozenTrial]) -> int:
        """Return how many trials of the plan have ended."""
        return len({key_of(a) for a in attempts if is_ended(a)} & set(self._plan.seeds))

    def is_complete(self) -> bool:
        """Tell whether every trial of the plan has ended."""
        ended = {key_of(attempt) for attempt in self.attempts() if is_ended(attempt)}
        return ended >= set(self._plan.seeds)

    def _pop_waiting_trial_id(self) -> int:
        """Begin a trial; this is what ``ask`` calls before it would make one of its own."""
        while True:
            with acting():  # a signal that came meanwhile ends the search before the next trial
                pass
            if (claimed := self._claim()) is not None:
                return claimed
            with acting():
                time.sleep(POLL_SECONDS)

    def _claim(self) -> int | None:
        self._glanced = -math.inf
        with self._claiming():
            running, attempts = self._repaired()
            if self._plan.is_over(attempts):
                raise Exhausted
            taken = {key_of(a) for a in attempts if is_ended(a)} | {key_of(a) for a in running}
            for key in self._plan.seeds:
                if key not in taken and (begun := self._begun(key, attempts)) is not None:
                    return begun
            if not running:
                raise Exhausted
            return None

    def _repaired(self) -> tuple[list[FrozenTrial], list[FrozenTrial]]:
        """Fail what dead processes left running; return what runs, and every attempt."""
        self._fail_silent()
        attempts = self.attempts()
        running = [a for a in attempts if a.state == TrialState.RUNNING]
        if not fail([a for a in running if is_gone(a.user_attrs[PROCESS])], self._storage):
            return running, attempts
        attempts = self.attempts()
        return [a for a in attempts if a.state == TrialState.RUNNING], attempts

    def _fail_silent(self) -> None:
        """Fail the trials of other machines whose heart has not beaten for long."""
        if time.monotonic() - self._checked > STALE_CHECK_SECONDS:
            self._checked = time.monotonic()
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", ExperimentalWarning)
                optuna.storages.fail_stale_trials(self)

    def _begun(self, key: Key, attempts: Sequence[FrozenTrial]) -> int | None:
        """Begin a trial, with the values of the last attempt at it; None where that is in vain."""
        earlier = [attempt for attempt in attempts if key_of(attempt) == key]
        values = dict(self._plan.given.get(key, {}))
        values |= {name: value for a in earlier[-1:] for name, value in a.params.items()}
        deaths = Counter(map(is_death, earlier))[True]
        marks = {NUMBER: key[0], REPEAT: key[1], SEED: self._plan.seeds[key], PROCESS: own_key()}
        if deaths > self._plan.retries:
            reason = (
                f"its process died {deaths} times, perhaps for want of memory; search.retries "
                "bounds how often it is begun again"
            )
            self._insert(TrialState.FAIL, {**marks, FAILURE: reason}, last=earlier[-1])
            return None
        begun = self._insert(TrialState.RUNNING, {**marks, "attempt": len(earlier)}, fixed=values)
        if isinstance(self._storage, BaseHeartbeat) and self._storage.get_heartbeat_interval():
            self._storage.record_heartbeat(begun)
        return begun

    def _insert(
        self,
        state: TrialState,
        marks: Mapping[str, Any],
        *,
        fixed: Mapping[str, Value] | None = None,
        last: FrozenTrial | None = None,
    ) -> int:
        now = datetime.now()
        template = FrozenTrial(
            number=-1,
            trial_id=-1,
            state=state,
            value=None,
            datetime_start=now,
            datetime_complete=now if state.is_finished() else None,
            params=last.params if last else {},
            distributions=last.distributions if last else {},
            user_attrs=dict(marks),
            system_attrs={"fixed_params": dict(fixed)} if fixed else {},
            intermediate_values={},
        )
        return self._storage.create_new_trial(self._study_id, template_trial=template)


def fail(attempts: Sequence[FrozenTrial], storage: optuna.storages.BaseStorage) -> int:
    """Fail attempts that are running no more; return how many."""
    failed = 0
    for attempt in attempts:
        with HeldSignals(), suppress(UpdateFinishedTrialError):
            failed += storage.set_trial_state_values(attempt._trial_id, state=TrialState.FAIL)
    return failed
