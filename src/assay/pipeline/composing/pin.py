"""Say in the configuration which files a model builds on: digests of what its addresses name today.

An alias such as ``models:/digits@champion`` moves, and so does a repository of a hub. What was
pinned is what later stages build, whatever the address has come to name since.
"""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeAlias

import assay
from assay.artifacts.borrowed import borrowed, keep
from assay.artifacts.files import digest
from assay.artifacts.paths import project_root
from assay.config.check import problems_of
from assay.config.load import build
from assay.data.carrier import find_folder
from assay.data.spec import read_spec
from assay.errors import ConfigError, DataError
from assay.layers.known import model_class

_REGISTRY, _PACKAGE = "models:/", "package:"
_FILES = ("config.json", "*.safetensors", "tokenizer.json")
_SAMPLES = "training.augmentation.samples.source"
SOURCES = ("model.source", _SAMPLES)
_PINNED = ("source", "digest", "versions", "pins")
_SECONDS = 600

Pins: TypeAlias = Mapping[str, Mapping[str, Any]]


def pinned(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return a checked configuration with the pins of its model and its generator filled in.

    Raises ConfigError for an address that names nothing, or files that are no model.
    """
    model = config["model"]
    found = dict(model)
    if "source" in model:
        found |= _source(str(model["source"]))
    if "versions" in model:
        found |= _members(model, config["data"])
    return {**config, "model": found, "training": _generator(config["training"])}


def addresses(config: Mapping[str, Any]) -> str:
    """Return in words which addresses a configuration builds on, empty where it has none."""
    model, augmentation = config["model"], config["training"].get("augmentation", {})
    samples = augmentation.get("samples", {}).get("source")
    named = [model.get("source"), *model.get("versions", ()), samples and f"samples of {samples}"]
    return ", ".join(str(one) for one in named if one)


def pins_of(config: Mapping[str, Any]) -> Pins:
    """Return what pinning puts into a checked configuration. Raises as ``pinned`` does."""
    whole = pinned(config)
    model = {key: whole["model"][key] for key in _PINNED if key in whole["model"]}
    samples = whole["training"].get("augmentation", {}).get("samples", {})
    return {"model": model, "samples": samples if samples.get("source") else {}}


def with_pins(config: Mapping[str, Any], pins: Pins) -> dict[str, Any]:
    """Return a configuration of the same ``addresses`` with these pins, though an alias has moved."""
    training = config["training"]
    if pins["samples"]:
        ours = {**training["augmentation"]["samples"]}
        ours |= {key: pins["samples"][key] for key in ("source", "digest")}
        training = {**training, "augmentation": {**training["augmentation"], "samples": ours}}
    return {**config, "model": {**config["model"], **pins["model"]}, "training": training}


def _generator(training: Mapping[str, Any]) -> dict[str, Any]:
    """Return the training node with the version whose samples it takes pinned, if there is one."""
    augmentation = training.get("augmentation", {})
    samples = augmentation.get("samples", {})
    if not (address := samples.get("source")):
        return dict(training)
    if not str(address).startswith(_REGISTRY):
        raise ConfigError(
            [f"{_SAMPLES}: expected a registered version, models:/NAME@champion; got {address!r}"]
        )
    version, name = _registered(str(address), where=_SAMPLES)
    task = read_spec(borrowed(name, of=version) / "spec.json").task
    if task != "generation":
        raise ConfigError([f"{_SAMPLES}: {version} is no generator: it was trained for {task}"])
    pinned_samples = {**samples, "source": version, "digest": name}
    return {**training, "augmentation": {**augmentation, "samples": pinned_samples}}


def _source(address: str) -> dict[str, str]:
    if not address:
        raise ConfigError(
            [
                "model.source: a value is needed: a repository of the Hugging Face hub, a folder of "
                "the project, package:NAME, or models:/NAME@champion"
            ]
        )
    if address.startswith(_REGISTRY):
        version, name = _registered(address)
        return {"source": version, "digest": name}
    return {"digest": keep(_files_of(address))}


def _files_of(address: str) -> list[Path]:
    folder = _folder_of(address)
    files = [file for pattern in _FILES for file in sorted(folder.glob(pattern))]
    names = {file.name for file in files}
    if "config.json" not in names or not any(n.endswith(".safetensors") for n in names):
        raise ConfigError(
            [
                f"model.source: {address} holds no model: expected config.json and weights as "
                "safetensors (no pickle is read)"
            ]
        )
    return files


def _folder_of(address: str) -> Path:
    if address.startswith(_PACKAGE):
        try:
            return find_folder(address.removeprefix(_PACKAGE), holding="config.json")
        except DataError as error:
            raise ConfigError([f"model.source: {error}"]) from error
    if (folder := project_root() / address).is_dir():
        return folder
    return _downloaded(address)


def _downloaded(repository: str) -> Path:
    """Fetch a repository of the hub, or find it in the hub's own cache."""
    name, _, revision = repository.partition("@")
    try:
        hub = importlib.import_module("huggingface_hub")
    except ImportError as error:
        raise ConfigError(
            [f"model.source: {repository} needs the hub: pip install 'assay[pretrained]'"]
        ) from error
    try:
        return Path(
            hub.snapshot_download(name, revision=revision or None, allow_patterns=list(_FILES))
        )
    except (OSError, ValueError) as error:
        reason = " ".join(str(error).split())[:200]
        raise ConfigError(
            [
                f"model.source: {repository!r} is no folder of the project, and the hub does not "
                f"give it: {reason}"
            ]
        ) from error


def _members(model: Mapping[str, Any], data: Mapping[str, Any]) -> dict[str, Any]:
    if not model["versions"]:
        name = str(model["of"])
        problems = problems_of(model_class(name), model["settings"], where="model.settings")
        if problems:
            raise ConfigError(problems)
        return {"pins": {name: _module_digest(name)}}
    found = [_registered(str(address)) for address in model["versions"]]
    for version, name in found:
        _require_same_kind(version, name, data)
    return {"versions": [version for version, _ in found], "pins": dict(found)}


def _require_same_kind(version: str, name: str, data: Mapping[str, Any]) -> None:
    """Raise ConfigError for a member of another kind of data or task, as far as the data says."""
    spec, here = read_spec(borrowed(name, of=version) / "spec.json"), build(data, where="data")
    task = data.get("task", getattr(here, "task", "auto"))
    if spec.kind != here.kind or task not in ("auto", spec.task):
        asked = here.kind if task == "auto" else f"{task} of {here.kind}"
        raise ConfigError(
            [
                f"model.versions: {version} was trained for {spec.task} of {spec.kind} data, "
                f"this is {asked} data"
            ]
        )


def _module_digest(name: str) -> str:
    """A member's module is no dependency of the stages, so its content is part of the pins."""
    return digest(Path(assay.__file__).parent / "model" / f"{name}.py")


def _registered(address: str, *, where: str = "model") -> tuple[str, str]:
    """Return the version that an address of the registry names, and the digest of its files.

    In a process of its own: composing imports no MLflow.
    """
    paths = [str(Path(assay.__file__).parents[1]), os.environ.get("PYTHONPATH", "")]
    done = subprocess.run(
        [sys.executable, "-m", "assay.tracking.lend", address],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))},
        capture_output=True,
        text=True,
        timeout=_SECONDS,
    )
    if done.returncode:
        said = done.stderr.strip().splitlines()[-1:] or ["it cannot be fetched"]
        raise ConfigError([f"{where}: {address}: {said[0].partition(': ')[2] or said[0]}"])
    answer = json.loads(done.stdout.strip().splitlines()[-1])
    return answer["version"], answer["digest"]
