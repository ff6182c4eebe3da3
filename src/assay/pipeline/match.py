"""Which models can be given which data, told from their modules before anything runs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from assay.artifacts.files import read_yaml
from assay.config.load import target_class
from assay.data.spec import Kind
from assay.errors import ConfigError
from assay.layers.adapters import can_adapt
from assay.layers.shape import InputKind

_GIVES: dict[Kind, InputKind] = {"table": "vector", "image": "image"}


def models_for(kind: Kind, *, conf: Path) -> list[str]:
    """Return the names of the models in ``conf/model`` that can be given this kind of data."""
    return [
        file.stem
        for file in sorted((conf / "model").glob("*.yaml"))
        if _can_take(read_yaml(file), kind)
    ]


def require_match(config: Mapping[str, Any], *, conf: Path) -> None:
    """Raise ConfigError when the chosen model cannot be given the chosen data."""
    data: Any = target_class(config["data"], where="data")
    if _can_take(config["model"], data.kind):
        return
    choices = config["choices"]
    fitting = ", ".join(models_for(data.kind, conf=conf))
    raise ConfigError(
        [
            f"model: '{choices['model']}' cannot take {data.kind} data such as '{choices['data']}'; "
            f"these can: {fitting}"
        ]
    )


def _can_take(node: Mapping[str, Any], kind: Kind) -> bool:
    model: Any = target_class(node, where="model")
    return can_adapt(_GIVES[kind], model.takes)
