"""Which models can be given which data, told from their modules before anything runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, get_args

from assay.artifacts.files import read_yaml
from assay.augmentation.knobs import Augmentation
from assay.config.load import build, target_class
from assay.data.spec import Kind, Task
from assay.errors import ConfigError
from assay.layers.adapters import can_adapt
from assay.layers.shape import InputKind, form_of, forms_of

_GIVES: dict[Kind, InputKind] = {
    "table": "vector",
    "image": "image",
    "sequence": "sequence",
    "text": "tokens",
}


_SAMPLES = "samples"


def models_for(kind: Kind, *, conf: Path, task: str = "auto") -> list[str]:
    """Return the names of the models in ``conf/model`` for this kind of data, and a task on it."""
    return [
        file.stem
        for file in sorted((conf / "model").glob("*.yaml"))
        if _can_take(read_yaml(file), kind, task)
    ]


def preferred_for(kind: Kind, *, conf: Path, task: str = "auto") -> list[str]:
    """Return what ``models_for`` does, those first that were made for this kind, and for few others."""

    def distance(name: str) -> tuple[bool, int]:
        model: Any = target_class(read_yaml(conf / "model" / f"{name}.yaml"), where="model")
        return _GIVES[kind] not in model.takes, len(model.takes)

    return sorted(models_for(kind, conf=conf, task=task), key=distance)


def require_match(config: Mapping[str, Any], *, conf: Path) -> None:
    """Raise ConfigError when the chosen model cannot be given the chosen data.

    So it does when a model's option and module differ in name: stages depend on the module by it.
    """
    _require_one_name(config)
    data: Any = build(config["data"], where="data")
    _require_own_augmentation(config, data.kind)
    task = config["data"].get("task", getattr(data, "task", "auto"))
    _require_own_samples(config, data.kind, task)
    if _can_take(config["model"], data.kind, task):
        return
    choices = config["choices"]
    fitting = ", ".join(models_for(data.kind, conf=conf, task=task)) or "none"
    is_of_kind = _can_take(config["model"], data.kind, "auto")  # else the task is not what is wrong
    asked = f"{task.replace('_', ' ')} on " if is_of_kind and task != "auto" else ""
    raise ConfigError(
        [
            f"model: '{choices['model']}' cannot take {asked}{data.kind} data such as '{choices['data']}'; "
            f"these can: {fitting}"
        ]
    )


def others_changed(augmentation: Mapping[str, Any], kind: Kind) -> list[str]:
    """Return the kinds of data other than ``kind`` that an augmentation changes."""
    nothing = asdict(Augmentation())
    return [
        p
        for p in nothing
        if p not in (kind, _SAMPLES) and augmentation.get(p, nothing[p]) != nothing[p]
    ]


def _require_own_augmentation(config: Mapping[str, Any], kind: Kind) -> None:
    """Raise ConfigError for an augmentation that concerns another kind of data and would do nothing."""
    if others := others_changed(config["training"]["augmentation"], kind):
        name, data = config["choices"].get("augmentation"), config["choices"]["data"]
        raise ConfigError(
            [
                f"augmentation: '{name}' changes {' and '.join(others)} data; '{data}' is {kind} data: "
                "choose none, or an option for this kind"
            ]
        )


def _require_own_samples(config: Mapping[str, Any], kind: Kind, task: Any) -> None:
    """Raise ConfigError for samples of a generator where they would be no training rows."""
    source = config["training"]["augmentation"].get(_SAMPLES, {}).get("source")
    if source and (kind != "image" or task not in ("auto", "classification")):
        asked = "" if task == "auto" else f"{task.replace('_', ' ')} of "
        raise ConfigError(
            [
                f"training.augmentation.samples.source: {source} makes images with classes; "
                f"{asked}{kind} data such as '{config['choices']['data']}' takes none: set it to null"
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


def _can_take(node: Mapping[str, Any], kind: Kind, task: Any) -> bool:
    """Whether the model takes the kind, and gives the form that the task asks for."""
    model: Any = target_class(node, where="model")
    form = form_of(task) if task in get_args(Task) else "row"
    return can_adapt(_GIVES[kind], model.takes) and form in forms_of(model)
