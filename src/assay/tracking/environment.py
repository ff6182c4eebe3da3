"""MLflow, imported the way Assay wants it: the rest of the room takes its names from here."""

from __future__ import annotations

import logging

from assay.tracking.switches import switched

with switched():
    import mlflow as mlflow
    from mlflow import MlflowClient as MlflowClient
    from mlflow.exceptions import MlflowException as MlflowException
    from mlflow.protos.databricks_pb2 import INVALID_PARAMETER_VALUE as INVALID_PARAMETER_VALUE
    from mlflow.pyfunc.scoring_server import get_cmd as get_cmd
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore as SqlAlchemyStore

logging.getLogger("alembic").setLevel(logging.ERROR)
# It logs each error of the database with its traceback, then raises it: it is said once, by us.
logging.getLogger("mlflow.store.db.utils").setLevel(logging.CRITICAL)
