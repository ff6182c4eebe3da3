"""The page on which MLflow's UI opens: runs of training, in columns that say what a run reached.

MLflow opens an experiment on traces of agents, and its table of runs without metrics. A shared
view, kept as a tag of the experiment and named in the address, is how it is told otherwise.
"""

from __future__ import annotations

import json
from contextlib import suppress

from assay.tracking.environment import MlflowException
from assay.tracking.store import Store

_NAME = "assay"
_TAG = f"mlflow.sharedViewState.{_NAME}"
_METRICS = ("accuracy", "log_loss", "rmse", "r2")
_SELECTED = ("best_valid_log_loss", "best_valid_rmse")
_TAGS = ("verdict", "model_version", "pipeline")


def runs_page(store: Store, address: str) -> str:
    """Return the address of the table of runs below a server's ``address``, its columns chosen."""
    _share(store)
    query = f"workflowType=machine_learning&viewStateShareKey={_NAME}"
    return f"{address.rstrip('/')}/#/experiments/{store.experiment_id}/runs?{query}"


def _share(store: Store) -> None:
    """Keep the view in the store; where it may not be written, the page opens with MLflow's own."""
    view = json.dumps({"selectedColumns": _columns()})
    with suppress(MlflowException, OSError):
        if store.client.get_experiment(store.experiment_id).tags.get(_TAG) != view:
            store.client.set_experiment_tag(store.experiment_id, _TAG, view)


def _columns() -> list[str]:
    metrics = [f"metrics.`{name}`" for name in (*_METRICS, *_SELECTED)]
    return [*metrics, *(f"tags.`{name}`" for name in _TAGS)]
