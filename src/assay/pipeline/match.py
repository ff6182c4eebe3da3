"""Which models can be given which data, told from their modules before anything runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from assay.artifacts.files import read_yaml
from assay.augmentation.knobs import Augmentation
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
    """Raise ConfigError when the chosen model cannot be given the chosen data.

    So it does when a model's option and module differ in name: stages depend on the module by it.
    """
    _require_one_name(config)
    data: Any = target_class(config["data"], where="data")
    _require_own_augmentation(config, data.kind)
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


def _require_own_augmentation(config: Mapping[str, Any], kind: Kind) -> None:
    """Raise ConfigError for an augmentation that concerns another kind of data and would do nothing."""
    chosen, nothing = config["training"]["augmentation"], asdict(Augmentation())
    others = [part for part in chosen if part != kind and chosen[part] != nothing[part]]
    if others:
        name, data = config["choices"].get("augmentation"), config["choices"]["data"]
        raise ConfigError(
            [
                f"augmentation: '{name}' changes {' and '.join(others)} data; '{data}' is {kind} data: "
                "choose none, or an option for this kind"
            ]
        )


def _require_one_name(config: Mapping[str, Any]) -> None:
    name, target = config["choices"]["model"], str(config["model"]["_target_"])
    module = target.rsplit(".", 1)[0].rsplit(".", 1)[-1]
    if module != name:
        raise ConfigError(
            [
                f"model: the option '{name}' builds {target}, but an option has its module's name: "
                f"choose '{module}' and set what differs, or write src/assay/model/{name}.py"
            ]
        )


def _can_take(node: Mapping[str, Any], kind: Kind) -> bool:
    model: Any = target_class(node, where="model")
    return can_adapt(_GIVES[kind], model.takes)
