"""What the tests of this folder share: stages that run here, and what the store has of them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from assay.tracking.run import stage_run
from assay.tracking.store import open_store
from assay.tracking.tracked import Tracked


@contextmanager
def ran(stage: str, *, resume: str | None = None) -> Iterator[Tracked]:
    folder = Path("artifacts") / stage
    folder.mkdir(parents=True, exist_ok=True)
    with stage_run(stage, folder=folder, resume=resume) as tracked:
        yield tracked


def run_stages(*stages: str) -> None:
    for stage in stages:
        with ran(stage):
            pass


def runs(query: str = "") -> list[Any]:
    store = open_store()
    return list(store.client.search_runs([store.experiment_id], query, order_by=["start_time"]))


def rows() -> list[Any]:
    return runs("tags.`assay.kind` = 'pipeline'")
