"""The address of the tracking store: read, made absolute, and shown without its secrets."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import urlsplit

from assay.artifacts.paths import home, real_root
from assay.errors import TrackingError
from assay.secrets import masked

SQLITE = "sqlite:///"


def tracking_uri() -> str:
    """Return where tracking goes: ``MLFLOW_TRACKING_URI``, else SQLite in the project's home.

    A relative SQLite path counts from the root of the real repository, so that experiments which
    DVC runs in other folders find the same store. Raises TrackingError for a folder of files,
    which MLflow no longer writes.
    """
    uri = os.environ.get("MLFLOW_TRACKING_URI", "").strip()
    if not uri:
        return f"{SQLITE}{home() / 'mlflow.db'}"
    if urlsplit(uri).scheme in ("", "file"):
        raise TrackingError(
            "MLFLOW_TRACKING_URI: expected a server (http://...) or a database (sqlite:///...), "
            f"but got '{masked(uri)}', a folder, which MLflow no longer writes; unset it to use "
            f"{SQLITE}{home() / 'mlflow.db'}"
        )
    file = database_file(uri)
    return f"{SQLITE}{file}" if file else uri


def database_file(uri: str) -> Path | None:
    """Return the absolute file of an SQLite address, None for any other address."""
    if not uri.startswith(SQLITE) or uri.removeprefix(SQLITE) in ("", ":memory:"):
        return None
    return (real_root() / uri.removeprefix(SQLITE)).resolve()


def artifact_root(uri: str) -> str | None:
    """Return the absolute folder for artifacts; None where a server decides."""
    if urlsplit(uri).scheme in ("http", "https", "databricks", "databricks-uc"):
        return None
    file = database_file(uri)
    return str((file.parent if file else home()) / "mlartifacts")
