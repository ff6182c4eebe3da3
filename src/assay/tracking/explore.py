"""Runs outside of the pipeline: of ``assay run``, alone or below a sweep's parent, and ``monitor``."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import yaml

from assay.tracking.buffer import Outbox
from assay.tracking.orphans import close_orphans
from assay.tracking.process import own_key
from assay.tracking.resume import open_or_resume
from assay.tracking.revision import revision_tags
from assay.tracking.store import Store, open_store
from assay.tracking.tracked import KIND, PARENT, PROCESS, Tracked, identity, opened

PARENT_VARIABLE = "ASSAY_PARENT_RUN"
CONFIG_FILE = "config.yaml"


@contextmanager
def explore_run(
    *,
    name: str,
    parent: str | None,
    config: Mapping[str, object],
    tags: Mapping[str, str] | None = None,
    resume: str | None = None,
) -> Iterator[Tracked]:
    """Track one exploring run with its composed configuration, as parameters and as a file.

    Without ``parent`` the run belongs to the sweep that ``ASSAY_PARENT_RUN`` names, if any. The
    run ``resume`` goes on where the store knows it, below the present parent where there is one.
    Raises TrackingError when the store cannot be reached.
    """
    above = parent or os.environ.get(PARENT_VARIABLE)
    choices = config.get("choices")
    marks = {k: str(v) for k, v in choices.items()} if isinstance(choices, Mapping) else {}
    marks |= {KIND: "run", **({PARENT: above} if above else {}), **(tags or {})}
    with _open_run(name, marks, resume=resume) as tracked:
        tracked.log_params(config)
        tracked.log_text(yaml.safe_dump(dict(config), sort_keys=False), CONFIG_FILE)
        yield tracked


@contextmanager
def sweep_run(
    *, name: str, tags: Mapping[str, str] | None = None, resume: str | None = None
) -> Iterator[Tracked]:
    """Open the parent of a sweep; processes started within the block put their runs below it.

    The run ``resume`` goes on where the store knows it and no living process has it.
    Raises TrackingError when the store cannot be reached.
    """
    with _open_run(name, {KIND: "sweep", **(tags or {})}, resume=resume, is_shared=True) as tracked:
        before = os.environ.get(PARENT_VARIABLE)
        os.environ[PARENT_VARIABLE] = tracked.run_id
        try:
            yield tracked
        finally:
            os.environ.pop(PARENT_VARIABLE)
            if before is not None:
                os.environ[PARENT_VARIABLE] = before


@contextmanager
def monitor_run(*, name: str, tags: Mapping[str, str]) -> Iterator[Tracked]:
    """Track one look at new rows. Raises TrackingError when the store cannot be reached."""
    with _open_run(name, {KIND: "monitor", **tags}) as tracked:
        yield tracked


@contextmanager
def _open_run(
    name: str, tags: Mapping[str, str], *, resume: str | None = None, is_shared: bool = False
) -> Iterator[Tracked]:
    store = open_store()
    with Outbox(store) as outbox:
        close_orphans(store)
        if resume and is_shared and _is_running(store, resume):
            resume = None
        marks = identity({PROCESS: own_key(), **revision_tags(), **tags})

        def open_run() -> Tracked:
            return open_or_resume(store, outbox, name, marks, resume=resume)[0]

        with opened(open_run) as tracked:
            yield tracked


def _is_running(store: Store, run_id: str) -> bool:
    found = store.find_run(run_id)
    return found is not None and found.info.status == "RUNNING"
