"""MLflow's switches, set before MLflow is imported, which is when it reads them."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager

PICKLE = "MLFLOW_ALLOW_PICKLE_DESERIALIZATION"
_DEFAULTS = {
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "ORT_DISABLE_TELEMETRY": "1",  # MLflow loads models with onnxruntime
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "MLFLOW_LOGGING_LEVEL": "WARNING",
}


@contextmanager
def switched() -> Iterator[None]:
    """Import MLflow within: quiet, without telemetry, without pickle whoever switched that on.

    ``MLFLOW_RUN_ID`` goes: it would override the parent of every run that MLflow's fluent
    functions open.
    """
    os.environ.update({k: v for k, v in _DEFAULTS.items() if k not in os.environ})
    os.environ.pop("MLFLOW_RUN_ID", None)
    given = os.environ.get(PICKLE, "false")
    if given.strip().lower() not in ("false", "0"):
        logging.getLogger(__name__).warning(
            "%s=%s has no effect: a pickle can run any code, so Assay loads none", PICKLE, given
        )
    os.environ[PICKLE] = "false"
    yield
