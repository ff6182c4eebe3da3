"""Runs whose process was cut off by SIGKILL or a power cut: closed by whoever comes next."""

from __future__ import annotations

from typing import Any

from assay.tracking.environment import MlflowException
from assay.tracking.invocation import cut_off
from assay.tracking.process import is_gone
from assay.tracking.store import REQUEST_SECONDS, Store, patience
from assay.tracking.tracked import KIND, PROCESS

_PAGE = 1000
REASON = "its process was cut off"


def orphans(store: Store) -> list[Any]:
    """Return the runs that say RUNNING although their process on this host is gone."""
    found: list[Any] = []
    token: str | None = None
    while True:
        page = store.client.search_runs(
            [store.experiment_id],
            filter_string=f"attributes.status = 'RUNNING' AND tags.`{PROCESS}` LIKE '%'",
            max_results=_PAGE,
            page_token=token,
        )
        found += [run for run in page if is_gone(run.data.tags[PROCESS])]
        token = page.token
        if not token:
            return found


def close_orphans(store: Store) -> int:
    """Mark as KILLED what ``orphans`` finds, and return how many; 0 where the store is away."""
    try:
        with patience(REQUEST_SECONDS):
            return sum(_close(store, run.info.run_id) for run in orphans(store))
    except (MlflowException, OSError):
        return 0


def _close(store: Store, run_id: str) -> bool:
    """Close one run, unless a process has taken it over meanwhile."""
    run = store.client.get_run(run_id)
    tags = run.data.tags
    if run.info.status != "RUNNING" or not is_gone(tags[PROCESS]):
        return False
    changed = cut_off(tags) if tags.get(KIND) == "pipeline" else {}
    for name, text in {"error": REASON, **changed}.items():
        store.client.set_tag(run_id, name, text)
    store.client.set_terminated(run_id, status="KILLED")
    return True
