"""MLflow's model registry: put a graph in, find versions, fetch them, name the champion."""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from importlib.metadata import version as installed
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
from filelock import FileLock

from assay.artifacts.paths import home
from assay.errors import TrackingError, nearest
from assay.inference.signature import Signature, Tensor
from assay.signals import HeldSignals
from assay.tracking.contents import DIGEST, require_contents, require_plain_flavour, write_contents
from assay.tracking.environment import MlflowException, mlflow
from assay.tracking.limits import TAG_LENGTH, cut
from assay.tracking.process import own_key
from assay.tracking.store import Store, open_store

ALIASES = CHAMPION, CHALLENGER = "champion", "challenger"
REGISTERED_BY, SETTLED = "registered_by", "settled"  # tags: a process, and that it came to its end
GRAPH, SIGNATURE = "model.onnx", "signature.json"
_FORM = "models:/NAME@champion or models:/NAME/VERSION"
_URI = re.compile(r"models:/(?P<name>[^/@]+)(?:@(?P<alias>[^/@]+)|/(?P<version>\d+))")
_SERVED_WITH = ("mlflow", "numpy", "onnx", "onnxruntime", "pandas")
_NUMPY = {"double": "float64", "float": "float32", "string": "object"}
DESCRIPTION_LENGTH = 5000
Rows: TypeAlias = pd.DataFrame | Mapping[str, np.ndarray]
"""Raw inputs of a graph: a frame of columns, or arrays by name."""
_SHOWN = 20


@dataclass(frozen=True, kw_only=True)
class Version:
    """A version of a registered model; ``tags`` say what it was made from."""

    name: str
    number: str
    model_id: str
    tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def uri(self) -> str:
        """The address under which MLflow loads it."""
        return f"models:/{self.name}/{self.number}"


def register(
    name: str,
    *,
    run_id: str,
    graph: Path,
    signature: Signature,
    example: Rows,
    tags: Mapping[str, str],
    beside: Sequence[Path] = (),
) -> Version:
    """Register a graph as a new version of ``name`` in the flavour ``mlflow.onnx``, and return it.

    The files ``beside`` lie in the model's folder, under ``origin/``. Nothing in there is pickled,
    the graph's bytes are those of the file, and ``manifest.json`` lists every file. Raises
    TrackingError when the store refuses.
    """
    store = _open()
    tags = {key: cut(str(value), TAG_LENGTH) for key, value in tags.items()}
    with _refusals(f"'{name}' cannot be registered"), tempfile.TemporaryDirectory() as scratch:
        logged = store.client.create_logged_model(
            store.experiment_id, name=_logged_name(name), source_run_id=run_id, model_type="onnx"
        )
        folder = Path(scratch, "model")
        _write_model(folder, graph, signature, example, run_id=run_id, model_id=logged.model_id)
        for file in beside:
            (folder / "origin").mkdir(exist_ok=True)
            shutil.copyfile(file, folder / "origin" / file.name)
        tags |= {DIGEST: write_contents(folder), REGISTERED_BY: own_key()}
        store.client.log_model_artifacts(logged.model_id, str(folder))
        store.client.finalize_logged_model(logged.model_id, "READY")
        _ensure_name(store, name)
        made = store.client.create_model_version(
            name, f"models:/{logged.model_id}", run_id, tags=tags, model_id=logged.model_id
        )
        return _version(made)


def _write_model(
    folder: Path,
    graph: Path,
    signature: Signature,
    example: Rows,
    *,
    run_id: str,
    model_id: str,
) -> None:
    mlflow.onnx.save_model(
        graph.read_bytes(),
        str(folder),
        mlflow_model=mlflow.models.Model(run_id=run_id, model_id=model_id, model_uuid=model_id),
        signature=mlflow_signature(signature),
        input_example=example,
        pip_requirements=[f"{name}=={installed(name)}" for name in _SERVED_WITH],
        onnx_execution_providers=["CPUExecutionProvider"],
        save_as_external_data=False,
    )
    shutil.copyfile(graph, folder / GRAPH)
    signature.write(folder / SIGNATURE)


def mlflow_signature(signature: Signature) -> mlflow.models.ModelSignature:
    """Return the signature as MLflow enforces it: tensors by name, rows of any number."""
    schema = mlflow.types.schema.Schema
    return mlflow.models.ModelSignature(
        inputs=schema([_tensor_spec(tensor) for tensor in signature.inputs]),
        outputs=schema([_tensor_spec(tensor) for tensor in signature.outputs]),
    )


def _tensor_spec(tensor: Tensor) -> mlflow.types.TensorSpec:
    dtype = np.dtype(_NUMPY.get(tensor.type, tensor.type))
    return mlflow.types.TensorSpec(dtype, tensor.shape, tensor.name)


