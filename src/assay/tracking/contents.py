"""What a registered version consists of, and whether it still does when it is fetched."""

from __future__ import annotations

from pathlib import Path

from assay.artifacts.files import file_digest, read_json, read_yaml, write_json
from assay.artifacts.manifest import described, difference, is_files
from assay.errors import ArtifactError, TrackingError

CONTENTS = "manifest.json"
DIGEST = "manifest_digest"  # the version's tag
_ADDED_BY_MLFLOW = "registered_model_meta"  # beside every version that it downloads
_REMEDY = "register the model again ('dvc repro -f -s register'), or use another version"


def write_contents(folder: Path) -> str:
    """Write the manifest of a model's folder into it, and return the manifest's own SHA-256."""
    files = {name.partition("/")[2]: entry for name, entry in described(folder).items()}
    write_json(folder / CONTENTS, {"files": files})
    return file_digest(folder / CONTENTS)


def require_contents(folder: Path, *, uri: str, digest: str | None) -> None:
    """Compare a fetched version with its manifest, and that with the digest in the registry.

    Raises TrackingError that names the file which was changed, cut, added or is missing.
    """
    (folder / _ADDED_BY_MLFLOW).unlink(missing_ok=True)
    if digest is None:
        raise TrackingError(f"{uri} has no tag '{DIGEST}', so it cannot be checked: {_REMEDY}")
    found = _difference(folder, digest)
    if found:
        raise TrackingError(f"{uri}: {found.removeprefix(f'{folder}/')}: {_REMEDY}")


def _difference(folder: Path, digest: str) -> str:
    manifest = folder / CONTENTS
    if not manifest.is_file():
        return f"{manifest} is missing"
    own = file_digest(manifest)
    if own != digest:
        return f"{manifest} was changed: the registry has another digest of it"
    try:
        files = read_json(manifest)["files"]
    except (ArtifactError, KeyError, TypeError):
        files = None
    if not is_files(files):
        return f"{manifest} is no manifest"
    own_entry = {"sha256": own, "bytes": manifest.stat().st_size}
    listed = {**files, CONTENTS: own_entry}
    return difference(folder, {f"{folder.name}/{name}": entry for name, entry in listed.items()})


def require_plain_flavour(folder: Path, *, uri: str) -> None:
    """Raise TrackingError for a model that MLflow would load by other code than its own for ONNX.

    ``MLmodel`` names the module that loads a model, and may bring folders of code along.
    """
    try:
        flavour = read_yaml(folder / "MLmodel")["flavors"]["python_function"]
        is_plain = (flavour["loader_module"], flavour.get("code")) == ("mlflow.onnx", None)
    except (ArtifactError, AttributeError, KeyError, TypeError):
        is_plain = False
    if not is_plain:
        raise TrackingError(
            f"{uri}: its MLmodel asks for other code than mlflow.onnx: it is not loaded; {_REMEDY}"
        )
