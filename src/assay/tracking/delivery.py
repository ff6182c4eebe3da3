"""One change of the tracking store: a plain record that can be sent now, or kept and sent later."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from requests import RequestException

from assay.tracking.environment import INVALID_PARAMETER_VALUE, MlflowException, mlflow
from assay.tracking.limits import METRICS_PER_BATCH, PARAMS_PER_BATCH
from assay.tracking.store import Store

Change = dict[str, Any]
_TRANSIENT = {
    "INTERNAL_ERROR",
    "TEMPORARILY_UNAVAILABLE",
    "REQUEST_LIMIT_EXCEEDED",
    "RESOURCE_EXHAUSTED",
    "DEADLINE_EXCEEDED",
    "CUSTOMER_UNAUTHORIZED",
    "UNAUTHENTICATED",
    "PERMISSION_DENIED",
}


def is_lost(error: Exception) -> bool:
    """Tell whether the store was out of reach, as opposed to refusing what it was sent."""
    if isinstance(error, MlflowException):
        return error.error_code in _TRANSIENT
    return isinstance(error, (RequestException, OSError))


def deliver(store: Store, change: Change, run_id: str) -> None:
    """Send one change; raises what MLflow raises."""
    _SENDERS[change["op"]](store, change, run_id)


def _metrics(store: Store, change: Change, run_id: str) -> None:
    for part in _parts(change["values"], METRICS_PER_BATCH):
        store.client.log_batch(run_id, metrics=[mlflow.entities.Metric(*row) for row in part])


def _params(store: Store, change: Change, run_id: str) -> None:
    for part in _parts(list(change["values"].items()), PARAMS_PER_BATCH):
        store.client.log_batch(run_id, params=[mlflow.entities.Param(k, v) for k, v in part])


def _tags(store: Store, change: Change, run_id: str) -> None:
    for part in _parts(list(change["values"].items()), PARAMS_PER_BATCH):
        store.client.log_batch(run_id, tags=[mlflow.entities.RunTag(k, v) for k, v in part])


def _status(store: Store, change: Change, run_id: str) -> None:
    if change["status"] == "RUNNING":
        store.client.update_run(run_id, status="RUNNING")
    else:
        store.client.set_terminated(run_id, status=change["status"], end_time=change["end"])


def _inputs(store: Store, change: Change, run_id: str) -> None:
    store.client.log_inputs(run_id, datasets=[_dataset(**change["dataset"])])


def _dataset(*, context: str, full_digest: str, **fields: Any) -> mlflow.entities.DatasetInput:
    tags = [
        mlflow.entities.InputTag("mlflow.data.context", context),
        mlflow.entities.InputTag("digest", full_digest),
    ]
    return mlflow.entities.DatasetInput(mlflow.entities.Dataset(**fields), tags)


def _artifact(store: Store, change: Change, run_id: str) -> None:
    path = Path(change["path"])
    if not path.exists():
        raise MlflowException(f"{path} is not there any more", INVALID_PARAMETER_VALUE)
    if path.is_dir():
        folder = "/".join(filter(None, (change["folder"], path.name)))
        store.client.log_artifacts(run_id, str(path), folder)
    else:
        store.client.log_artifact(run_id, str(path), change["folder"])


def _text(store: Store, change: Change, run_id: str) -> None:
    store.client.log_text(run_id, change["text"], change["file"])


def _parts(rows: Sequence[Any], size: int) -> list[Sequence[Any]]:
    return [rows[i : i + size] for i in range(0, len(rows), size)]


_SENDERS = {
    "metrics": _metrics,
    "params": _params,
    "tags": _tags,
    "status": _status,
    "inputs": _inputs,
    "artifact": _artifact,
    "text": _text,
}