def _logged_name(name: str) -> str:
    return re.sub(r"[/:.%\"']+", "_", name)


def _ensure_name(store: Store, name: str) -> None:
    try:
        store.client.create_registered_model(name)
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise


def reject(version: Version) -> None:
    """Delete a version that does not do what was measured, and mark its model as failed."""
    store = _open()
    with _refusals(f"{version.uri} cannot be deleted"):
        store.client.delete_model_version(version.name, version.number)
        store.client.set_logged_model_tags(version.model_id, {"rejected": "true"})


def describe(version: Version, *, text: str, tags: Mapping[str, str]) -> None:
    """Give a version its description in Markdown, and tags: the last step of its registration."""
    store = _open()
    with _refusals(f"{version.uri} cannot be described"):
        store.client.update_model_version(
            version.name, version.number, description=_shortened(text)
        )
    tag(version, {**tags, SETTLED: "true"})


def tag(version: Version, tags: Mapping[str, str]) -> None:
    """Set tags of a version."""
    store = _open()
    with _refusals(f"{version.uri} cannot be tagged"):
        for key, value in tags.items():
            shown = cut(str(value), TAG_LENGTH)
            store.client.set_model_version_tag(version.name, version.number, key, shown)


def untag(version: Version, key: str) -> None:
    """Take a tag from a version, which need not have it."""
    store = _open()
    with _refusals(f"{version.uri} cannot lose the tag {key}"):
        store.client.delete_model_version_tag(version.name, version.number, key)


def tell_looks(version: Version, *, split: str, looks: int) -> None:
    """Show on the registered model how many graphs were measured on a test split."""
    store = _open()
    with _refusals(f"'{version.name}' cannot be told of its looks"):
        key = f"looks_at_test.{split[:12]}"
        store.client.set_registered_model_tag(version.name, key, str(looks))


def _shortened(text: str) -> str:
    """Return at most as much as MLflow holds, cut between lines, with a word on the rest."""
    if len(text) <= DESCRIPTION_LENGTH:
        return text
    rest = "\n\nThe rest is in card.md, among the run's artifacts.\n"
    return text[: DESCRIPTION_LENGTH - len(rest)].rpartition("\n")[0] + rest


@contextmanager
def alone_with(name: str) -> Iterator[None]:
    """Hold the lock of a registered model: within it, no other registration names a champion."""
    folder = home() / "locks"
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / f"registry-{_logged_name(name)}"):
        yield


def champion_of(name: str) -> Version | None:
    """Return the version that is champion at this moment, if there is one."""
    store = _open()
    with _refusals(f"the champion of '{name}' cannot be found"):
        return _aliased(store, name, CHAMPION)


def set_alias(version: Version, alias: str) -> bool:
    """Give a version an alias, and tell whether it still has it when the registry is asked again.

    A champion is no challenger: a version that becomes the one stops being the other.
    """
    store = _open()
    with _refusals(f"{version.uri} cannot become {alias}"):
        before = _aliased(store, version.name, alias)
        store.client.set_model_version_tag(
            version.name, version.number, f"{alias}_before", before.number if before else "none"
        )
        store.client.set_registered_model_alias(version.name, alias, version.number)
        challenger = _aliased(store, version.name, CHALLENGER)
        if alias == CHAMPION and challenger and challenger.number == version.number:
            store.client.delete_registered_model_alias(version.name, CHALLENGER)
        found = _aliased(store, version.name, alias)
        return found is not None and found.number == version.number


def give_back_alias(version: Version, alias: str) -> None:
    """Take an alias from the version that has it, and return it to the one that had it before."""
    store = _open()
    with _refusals(f"{version.uri} cannot give back its alias {alias}"):
        holder = _aliased(store, version.name, alias)
        if holder is None or holder.number != version.number:
            return
        before = _numbered(store, version.name, version.tags.get(f"{alias}_before", "none"))
        if before is None:
            store.client.delete_registered_model_alias(version.name, alias)
        else:
            store.client.set_registered_model_alias(version.name, alias, before.number)


def versions_of(name: str) -> list[Version]:
    """Return every version of a registered model, with its tags; none where there is no model."""
    store = _open()
    with _refusals(f"the versions of '{name}' cannot be listed"):
        found = store.client.search_model_versions(f"name='{name}'", max_results=1000)
        return [_version(version) for version in found]


