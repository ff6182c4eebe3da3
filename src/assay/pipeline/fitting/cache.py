"""Prepared data for exploring, kept by what it depends on; never in the pipeline's own folder."""

from __future__ import annotations

import hashlib
import logging
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import sklearn
from filelock import FileLock

from assay.artifacts.files import digest, flush_tree, read_json, write_json
from assay.artifacts.manifest import described, difference
from assay.artifacts.paths import home, project_root
from assay.config.load import build, target_class
from assay.errors import ArtifactError
from assay.pipeline.fitting.fingerprint import code_digest, name_of
from assay.split.prepare import prepare

log = logging.getLogger(__name__)
DIGESTS = "digests.json"
_ROOMS = ("data", "split")


def prepared_folder(node: Mapping[str, Any], *, fingerprint: str) -> Path:
    """Return a folder with the prepared splits that a ``data`` node describes, made if need be.

    ``fingerprint`` is the node's ``data_fingerprint``, which reads the whole of a user's file.
    Two processes that ask at once make it once. Raises what ``prepare`` raises, and ArtifactError
    where the disk refuses.
    """
    folder = home() / "cache" / "prepare" / fingerprint
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(f"{folder}.lock"):
            if not _is_whole(folder):
                _make(node, folder)
    except OSError as error:
        raise ArtifactError(
            f"{folder} cannot be written: {error.strerror or error}; free some space, or name "
            "another place in ASSAY_HOME"
        ) from error
    return folder


def data_digest(folder: Path) -> str:
    """Return the digest of the raw data behind a prepared folder."""
    return str(read_json(folder / DIGESTS)["data"])


def _make(node: Mapping[str, Any], folder: Path) -> None:
    draft = folder.with_name(f".{folder.name}.{os.getpid()}")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir()
    try:
        done = prepare(build(node, where="data"), folder=draft)
        files = {entry.name: described(entry) for entry in sorted(draft.iterdir())}
        write_json(draft / DIGESTS, {"data": done.digest, "entries": files})
        flush_tree(draft)
        shutil.rmtree(folder, ignore_errors=True)
        draft.replace(folder)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _is_whole(folder: Path) -> bool:
    """Whether every file is as it was written; what is not is said, and made anew."""
    if not (folder / DIGESTS).is_file():
        return False
    try:
        entries = read_json(folder / DIGESTS)["entries"]
        wrong = [
            found for name, files in entries.items() if (found := difference(folder / name, files))
        ]
    except (ArtifactError, OSError, KeyError, TypeError, AttributeError) as error:
        wrong = [f"{folder / DIGESTS} is damaged: {error}"]
    for sentence in wrong[:1]:
        log.warning("%s; it is prepared again", sentence)
    return not wrong


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
    """Return a digest of what a set reads: the file or folder at ``path``, or the ``files`` it lists."""
    listed = getattr(target_class(node, where="data"), "files", None)
    if listed is not None:
        names = (f"{digest(file)} {file}\n" for file in listed(build(node, where="data")))
        return hashlib.sha256("".join(names).encode()).hexdigest()
    path = node.get("path")
    if not isinstance(path, str):
        return ""
    place = project_root() / path
    return digest(place) if place.exists() else ""
