"""Turn composed YAML into objects: the one place where configuration becomes Python."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar, get_origin, get_type_hints

from hydra.errors import InstantiationException
from hydra.utils import instantiate

from assay.artifacts.files import read_yaml
from assay.config.check import checked, typed
from assay.config.space import flattened
from assay.errors import ArtifactError, ConfigError, nearest
from assay.space import Value

T = TypeVar("T")

__all__ = ["build", "instance", "load", "merged", "target_class", "typed"]

ALLOWED_TARGETS = ("assay.data.*", "assay.model.*")
_ROOMS = {"data": ("assay.data.*", "read"), "model": ("assay.model.*", "build")}


def load(cls: type[T], path: Path) -> T:
    """Return ``cls`` from the keys of a YAML file that are its fields.

    A mapping with a ``_target_`` is built, unless the field is declared as a Mapping. Raises
    ArtifactError when the file lacks a key, ConfigError with every value that does not fit.
    """
    content = read_yaml(path)
    fields = dataclasses.fields(cls)  # type: ignore[arg-type]
    missing = [f.name for f in fields if not isinstance(content, Mapping) or f.name not in content]
    if missing:
        raise ArtifactError(f"{path} lacks {', '.join(missing)}: run 'dvc repro' to make it again")
    hints = get_type_hints(cls)
    return cls(**{f.name: _field(f.name, hints[f.name], content[f.name]) for f in fields})


def _field(name: str, hint: Any, value: Any) -> Any:
    if get_origin(hint) is Mapping:
        return value
    is_built = getattr(hint, "_is_protocol", False)
    if is_built or (isinstance(value, Mapping) and "_target_" in value):
        return build(value, where=name)
    if dataclasses.is_dataclass(hint) and isinstance(value, Mapping):
        return typed(hint, value, where=name)  # type: ignore[arg-type]
    return checked(hint, value, where=name)


def instance(node: Mapping[str, Any], *, allowed: str | tuple[str, ...]) -> Any:
    """Return what Hydra makes of a ``_target_`` node, of nothing but what ``allowed`` names.

    Raises InstantiationException for another target, and what the target raises as that too.
    """
    return instantiate(dict(node), _execution_whitelist_=allowed)


def build(node: Mapping[str, Any], *, where: str = "") -> Any:
    """Return the object that a ``_target_`` node describes, its knobs checked.

    Raises ConfigError for a target outside ``ALLOWED_TARGETS`` and for knobs that do not fit.
    """
    cls = target_class(node, where=where)
    knobs = {key: value for key, value in node.items() if key != "_target_"}
    return typed(cls, knobs, where=where)


def target_class(node: Any, *, where: str = "") -> type:
    """Return the dataclass that a node's ``_target_`` names, if it is allowed.

    ``where`` ``data`` or ``model`` asks for a class of that room.
    """
    if not isinstance(node, Mapping):
        raise ConfigError([f"{where or 'configuration'}: expected keys with values, got {node!r}"])
    target, place = node.get("_target_"), f"{where or 'configuration'}._target_"
    room, verb = _ROOMS.get(where, (" or ".join(ALLOWED_TARGETS), None))
    whitelist = (room,) if verb else ALLOWED_TARGETS
    if not isinstance(target, str):
        raise ConfigError([f"{place}: expected the name of a class in {room}, got {target!r}"])
    try:
        reference = {"_target_": target, "_partial_": True}
        cls = instantiate(reference, _execution_whitelist_=whitelist).func
    except (InstantiationException, AttributeError, TypeError) as error:
        raise ConfigError([f"{place}: {target!r} is not a class in {room}"]) from error
    if not (isinstance(cls, type) and dataclasses.is_dataclass(cls)) or not _is_fit(cls, verb):
        raise ConfigError([f"{place}: {target!r} is not a dataclass of knobs"])
    return cls


def _is_fit(cls: type, verb: str | None) -> bool:
    return any(hasattr(cls, name) for name in ([verb] if verb else ("read", "build")))


def merged(node: Mapping[str, Any], values: Mapping[str, Value]) -> dict[str, Any]:
    """Return a copy of ``node`` with dotted keys set, such as ``{"training.lr": 0.01}``.

    Raises ConfigError for a dotted key that ``node`` does not have.
    """
    result: dict[str, Any] = _copy(node)
    for dotted, value in values.items():
        *parents, last = dotted.split(".")
        place: Any = result
        for parent in parents:
            place = place.get(parent) if isinstance(place, dict) else None
        if not isinstance(place, dict) or last not in place:
            names = (key for key, _ in flattened(node))
            raise ConfigError([f"{dotted}: there is no such key{nearest(dotted, names)}"])
        place[last] = value
    return result


def _copy(node: Any) -> Any:
    return {key: _copy(value) for key, value in node.items()} if isinstance(node, Mapping) else node
