"""Prepared data for exploring, kept by what it depends on; never in the pipeline's own folder."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import sklearn
from filelock import FileLock

from assay.artifacts.files import digest, read_json, write_json
from assay.artifacts.paths import home, project_root
from assay.config.load import build
from assay.errors import ArtifactError
from assay.pipeline.fingerprint import code_digest, name_of
from assay.split.prepare import prepare

_ROOMS = ("data", "split")


def prepared_folder(node: Mapping[str, Any]) -> Path:
    """Return a folder with the prepared splits that a ``data`` node describes, made if need be.

    Two processes that ask at once make it once. Raises what ``prepare`` raises, and ArtifactError
    where the disk refuses.
    """
    folder = home() / "cache" / "prepare" / data_fingerprint(node)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(f"{folder}.lock"):
            if not (folder / "digests.json").is_file():
                _make(node, folder)
    except OSError as error:
        raise ArtifactError(
            f"{folder} cannot be written: {error.strerror or error}; free some space, or name "
            "another place in ASSAY_HOME"
        ) from error
    return folder


def data_digest(folder: Path) -> str:
    """Return the digest of the raw data behind a prepared folder."""
    return str(read_json(folder / "digests.json")["data"])


def _make(node: Mapping[str, Any], folder: Path) -> None:
    draft = folder.with_name(f".{folder.name}.{os.getpid()}")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir()
    try:
        done = prepare(build(node, where="data"), folder=draft)
        write_json(draft / "digests.json", {"data": done.digest})
        shutil.rmtree(folder, ignore_errors=True)
        draft.replace(folder)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def data_fingerprint(node: Mapping[str, Any]) -> str:
    """Return 20 hex digits that name the splits a ``data`` node describes."""
    facts = {
        "node": node,
        "file": _file_digest(node),
        "code": code_digest(_ROOMS),
        "sklearn": sklearn.__version__,
    }
    return name_of(facts, length=20)


def _file_digest(node: Mapping[str, Any]) -> str:
    path = node.get("path")
    if not isinstance(path, str):
        return ""
    file = project_root() / path
    return digest(file) if file.is_file() else ""
