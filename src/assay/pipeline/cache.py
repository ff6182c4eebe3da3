"""Prepared data for exploring, kept by what it depends on; never in the pipeline's own folder."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import sklearn
from filelock import FileLock

import assay
from assay.artifacts.files import digest, read_json, write_json
from assay.artifacts.paths import home, project_root
from assay.config.load import build
from assay.split.prepare import prepare

_ROOMS = ("data", "split")


def prepared_folder(node: Mapping[str, Any]) -> Path:
    """Return a folder with the prepared splits that a ``data`` node describes, made if need be.

    Two processes that ask at once make it once. Raises what ``prepare`` raises.
    """
    folder = home() / "cache" / "prepare" / _fingerprint(node)[:20]
    folder.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{folder}.lock"):
        if not (folder / "digests.json").is_file():
            _make(node, folder)
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


def _fingerprint(node: Mapping[str, Any]) -> str:
    package = Path(assay.__file__).parent
    code = {room: digest_of_code(package / room) for room in _ROOMS}
    facts = {"node": node, "file": _file_digest(node), "code": code, "sklearn": sklearn.__version__}
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


def digest_of_code(room: Path) -> str:
    """Return one digest of a room's Python files."""
    files = sorted(room.rglob("*.py"))
    lines = "".join(f"{f.relative_to(room)} {digest(f)}\n" for f in files)
    return hashlib.sha256(lines.encode()).hexdigest()


def _file_digest(node: Mapping[str, Any]) -> str:
    path = node.get("path")
    if not isinstance(path, str):
        return ""
    file = project_root() / path
    return digest(file) if file.is_file() else ""
