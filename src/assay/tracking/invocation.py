"""The parent row of a pipeline: one for each invocation, and what the invocation did, in words."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any

from filelock import FileLock

from assay.artifacts.files import read_json, read_yaml
from assay.artifacts.paths import CONFIG, home, stage_folder
from assay.errors import ArtifactError, TrackingError
from assay.secrets import masked
from assay.signals import ending
from assay.tracking.buffer import Outbox
from assay.tracking.environment import MlflowException
from assay.tracking.process import invocation_key, own_key
from assay.tracking.revision import revision_tags
from assay.tracking.store import Store
from assay.tracking.tracked import KIND, PROCESS, Tracked, identity, status_of

log = logging.getLogger(__name__)
STAGES = ("prepare", "search", "train", "export", "evaluate", "explain", "register")
PIPELINE = "pipeline"
RAN, LINKED, RESTORED, MISSING = "ran", "linked", "restored", "missing"
RUNNING, FAILED, KILLED, LEFT = "running", "failed", "killed", "left"
NOTED = (LINKED, RESTORED, MISSING, LEFT)
EXPERIMENT = "dvc.experiment"
_ENDS = {"FINISHED": RAN, "FAILED": FAILED, "KILLED": KILLED}


class Invocation:
    """The parent row of this invocation and the account of its stages that the row carries.

    The tag ``stage.<name>`` says for each stage: ``ran``, ``failed``, ``killed`` or ``running``
    with its run; ``linked`` (not run, its files are those of a run of this store), ``restored``
    (of a run that this store does not know), ``missing`` (no files), or ``left`` (a later stage
    whose files are of an older run). The tag ``pipeline`` sums them up.
    """

    def __init__(self, store: Store, row: Tracked, told: Mapping[str, str]) -> None:
        self._store = store
        self.row = row
        self._told = {stage: told.get(_tag(stage), "") for stage in STAGES}

    @contextmanager
    def running(self, stage: str, run_id: str, *, before: str | None = None) -> Iterator[None]:
        """Say that a stage runs, account for those that this invocation has not run, say the end.

        ``before`` is the row below which the run began: that row says where it went on.
        """
        if before and before != self.row.run_id:
            self._say_moved(stage, run_id, before)
        self._look_around(stage)
        self._tell({stage: f"{RUNNING}: run {run_id}"})
        with ending(partial(self._end, stage, run_id)):
            yield

    def _end(self, stage: str, run_id: str, error: BaseException | None) -> None:
        """Say how a stage ended and close the row."""
        self._tell({stage: f"{_ENDS[status_of(error)]}: run {run_id}"})
        ends = {_word(text) for text in self._told.values()}
        self.row.close("FAILED" if FAILED in ends else "KILLED" if KILLED in ends else "FINISHED")

    def end_restored(self) -> None:
        """Say that nothing ran and whose files are here, and close the row."""
        for stage in STAGES:
            self._link(stage)
        self._tell({})
        self.row.close("FINISHED")

    def _say_moved(self, stage: str, run_id: str, before: str) -> None:
        """Leave word on the row of the invocation that was killed: its own account stays true."""
        try:
            old = self._store.find_run(before)
            if old is not None:
                told = old.data.tags.get(_tag(stage), f"{KILLED}: run {run_id}")
                told = f"{told}; it went on below run {self.row.run_id}"
                self._store.client.set_tag(before, _tag(stage), told)
        except MlflowException as error:
            log.warning("tracking: run %s is not told where its stage went: %s", before, error)

    def _look_around(self, stage: str) -> None:
        """Account for the stages that this invocation has not run, from their ``run.json``."""
        place = STAGES.index(stage)
        for i, other in enumerate(STAGES):
            if _word(self._told[other]) in (RAN, FAILED, KILLED):
                continue
            if i < place:
                self._link(other)
            elif i > place:
                self._leave(other)

    def _link(self, stage: str) -> None:
        origin = read_origin(stage)
        if origin is None:
            self._told[stage] = f"{MISSING}: no files of it are here"
        elif self._knows(origin["run_id"]):
            self._told[stage] = f"{LINKED}: run {origin['run_id']}"
            self._inherit(origin)
        else:
            where = f"run {origin['run_id']} of {origin.get('tracking_uri', 'an unknown store')}"
            self._told[stage] = f"{RESTORED}: {where}"
            self._inherit(origin)

    def _leave(self, stage: str) -> None:
        origin = read_origin(stage)
        older = f"{LEFT}: not run, its files are of run {origin['run_id']}" if origin else ""
        self._told[stage] = older

    def _inherit(self, origin: Mapping[str, Any]) -> None:
        """Give the row what a stage that is not run again said on an earlier one."""
        shared = origin.get("parent", {})
        self.row.log_metrics(shared.get("metrics", {}))
        self.row.set_tags(shared.get("tags", {}))
        for dataset in shared.get("datasets", ()):
            self.row.log_input(dataset)

    def _knows(self, run_id: str) -> bool:
        try:
            return self._store.find_run(run_id) is not None
        except MlflowException:
            return False

    def _tell(self, news: Mapping[str, str]) -> None:
        self._told |= news
        texts = {_tag(stage): text for stage, text in self._told.items() if text}
        self.row.set_tags({**texts, PIPELINE: summary(self._told)})


def record_restored(store: Store) -> bool:
    """Add a parent row for files that no row accounts for; tell whether one was added.

    When DVC restores every stage from its cache, or ``dvc pull`` fetches them, no stage runs that
    could say so. A row of a pipeline that is at work is left to it.
    """
    here = {stage: origin["run_id"] for stage in STAGES if (origin := read_origin(stage))}
    if not here or any(_accounts_for(row, here) for row in _rows(store)):
        return False
    with Outbox(store) as outbox:
        _make(store, outbox, own_key()).end_restored()
    return True


def _rows(store: Store) -> list[Any]:
    query = f"tags.`{KIND}` = 'pipeline'"
    return list(store.client.search_runs([store.experiment_id], query, max_results=1000))


def _accounts_for(row: Any, here: Mapping[str, str]) -> bool:
    if row.info.status == "RUNNING":
        return True
    tags = row.data.tags
    return all(run_id in tags.get(_tag(stage), "") for stage, run_id in here.items())


def open_invocation(store: Store, outbox: Outbox) -> Invocation:
    """Find the parent row of this invocation, or make it: one process at a time.

    Raises TrackingError when the store cannot be reached.
    """
    process = invocation_key()
    locks = home() / "locks"
    locks.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(locks / f"{store.key}-parent.lock"):
            return _find(store, outbox, process) or _make(store, outbox, process)
    except MlflowException as error:
        raise TrackingError(
            f"the tracking store {masked(store.uri)} does not open a run: {masked(str(error))}"
        ) from error


def _find(store: Store, outbox: Outbox, process: str) -> Invocation | None:
    found = store.client.search_runs(
        [store.experiment_id],
        filter_string=f"tags.`{PROCESS}` = '{process}' AND tags.`{KIND}` = 'pipeline'",
        max_results=1,
    )
    if not found:
        return None
    row = Tracked(outbox, found[0].info.run_id)
    row.reopen()
    return Invocation(store, row, found[0].data.tags)


def _make(store: Store, outbox: Outbox, process: str) -> Invocation:
    config = read_yaml(CONFIG) if CONFIG.exists() else {}
    choices = {k: str(v) for k, v in config.get("choices", {}).items()}
    tags = {KIND: "pipeline", PROCESS: process, **revision_tags(), **choices, **_experiment()}
    row = Tracked(outbox, store.create_run(_name(choices, tags), identity(tags)))
    row.log_params({**choices, **{k: config[k] for k in ("name", "seed") if k in config}})
    if CONFIG.exists():
        row.log_artifact(CONFIG)
    return Invocation(store, row, {})


def _name(choices: Mapping[str, str], tags: Mapping[str, str]) -> str:
    parts = (choices.get("data"), choices.get("model"), tags.get(EXPERIMENT))
    return " · ".join(filter(None, parts)) or "pipeline"


def _experiment() -> dict[str, str]:
    name = os.environ.get("DVC_EXP_NAME")
    return {EXPERIMENT: name} if name else {}


def read_origin(stage: str) -> dict[str, Any] | None:
    """Return what a stage's ``run.json`` says, None where there is none that can be read."""
    try:
        origin = read_json(stage_folder(stage) / "run.json")
    except ArtifactError:
        return None
    return origin if isinstance(origin, dict) and "run_id" in origin else None


