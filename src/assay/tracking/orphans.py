"""Runs whose process was cut off by SIGKILL or a power cut: closed by whoever comes next."""

from __future__ import annotations

from assay.tracking.environment import MlflowException
from assay.tracking.process import is_gone
from assay.tracking.store import Store
from assay.tracking.tracked import PROCESS

LIMIT = 200


def close_orphans(store: Store) -> int:
    """Mark runs as KILLED that say RUNNING although their process on this host is gone."""
    try:
        running = store.client.search_runs(
            [store.experiment_id],
            filter_string=f"attributes.status = 'RUNNING' AND tags.`{PROCESS}` LIKE '%'",
            max_results=LIMIT,
        )
        dead = [run.info.run_id for run in running if is_gone(run.data.tags[PROCESS])]
        for run_id in dead:
            store.client.set_tag(run_id, "error", "its process was cut off")
            store.client.set_terminated(run_id, status="KILLED")
    except MlflowException:
        return 0
    return len(dead)