def resolve(uri: str) -> Version:
    """Return the version that ``models:/NAME@ALIAS`` or ``models:/NAME/VERSION`` names.

    Raises TrackingError that lists what there is.
    """
    match = _URI.fullmatch(uri)
    if match is None:
        raise TrackingError(f"expected {_FORM}, but got '{uri}'; {_names_there_are(_open())}")
    store, name = _open(), match["name"]
    with _refusals(f"'{uri}' cannot be looked up"):
        found = (
            _aliased(store, name, match["alias"])
            if match["alias"]
            else _numbered(store, name, match["version"])
        )
        if found is None:
            raise TrackingError(_not_there(store, match, uri))
        return found


def address(model: str) -> str:
    """Return the address of a model: itself, or that of its champion where a name stands alone."""
    return model if ":" in model or "/" in model else f"models:/{model}@{CHAMPION}"


def aliases_of(version: Version) -> list[str]:
    """Return the aliases that a version has at this moment."""
    store = _open()
    with _refusals(f"the aliases of {version.uri} cannot be found"):
        found = store.client.get_registered_model(version.name).aliases
        return sorted(str(k) for k, v in found.items() if str(v) == version.number)


def fetch(version: Version, folder: Path) -> Path:
    """Download a version's files into a new folder within ``folder``, and return that.

    Raises TrackingError that names a file which is not what was registered.
    """
    _open()
    with _refusals(f"the files of {version.uri} cannot be fetched", holds=False):
        target = folder / "model"
        target.mkdir(parents=True)
        path = Path(mlflow.artifacts.download_artifacts(version.uri, dst_path=str(target)))
        require_contents(path, uri=version.uri, digest=version.tags.get(DIGEST))
    return path


def predict(uri: str, rows: Rows) -> dict[str, np.ndarray]:
    """Return the outputs of a version as anyone gets them: through ``mlflow.pyfunc``.

    Its files are checked before they are loaded.
    """
    with tempfile.TemporaryDirectory() as scratch:
        folder = fetch(resolve(uri), Path(scratch))
        require_plain_flavour(folder, uri=uri)
        with _refusals(f"{uri} cannot be loaded and run", holds=False):
            outputs: dict[str, np.ndarray] = mlflow.pyfunc.load_model(str(folder)).predict(rows)
    return outputs


def _open() -> Store:
    """Open the store, also for those of MLflow's functions that take no address of it."""
    store = open_store()
    mlflow.set_tracking_uri(store.uri)
    return store


def _aliased(store: Store, name: str, alias: str) -> Version | None:
    return _found(lambda: store.client.get_model_version_by_alias(name, alias))


def _numbered(store: Store, name: str, number: str) -> Version | None:
    return _found(lambda: store.client.get_model_version(name, number))


def _found(look: Any) -> Version | None:
    try:
        return _version(look())
    except MlflowException as error:
        if error.error_code in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
            return None
        raise


def _version(found: mlflow.entities.model_registry.ModelVersion) -> Version:
    return Version(
        name=str(found.name),
        number=str(found.version),
        model_id=str(found.model_id or str(found.source).removeprefix("models:/")),
        tags=dict(found.tags),
    )


def _not_there(store: Store, match: re.Match[str], uri: str) -> str:
    name = match["name"]
    known = {model.name: model for model in store.client.search_registered_models(max_results=1000)}
    if name not in known:
        return f"{uri}: there is no registered model '{name}'; {_names_there_are(store, name)}"
    aliases = {str(k): str(v) for k, v in known[name].aliases.items()}
    versions = store.client.search_model_versions(f"name='{name}'", max_results=1000)
    numbers = sorted((int(v.version) for v in versions), reverse=True)
    what = f"alias '{match['alias']}'" if match["alias"] else f"version {match['version']}"
    return (
        f"{uri}: '{name}' has no {what}; it has version"
        f"{'s' if len(numbers) != 1 else ''} {', '.join(map(str, numbers[:_SHOWN])) or 'none'} and "
        + (", ".join(f"@{a} (version {v})" for a, v in sorted(aliases.items())) or "no alias")
    )


def _names_there_are(store: Store, name: str = "") -> str:
    names = [str(m.name) for m in store.client.search_registered_models(max_results=1000)]
    if not names:
        return "nothing is registered yet: run 'dvc repro'"
    hint = nearest(name, names)
    if "did you mean" in hint:
        return hint.removeprefix("; ")
    return f"registered are: {', '.join(sorted(names)[:_SHOWN])}"


@contextmanager
def _refusals(what: str, *, holds: bool = True) -> Iterator[None]:
    """Say what the store refused; where it ``holds`` them, signals wait as in ``patience``."""
    try:
        with HeldSignals() if holds else nullcontext():
            yield
    except (MlflowException, OSError) as error:
        raise TrackingError(f"{what}: {error}") from error
