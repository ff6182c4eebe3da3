"""Turn composed YAML into objects: the one place where configuration becomes Python."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from hydra.errors import InstantiationException
from hydra.utils import instantiate

from assay.artifacts.files import read_yaml
from assay.config.check import typed as typed
from assay.errors import ArtifactError, ConfigError
from assay.space import Value

T = TypeVar("T")

ALLOWED_TARGETS = ("assay.data.*", "assay.model.*")


def load(cls: type[T], path: Path) -> T:
    """Return ``cls`` from the keys of a YAML file that are its fields.

    A mapping with a ``_target_`` is built, unless the field is declared as a Mapping. Raises
    ArtifactError when the file lacks a key, ConfigError when a value does not fit.
    """
    content = read_yaml(path)
    names = [f.name for f in dataclasses.fields(cls)]  # type: ignore[arg-type]
    missing = [name for name in names if not isinstance(content, Mapping) or name not in content]
    if missing:
        raise ArtifactError(f"{path} lacks {', '.join(missing)}: run 'dvc repro' to make it again")
    raw = {f.name for f in dataclasses.fields(cls) if str(f.type).startswith("Mapping")}  # type: ignore[arg-type]
    plain, built = {}, {}
    for name in names:
        is_built = name not in raw and isinstance(content[name], Mapping) and "_target_" in content[name]
        (built if is_built else plain)[name] = content[name]
    if not built:
        return typed(cls, plain)
    return cls(**_typed_fields(cls, plain), **{name: build(node, where=name) for name, node in built.items()})


def _typed_fields(cls: type, values: Mapping[str, Any]) -> dict[str, Any]:
    from_fields = [(f.name, f.type) for f in dataclasses.fields(cls) if f.name in values]
    partial = dataclasses.make_dataclass(cls.__name__, from_fields, kw_only=True, module=cls.__module__)
    part = typed(partial, values)
    return {name: getattr(part, name) for name in values}


def build(node: Mapping[str, Any], *, where: str = "") -> Any:
    """Return the object that a ``_target_`` node describes, its knobs checked.

    Raises ConfigError for a target outside ``ALLOWED_TARGETS`` and for knobs that do not fit.
    """
    knobs = {key: value for key, value in node.items() if key != "_target_"}
    return typed(target_class(node, where=where), knobs, where=where)


def target_class(node: Mapping[str, Any], *, where: str = "") -> type:
    """Return the dataclass that a node's ``_target_`` names, if it is allowed."""
    target = node.get("_target_")
    reference = {"_target_": target, "_partial_": True}
    try:
        cls = instantiate(reference, _execution_whitelist_=ALLOWED_TARGETS).func
    except (InstantiationException, AttributeError, TypeError) as error:
        allowed = " or ".join(ALLOWED_TARGETS)
        raise ConfigError(
            [f"{where or 'configuration'}._target_: {target!r} is not a class in {allowed}"]
        ) from error
    if not (isinstance(cls, type) and dataclasses.is_dataclass(cls)):
        raise ConfigError([f"{where}._target_: {target!r} is not a dataclass of knobs"])
    return cls


def merged(node: Mapping[str, Any], values: Mapping[str, Value]) -> dict[str, Any]:
    """Return a copy of ``node`` with dotted keys set, such as ``{"training.lr": 0.01}``.

    Raises ConfigError for a dotted key that ``node`` does not have.
    """
    result = _copy(node)
    for dotted, value in values.items():
        *parents, last = dotted.split(".")
        place = result
        for parent in parents:
            place = place.get(parent) if isinstance(place, dict) else None  # type: ignore[assignment]
        if not isinstance(place, dict) or last not in place:
            raise ConfigError([f"{dotted}: there is no such key"])
        place[last] = value
    return result


def _copy(node: Any) -> Any:
    return {key: _copy(value) for key, value in node.items()} if isinstance(node, Mapping) else node