def summary(told: Mapping[str, str]) -> str:
    """Return in words what an invocation did, from its account of the stages."""
    by_word: dict[str, list[str]] = {}
    for stage in STAGES:
        by_word.setdefault(_word(told.get(stage, "")), []).append(stage)
    words = [_head(by_word)]
    words += [f"{word}: {', '.join(by_word[word])}" for word in NOTED if word in by_word]
    return "; ".join(words)


def _head(by_word: Mapping[str, list[str]]) -> str:
    if FAILED in by_word:
        return f"failed at {by_word[FAILED][0]}"
    if KILLED in by_word:
        return f"killed at {by_word[KILLED][0]}"
    if RUNNING in by_word:
        return f"running {by_word[RUNNING][0]}"
    ran = by_word.get(RAN, [])
    if STAGES[-1] not in ran:
        return f"partial: stopped after {ran[-1]}" if ran else "restored: nothing ran"
    return "partial" if MISSING in by_word else "complete"


def cut_off(tags: Mapping[str, str]) -> dict[str, str]:
    """Return the tags of a row, as far as they change, whose invocation was cut off."""
    told = {stage: tags.get(_tag(stage), "") for stage in STAGES}
    running = [stage for stage, text in told.items() if _word(text) == RUNNING]
    told |= {stage: told[stage].replace(RUNNING, KILLED, 1) for stage in running}
    return {_tag(stage): told[stage] for stage in running} | {PIPELINE: summary(told)}


def _word(text: str) -> str:
    return text.partition(":")[0]


def _tag(stage: str) -> str:
    return f"stage.{stage}"
