"""MLflow, imported the way Assay wants it: quiet, without telemetry, without pickle.

MLflow reads these switches while it is imported, so the rest of the room takes its names from
here. What the user has set already is left alone, apart from ``MLFLOW_RUN_ID``: it would
override the parent of every run that MLflow's fluent functions open.
"""

from __future__ import annotations

import logging
import os

os.environ.setdefault("MLFLOW_ALLOW_PICKLE_DESERIALIZATION", "false")
os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
os.environ.setdefault("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "true")
os.environ.setdefault("MLFLOW_LOGGING_LEVEL", "WARNING")
os.environ.pop("MLFLOW_RUN_ID", None)

import mlflow as mlflow
from mlflow import MlflowClient as MlflowClient
from mlflow.exceptions import MlflowException as MlflowException
from mlflow.protos.databricks_pb2 import INVALID_PARAMETER_VALUE as INVALID_PARAMETER_VALUE
from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore as SqlAlchemyStore

logging.getLogger("alembic").setLevel(logging.ERROR)
# It logs each error of the database with its traceback, then raises it: it is said once, by us.
logging.getLogger("mlflow.store.db.utils").setLevel(logging.CRITICAL)
