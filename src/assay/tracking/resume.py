"""A run that goes on: reopened where the store knows it, with what it has of it already."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from assay.errors import TrackingError
from assay.secrets import masked
from assay.tracking.buffer import Outbox
from assay.tracking.environment import MlflowException
from assay.tracking.process import own_key
from assay.tracking.spool import is_kept
from assay.tracking.store import REQUEST_SECONDS, Store, patience
from assay.tracking.tracked import PARENT, PROCESS, TRIAL, Tracked, opened

log = logging.getLogger(__name__)
RESUMED = "resumed"


def open_or_resume(
    store: Store,
    outbox: Outbox,
    name: str,
    tags: Mapping[str, str],
    *,
    resume: str | None,
    above: Tracked | None = None,
) -> tuple[Tracked, str | None]:
    """Reopen the run ``resume`` where the store knows it, else open a new one.

    Returns the open run, and the parent that a reopened run had before. A deleted run stays
    deleted. Raises TrackingError when the store is out of reach.
    """
    reopened = _reopened(outbox, resume, tags, above=above) if resume else None
    if reopened is None:
        return Tracked(outbox, store.create_run(name, tags), above=above), None
    return reopened


@contextmanager
def child_run(
    above: Tracked,
    name: str,
    *,
    key: str | None = None,
    is_new: bool = True,
    resume: str | None = None,
    pruned_by: tuple[type[BaseException], ...] = (),
) -> Iterator[Tracked]:
    """Open a trial below a run, or go on with the run ``resume`` where the store knows it.

    ``key`` names the trial for good: one that is not new goes on in the run of that key, however
    shortly after opening it its process died.

    An exception of the types ``pruned_by`` ends it FINISHED with the tag ``pruned``. A store that
    is away is no hindrance: there is a new run then, sent later.
    """

    def open_run() -> Tracked:
        tags = {PROCESS: own_key(), PARENT: above.run_id}
        before = resume
        try:
            if key is not None and not is_new:
                before = _of_key(above.outbox.store, key) or resume
            reopened = _reopened(above.outbox, before, tags) if before else None
        except TrackingError:
            reopened = None
        if reopened is not None:
            return reopened[0]
        return above.new_child(name, tags={} if key is None else {TRIAL: key})

    with opened(open_run, pruned_by=pruned_by) as child:
        yield child


def _of_key(store: Store, key: str) -> str | None:
    """Return the run of a trial's key. Raises TrackingError when the store is out of reach."""
    query = f"tags.`{TRIAL}` = '{key}'"
    try:
        with patience(REQUEST_SECONDS):
            found = store.client.search_runs([store.experiment_id], query, max_results=1)
    except (MlflowException, OSError) as error:
        raise _away(store, error) from error
    return str(found[0].info.run_id) if found else None


def _reopened(
    outbox: Outbox, run_id: str, tags: Mapping[str, str], *, above: Tracked | None = None
) -> tuple[Tracked, str | None] | None:
    """Reopen a run, and return it with the parent that it had before; None for a new one instead.

    Raises TrackingError when the store is out of reach.
    """
    store = outbox.store
    if (old := _found(store, run_id)) is None:
        return None
    try:
        with patience(REQUEST_SECONDS):
            known = _logged(store, old)
            _reopen(store, old, tags)
    except (MlflowException, OSError) as error:
        raise _away(store, error) from error
    return Tracked(outbox, run_id, above=above, known=known), old.data.tags.get(PARENT)


def _found(store: Store, run_id: str) -> Any:
    """Return the run, None where it is deleted, of another experiment, or still awaits changes."""
    try:
        with patience(REQUEST_SECONDS):
            run = store.find_run(run_id)
    except (MlflowException, OSError) as error:
        raise _away(store, error) from error
    if run is None or run.info.lifecycle_stage != "active":
        return None
    if run.info.experiment_id != store.experiment_id:
        return None
    if is_kept(store, run_id):
        # Its old end may be among them and would be sent into the middle of its new life.
        log.warning("tracking: run %s has changes that cannot be sent yet: a new run", run_id)
        return None
    return run


def _logged(store: Store, run: Any) -> set[tuple[str, int]]:
    """Return key and step of each metric that the store has of a run."""
    return {
        (name, metric.step)
        for name in run.data.metrics
        for metric in store.client.get_metric_history(run.info.run_id, name)
    }


def _reopen(store: Store, run: Any, tags: Mapping[str, str]) -> None:
    """Hand a run to this process: the tag first, or another process takes it for an orphan."""
    run_id, old = run.info.run_id, run.data.tags
    count = int(old.get(RESUMED, 0)) + 1
    for name in (PROCESS, PARENT):
        if name in tags:
            store.client.set_tag(run_id, name, tags[name])
    store.client.set_tag(run_id, RESUMED, str(count))
    if "error" in old:
        store.client.delete_tag(run_id, "error")
    store.client.update_run(run_id, status="RUNNING")


def _away(store: Store, error: Exception) -> TrackingError:
    return TrackingError(
        f"the tracking store {masked(store.uri)} does not reopen a run: {masked(str(error))}"
    )
