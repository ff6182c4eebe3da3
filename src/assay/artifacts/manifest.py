"""What each output of a stage consists of, and whether it still does.

``staged()`` writes a manifest for every output; ``artifact()`` compares before anything is loaded.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from assay.artifacts.files import file_digest, read_json, write_json
from assay.artifacts.paths import output_folder, stage_folder
from assay.errors import ArtifactError

MANIFEST = "manifest"
Files = dict[str, dict[str, Any]]

_loaded: dict[str, str] = {}  # what this process's stage has loaded so far, with digests


def artifact(stage: str, name: str) -> Path:
    """Return the path of a stage's output, compared with its manifest.

    Raises ArtifactError that names the file that was changed, cut, added or is missing.
    """
    path, manifest = output_folder(stage) / name, _manifest(stage, name)
    try:
        found = difference(path, manifest["files"])
    except OSError as error:
        raise ArtifactError(f"{path} cannot be read: {error.strerror or error}") from error
    if found:
        raise ArtifactError(f"{found}: {_remedy(stage)}")
    _loaded[f"{stage}/{name}"] = _digest(path, manifest["files"])
    return path


def recorded_digest(stage: str, name: str) -> str:
    """Return the digest of an output as its manifest has it, without reading the files.

    Raises ArtifactError where there is no manifest.
    """
    return _digest(output_folder(stage) / name, _manifest(stage, name)["files"])


def _remedy(stage: str) -> str:
    return f"run 'dvc repro {stage}', and where DVC sees no change 'dvc repro -f -s {stage}'"


def _manifest(stage: str, name: str) -> Mapping[str, Any]:
    place, path = output_folder(stage) / name, stage_folder(stage) / MANIFEST / f"{name}.json"
    made = f"run 'dvc repro {stage}' to make it"
    if not place.exists():
        raise ArtifactError(f"{place} is missing: {made}")
    if not path.is_file():
        raise ArtifactError(f"{place} cannot be checked, {path} is missing: {made}")
    try:
        manifest = read_json(path)
    except ArtifactError:
        manifest = None
    if not _is_manifest(manifest, stage, name):
        raise ArtifactError(f"{path} is damaged, no manifest of {stage}/{name}: {_remedy(stage)}")
    return manifest  # type: ignore[no-any-return]  # checked above


def _is_manifest(value: Any, stage: str, name: str) -> bool:
    return (
        isinstance(value, Mapping)
        and (value.get("stage"), value.get("output")) == (stage, name)
        and is_files(value.get("files"))
    )


def is_files(value: Any) -> bool:
    """Tell whether a value is what ``described`` returns."""
    return isinstance(value, Mapping) and all(
        isinstance(entry, Mapping) and {"sha256", "bytes"} <= entry.keys()
        for entry in value.values()
    )


def described(path: Path) -> Files:
    """Return SHA-256 and bytes of a file, or of each file in a folder, by their name beside it."""
    return {
        name: {"sha256": file_digest(file), "bytes": file.stat().st_size}
        for name, file in _within(path).items()
    }


def difference(path: Path, files: Mapping[str, Mapping[str, Any]]) -> str:
    """Say which file is not as ``described`` found it once, and how; "" where all are."""
    found = _within(path)
    for name, entry in files.items():
        place = path.parent / name
        if name not in found:
            return f"{place} is missing"
        if (size := place.stat().st_size) != entry["bytes"]:
            return f"{place} was changed: it has {size} bytes, written were {entry['bytes']}"
        if file_digest(place) != entry["sha256"]:
            return f"{place} was changed: its content is not what was written"
    added = sorted(found.keys() - files.keys())
    return f"{path.parent / added[0]} was added: it is no part of the output" if added else ""


def _within(path: Path) -> dict[str, Path]:
    files = sorted(path.rglob("*")) if path.is_dir() else [path]
    return {file.relative_to(path.parent).as_posix(): file for file in files if file.is_file()}


def _digest(path: Path, files: Mapping[str, Mapping[str, Any]]) -> str:
    """Return what ``digest(path)`` would, without reading the files again."""
    if path.name in files:
        return str(files[path.name]["sha256"])
    total = hashlib.sha256()
    for name in sorted(files, key=PurePosixPath):
        inner = PurePosixPath(name).relative_to(path.name)
        total.update(f"{inner}\0{files[name]['sha256']}\n".encode())
    return total.hexdigest()


def write_manifests(folder: Path, *, stage: str, code: Mapping[str, Any]) -> None:
    """Write a manifest for every entry of a folder into ``manifest/`` in there."""
    for entry in sorted(folder.iterdir()):
        if entry.name.startswith(".") or entry.name == MANIFEST:
            continue
        manifest = {
            "output": entry.name,
            "stage": stage,
            "files": described(entry),
            "inputs": dict(_loaded),
            "code": dict(code),
        }
        write_json(folder / MANIFEST / f"{entry.name}.json", manifest)


def forget_loaded() -> None:
    """Begin a new account of what is loaded; a stage that ended has no part in the next."""
    _loaded.clear()
