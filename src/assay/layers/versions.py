"""Bodies of registered versions, rebuilt from what was kept beside their graphs."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import nn

from assay.artifacts.borrowed import borrowed
from assay.artifacts.files import read_yaml
from assay.data.spec import Spec, read_spec
from assay.errors import ArtifactError, ConfigError
from assay.layers.known import adapted_body, known_model
from assay.layers.network import Network
from assay.layers.shape import Model, Shape

WEIGHTS, EFFECTIVE, SPEC = "weights.safetensors", "effective.yaml", "spec.json"
_BODY = "body."
_ROUNDING = 1e-6
_WORDS = 60


def version_body(version: str, digest: str | None, shape: Shape, outputs: int) -> nn.Module:
    """Return the body of a registered version with its weights, none of which is trained further.

    Raises ConfigError when it was made for other inputs or classes than ``shape`` and ``outputs``.
    """
    body = version_network(version, digest, shape=shape)
    found = read_spec(borrowed(digest, of=version) / SPEC).outputs
    if found != outputs:
        raise ConfigError(
            [f"model.versions: {version} ends in {found} outputs, this data asks for {outputs}"]
        )
    return body.requires_grad_(False)


def require_same_rows(model: Model, spec: Spec) -> None:
    """Raise ConfigError where a member of ``model`` was trained on other rows than ``spec`` is of.

    Rows that are tested now may have been among them. Numbers of another machine may differ by
    rounding. A model without registered members passes.
    """
    for version in getattr(model, "versions", ()):
        found = read_spec(borrowed(getattr(model, "pins", {}).get(version), of=version) / SPEC)
        if other := next(_others("", _rows(found), _rows(spec)), None):
            key, then, now = other
            raise ConfigError(
                [
                    f"model.versions: {version} was trained on other rows than these, and rows of the "
                    f"test split may be among them: {key} is {_short(then)} there, {_short(now)} here. "
                    "Take versions of the same data, split and seed of the split"
                ]
            )


def version_network(
    version: str, digest: str | None, *, shape: Shape, is_trained: bool = True
) -> nn.Module:
    """Return the body of a registered version with its own outputs, from inputs of ``shape``.

    Unless ``is_trained``, its weights are fresh.
    Raises ConfigError where its weights do not fit inputs of that shape.
    """
    folder = borrowed(digest, of=version)
    body = adapted_body(_model(folder), shape, read_spec(folder / SPEC).outputs)
    if is_trained:
        _load(body, folder / WEIGHTS, version)
    return body


def version_generator(version: str, digest: str | None) -> tuple[Network, Spec]:
    """Return a registered generator, whole and with its judge, and what its training rows said.

    Raises ConfigError for a version of another task. No random state is touched.
    """
    folder = borrowed(digest, of=version)
    spec = read_spec(folder / SPEC)
    if spec.task != "generation":
        raise ConfigError([f"model: {version} is no generator: it was trained for {spec.task}"])
    with torch.random.fork_rng(devices=[]):
        network = Network(spec=spec, model=_model(folder))
    try:
        network.load_state_dict(load_file(folder / WEIGHTS))
    except (SafetensorError, OSError, RuntimeError) as error:
        reason = " ".join(str(error).split())[:300]
        raise ArtifactError(f"{folder / WEIGHTS} cannot be read: {reason}") from error
    return network.eval().requires_grad_(False), spec


def _rows(spec: Spec) -> dict[str, Any]:
    """Return what depends on the training rows: which columns are sensitive does not."""
    return {name: value for name, value in asdict(spec).items() if name != "sensitive"}


def _others(key: str, then: Any, now: Any) -> Iterator[tuple[str, Any, Any]]:
    """Yield where two specifications differ: the key, and both values."""
    if isinstance(then, dict) and isinstance(now, dict):
        for name in then:
            yield from _others(f"{key}.{name}".lstrip("."), then[name], now[name])
    elif isinstance(then, tuple) and isinstance(now, tuple) and len(then) == len(now):
        for place, pair in enumerate(zip(then, now, strict=True)):
            yield from _others(f"{key}[{place}]", *pair)
    elif isinstance(then, float) and isinstance(now, float):
        if not math.isclose(then, now, rel_tol=_ROUNDING, abs_tol=_ROUNDING):
            yield key, then, now
    elif then != now:
        yield key, then, now


def _short(value: Any) -> str:
    said = f"{value:.6g}" if isinstance(value, float) else str(value)
    return said if len(said) <= _WORDS else f"{said[:_WORDS]}..."


def _model(folder: Path) -> Model:
    node: Any = read_yaml(folder / EFFECTIVE)["model"]
    name = str(node["_target_"]).rsplit(".", 2)[-2]
    return known_model(name, {k: v for k, v in node.items() if k != "_target_"})


def _load(body: nn.Module, file: Path, version: str) -> None:
    try:
        weights = {n.removeprefix(_BODY): t for n, t in load_file(file).items()}
        inner: Any = body.body
        inner.load_state_dict(weights)
    except (SafetensorError, FileNotFoundError) as error:
        raise ArtifactError(f"{file} cannot be read: {error}") from error
    except RuntimeError as error:
        reason = " ".join(str(error).split())[:300]
        raise ConfigError([f"model: {version} does not fit these inputs: {reason}"]) from error
