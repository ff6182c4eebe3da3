"""One change of the tracking store: a plain record that can be sent now, or kept and sent later."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from requests import RequestException

from assay.tracking.environment import MlflowException, mlflow
from assay.tracking.store import Store

Change = dict[str, Any]
METRICS_PER_BATCH = 1000
PARAMS_PER_BATCH = 100
PARAM_LENGTH = 6000
TAG_LENGTH = 5000
KEY_LENGTH = 250
DIGEST_LENGTH = 36
_NOT_IN_KEYS = re.compile(r"[^\w\-. :/]")
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


def key(name: str) -> str:
    """Return a name with the characters and the length that MLflow allows."""
    return _NOT_IN_KEYS.sub("_", name)[:KEY_LENGTH]


def cut(text: str, length: int) -> str:
    """Return a text of at most ``length`` characters that says so where it was cut."""
    if len(text) <= length:
        return text
    tail = f"... (cut, {len(text)} characters)"
    return text[: length - len(tail)] + tail


def is_lost(error: Exception) -> bool:
    """Tell whether the store was out of reach, as opposed to refusing what it was sent."""
    if isinstance(error, MlflowException):
        return error.error_code in _TRANSIENT
    return isinstance(error, (RequestException, OSError))


def deliver(store: Store, change: Change, run_id: str) -> None:
    """Send one change; raises what MLflow raises."""
    _SENDERS[change["op"]](store, change, run_id)


def create(store: Store, change: Change, tags: Mapping[str, str]) -> str:
    """Open a run and return its id."""
    run = store.client.create_run(
        store.experiment_id,
        start_time=change["start"],
        tags={key(k): cut(v, TAG_LENGTH) for k, v in tags.items()},
        run_name=change["name"],
    )
    return str(run.info.run_id)


def _metrics(store: Store, change: Change, run_id: str) -> None:
    for part in _parts(change["values"], METRICS_PER_BATCH):
        store.client.log_batch(
            run_id, metrics=[mlflow.entities.Metric(*_number(row)) for row in part]
        )


def _number(row: Sequence[Any]) -> tuple[str, float, int, int]:
    """Return key, value, timestamp, step: infinite values as the largest that SQL can hold."""
    name, value, timestamp, step = row
    if math.isinf(value):
        value = math.copysign(1.7976931348623157e308, value)
    return name, value, timestamp, step


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
    if path.is_dir():
        folder = "/".join(filter(None, (change["folder"], path.name)))
        store.client.log_artifacts(run_id, str(path), folder)
    else:
        store.client.log_artifact(run_id, str(path), change["folder"])


def _parts(rows: Sequence[Any], size: int) -> list[Sequence[Any]]:
    return [rows[i : i + size] for i in range(0, len(rows), size)]


_SENDERS = {
    "metrics": _metrics,
    "params": _params,
    "tags": _tags,
    "status": _status,
    "inputs": _inputs,
    "artifact": _artifact,
}
