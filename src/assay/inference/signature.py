"""What the exported graph takes and gives, in words that a caller can act on."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from assay.artifacts.files import read_json, write_json
from assay.data.spec import Column, Image, Kind, Spec, Task
from assay.errors import ArtifactError

PREDICTION, PROBABILITY, IMAGE = "prediction", "probability", "image"
Label = str | int | bool

_MISSING_NUMBER = "NaN is a missing value: it becomes the column's median"
_MISSING_TEXT = "an unknown or missing (empty) category counts as none of them (code 0)"


@dataclass(frozen=True, kw_only=True)
class Tensor:
    """An input or output: its ONNX element type and its shape, -1 for the free number of rows.

    ``holds`` is what a column means (numeric, boolean, categorical), else ``image`` or ``output``.
    ``categories`` are those that a categorical column had in training.
    """

    name: str
    type: Literal["double", "float", "string", "int64", "bool", "uint8"]
    shape: tuple[int, ...] = (-1,)
    holds: Literal["numeric", "boolean", "categorical", "image", "output"] = "output"
    note: str = ""
    categories: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Signature:
    """Inputs, outputs and classes of an exported graph; classes in the order of their codes."""

    task: Task
    kind: Kind
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    classes: tuple[Label, ...] = ()

    def write(self, path: Path) -> None:
        """Write the signature as JSON."""
        write_json(path, asdict(self))


def signature_of(spec: Spec) -> Signature:
    """Return the signature of the graph that a specification leads to."""
    return Signature(
        task=spec.task,
        kind=spec.kind,
        inputs=_image_input(spec.image)
        if spec.image
        else tuple(_column_input(c) for c in spec.columns),
        outputs=_outputs(spec),
        classes=spec.classes,
    )


def _image_input(image: Image) -> tuple[Tensor, ...]:
    shape = (-1, image.channels, image.height, image.width)
    note = "rows, channels, height, width; values 0 to 255"
    return (Tensor(name=IMAGE, type="uint8", shape=shape, holds="image", note=note),)


def _column_input(column: Column) -> Tensor:
    if column.type != "categorical":
        return Tensor(name=column.name, type="double", holds=column.type, note=_MISSING_NUMBER)
    return Tensor(
        name=column.name,
        type="string",
        holds="categorical",
        note=_MISSING_TEXT,
        categories=column.categories,
    )


def _outputs(spec: Spec) -> tuple[Tensor, ...]:
    if spec.task == "regression":
        return (Tensor(name=PREDICTION, type="float", note=f"'{spec.target}' in its own unit"),)
    note = "one column a class, in the order of 'classes'"
    return (
        Tensor(name=PREDICTION, type=label_type(spec.classes), note="the most probable class"),
        Tensor(name=PROBABILITY, type="float", shape=(-1, len(spec.classes)), note=note),
    )


def label_type(classes: tuple[Label, ...]) -> Literal["bool", "int64", "string"]:
    """Return the element type of predicted classes: the user's own."""
    if all(isinstance(c, bool) for c in classes):
        return "bool"
    return "int64" if all(isinstance(c, int) for c in classes) else "string"


def read_signature(path: Path) -> Signature:
    """Read ``signature.json``; ArtifactError where it is missing or damaged."""
    values: Any = read_json(path)
    try:
        return Signature(
            task=values["task"],
            kind=values["kind"],
            inputs=tuple(_tensor(t) for t in values["inputs"]),
            outputs=tuple(_tensor(t) for t in values["outputs"]),
            classes=tuple(values["classes"]),
        )
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise ArtifactError(f"{path} is damaged, no signature of a graph: {error}") from error


def _tensor(values: dict[str, Any]) -> Tensor:
    lists = {"shape": tuple(values["shape"]), "categories": tuple(values.get("categories", ()))}
    return Tensor(**{**values, **lists})
