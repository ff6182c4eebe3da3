"""What tracking left on the disk, and the store as it is: nothing here makes anything."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

from assay.errors import TrackingError
from assay.secrets import masked
from assay.tracking.address import artifact_root, database_file, tracking_uri
from assay.tracking.environment import MlflowClient
from assay.tracking.store import EXPERIMENT, FIRST_CONTACT_SECONDS, Store, patience

_OWNERS = {"runs": "run_uuid", "logged_models": "model_id"}
_MODELS = "models"


def existing_store() -> Store | None:
    """Open the store that the environment names without making it; None where there is none yet.

    Raises TrackingError when it cannot be reached.
    """
    uri = tracking_uri()
    file = database_file(uri)
    if file and not file.exists():
        return None
    name = os.environ.get("MLFLOW_EXPERIMENT_NAME") or EXPERIMENT
    try:
        with patience(FIRST_CONTACT_SECONDS):
            client = MlflowClient(tracking_uri=uri)
            experiment = client.get_experiment_by_name(name)
    except Exception as error:  # SQLAlchemy's drivers have no common base class
        first = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise TrackingError(
            f"the tracking store {masked(uri)} cannot be reached: {masked(first)[:200]}"
        ) from error
    if experiment is None or experiment.lifecycle_stage != "active":
        return None
    return Store(uri=uri, experiment_id=str(experiment.experiment_id), client=client)


def orphaned_artifacts() -> list[Path]:
    """Return the artifact folders of runs and models that a database does not know any more."""
    uri = tracking_uri()
    file, root = database_file(uri), artifact_root(uri)
    if file is None or root is None or not file.exists():
        return []
    folders = [*Path(root).glob("*/[0-9a-f]*"), *Path(root).glob(f"*/{_MODELS}/m-*")]
    if not folders:
        return []
    known = _known(file)
    return [folder for folder in sorted(folders) if folder.is_dir() and folder.name not in known]


def _known(file: Path) -> set[str]:
    found: set[str] = set()
    try:
        with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True, timeout=20)) as database:
            for table, column in _OWNERS.items():
                found |= {row[0] for row in database.execute(f"SELECT {column} FROM {table}")}
    except sqlite3.Error as error:
        raise TrackingError(f"the tracking store {file} cannot be read: {error}") from error
    return found
