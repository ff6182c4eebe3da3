"""The runs of the pipeline's stages: each a child of its invocation's parent row."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path

from assay.artifacts.files import write_json
from assay.secrets import masked
from assay.signals import HeldSignals
from assay.tracking.buffer import Outbox
from assay.tracking.invocation import STAGES, open_invocation
from assay.tracking.orphans import close_orphans
from assay.tracking.process import own_key
from assay.tracking.resume import open_or_resume
from assay.tracking.revision import revision_tags
from assay.tracking.store import Store, open_store
from assay.tracking.tracked import KIND, PARENT, PROCESS, Tracked, identity

__all__ = ["Tracked", "stage_run"]


@contextmanager
def stage_run(stage: str, *, folder: Path, resume: str | None = None) -> Iterator[Tracked]:
    """Track a stage while the block runs, and write ``run.json`` into ``folder`` at its end.

    The run ``resume``, which a killed process left, goes on below the present parent row where
    the store knows it; else there is a new run. ``Tracked.is_resumed`` tells.
    The run ends FINISHED, FAILED on an exception, or KILLED on Ctrl-C and SIGTERM. Raises
    TrackingError, before anything else happens, when the store cannot be reached.
    """
    if stage not in STAGES:
        raise ValueError(f"expected a stage of {STAGES}, but got {stage=}")
    store = open_store()
    with Outbox(store) as outbox, ExitStack() as ends:
        close_orphans(store)  # after what earlier runs kept was sent: their true ends among it
        with HeldSignals():
            invocation = open_invocation(store, outbox)
            row = invocation.row
            tags = {KIND: "stage", "stage": stage, PROCESS: own_key(), PARENT: row.run_id}
            marks = identity({**revision_tags(), **tags})
            tracked, before = open_or_resume(store, outbox, stage, marks, resume=resume, above=row)
            ends.enter_context(invocation.running(stage, tracked.run_id, before=before))
            ends.enter_context(tracked.closing())
        yield tracked
        _write_origin(folder / "run.json", store, tracked, parent=row.run_id)


@contextmanager
def joined_run(run_id: str) -> Iterator[Tracked]:
    """Put runs below one that another process of this project has open and will close.

    Raises TrackingError when the store cannot be reached.
    """
    with Outbox(open_store()) as outbox:
        yield Tracked(outbox, run_id)


def _write_origin(path: Path, store: Store, tracked: Tracked, *, parent: str) -> None:
    shared = tracked.shared
    origin = {
        "tracking_uri": masked(store.uri),
        "run_id": tracked.run_id,
        "parent_run_id": parent,
        "ended": datetime.now(UTC).isoformat(timespec="seconds"),
        "parent": {"metrics": shared.metrics, "tags": shared.tags, "datasets": shared.datasets},
    }
    write_json(path, origin)
