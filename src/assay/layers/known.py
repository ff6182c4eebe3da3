"""Models by name, for those that build on another: its knobs, its network, and the weights of one."""

from __future__ import annotations

import dataclasses
import importlib
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from torch import nn

from assay.errors import ConfigError, nearest
from assay.layers.adapters import adapter
from assay.layers.shape import Model, Shape

_ROOM = "assay.model"


def model_class(name: str) -> type[Model]:
    """Return the knobs of the model called ``name``; ConfigError with the nearest where there is none."""
    if not name.isidentifier() or name not in (names := _names()):
        raise ConfigError([f"model: there is no model {name!r}{nearest(name, names)}"])
    module = importlib.import_module(f"{_ROOM}.{name}")
    own: list[type[Model]] = [v for v in vars(module).values() if _is_knobs(v, module.__name__)]
    return next(cls for cls in own if cls.__name__.lower() == name.replace("_", ""))


def known_model(name: str, settings: Mapping[str, Any]) -> Model:
    """Return the knobs of a model with some of them set; ConfigError for one that it does not have."""
    cls = model_class(name)
    fields = [f.name for f in dataclasses.fields(cls)]  # type: ignore[arg-type]
    problems = [
        f"model.settings.{key}: {name} has no such knob{nearest(key, fields)}"
        for key in settings
        if key not in fields
    ]
    if problems:
        raise ConfigError(problems)
    return cls(**settings)


def adapted_body(model: Model, shape: Shape, outputs: int) -> nn.Module:
    """Return a model's body for any kind of input that can be turned into one it takes."""
    name = type(model).__name__.lower()
    turn, taken = adapter(shape, takes=model.takes, name=name)
    asked = dataclasses.replace(
        taken, gives=shape.gives, is_causal=shape.is_causal, answers=shape.answers
    )
    return _Adapted(turn, model.build(asked, outputs))


class _Adapted(nn.Module):
    def __init__(self, turn: nn.Module, body: nn.Module) -> None:
        super().__init__()
        self.turn, self.body = turn, body

    def forward(self, *given: Any) -> Any:
        return self.body(*self.turn(*given))


def _names() -> Sequence[str]:
    place = find_spec(_ROOM)
    folders = (place.submodule_search_locations or []) if place else []
    return sorted(p.stem for folder in folders for p in Path(folder).glob("[a-z]*.py"))


def _is_knobs(value: Any, module: str) -> bool:
    is_own = isinstance(value, type) and value.__module__ == module
    return is_own and dataclasses.is_dataclass(value) and hasattr(value, "build")
