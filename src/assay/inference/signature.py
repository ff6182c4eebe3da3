"""What the exported graph takes and gives, in words that a caller can act on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

from assay.artifacts.files import read_json, write_json
from assay.data.prepared import LENGTHS
from assay.data.spec import Column, Forecast, Kind, Spec, Task, Text, required
from assay.errors import ArtifactError

PREDICTION, PROBABILITY, IMAGE = "prediction", "probability", "image"
SCORE, ANOMALY, RECONSTRUCTION, GIVEN = "score", "anomaly", "reconstruction", "given"
SEQUENCE, TOKENS, NOISE = "sequence", "tokens", "noise"
LIKELIHOOD = "log_likelihood"
Label = str | int | bool
Holds = Literal[
    "numeric", "boolean", "categorical", "image", "sequence", "tokens", "lengths", "noise", "output"
]

_MISSING_NUMBER = "NaN is a missing value: it becomes the column's median"
_MISSING_TEXT = "an unknown or missing (empty) category counts as none of them (code 0)"


@dataclass(frozen=True, kw_only=True)
class Tensor:
    """An input or output: its ONNX element type and its shape, -1 for the free number of rows.

    ``holds`` is what a column means (numeric, boolean, categorical), else what the whole is.
    ``categories`` are those that a categorical column had in training.
    """

    name: str
    type: Literal["double", "float", "string", "int64", "bool", "uint8"]
    shape: tuple[int, ...] = (-1,)
    holds: Holds = "output"
    note: str = ""
    categories: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Signature:
    """Inputs, outputs and classes of an exported graph; classes in the order of their codes.

    ``text`` is how a text becomes tokens, ``channels`` what a sequence's columns are called,
    ``threshold`` the score above which a row is flagged as an anomaly, ``thresholds`` the probability
    above which a row is given each of several labels, ``forecast`` what is forecast. ``weights`` are
    what each class's probability is multiplied by before the largest decides, and ``costs`` those of
    taking a row of the class for another, for which the weights were chosen; empty for none.
    """

    task: Task
    kind: Kind
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    classes: tuple[Label, ...] = ()
    text: Text | None = None
    channels: tuple[str, ...] = ()
    threshold: float | None = None
    thresholds: tuple[float, ...] = ()
    forecast: Forecast | None = None
    weights: tuple[float, ...] = ()
    costs: tuple[float, ...] = ()

    @property
    def naive(self) -> tuple[float, ...]:
        """The scale of each series that is forecast."""
        return self.forecast.naive if self.forecast else ()

    def write(self, path: Path) -> None:
        """Write the signature as JSON."""
        write_json(path, asdict(self))


def signature_of(
    spec: Spec,
    *,
    threshold: float | None = None,
    thresholds: tuple[float, ...] = (),
    weights: tuple[float, ...] = (),
    costs: tuple[float, ...] = (),
    latent: int | None = None,
) -> Signature:
    """Return the signature of the graph that a specification leads to.

    ``threshold`` is that of a reconstruction, ``thresholds`` those of labels, ``weights`` and ``costs``
    those of classes, ``latent`` the size of a generator's noise.
    """
    return Signature(
        task=spec.task,
        kind=spec.kind,
        inputs=_noise_inputs(latent) if latent else _INPUTS[spec.kind](spec),
        outputs=_decided(_OUTPUTS[spec.task](spec)) if weights else _OUTPUTS[spec.task](spec),
        classes=spec.classes,
        text=spec.text,
        channels=spec.series.channels if spec.series else (),
        threshold=threshold,
        thresholds=thresholds,
        forecast=spec.forecast,
        weights=weights,
        costs=costs,
    )


def feature_names(spec: Spec) -> list[str]:
    """Return the names of a table's features as the network's first layer orders them."""
    flags = [f"{c.name} is missing" for c in spec.numeric if c.missing > 0]
    codes = [f"{c.name} = {category}" for c in spec.categorical for category in c.categories]
    return [*(c.name for c in spec.numeric), *flags, *codes]


def _column_inputs(spec: Spec) -> tuple[Tensor, ...]:
    return tuple(_column_input(column) for column in spec.columns)


def _sequence_inputs(spec: Spec) -> tuple[Tensor, ...]:
    channels = len(required(spec.series).channels)
    note = (
        "rows, steps, channels; NaN is a missing value, and what lies after a row's end is not read"
    )
    steps = Tensor(
        name=SEQUENCE, type="float", shape=(-1, -1, channels), holds="sequence", note=note
    )
    return steps, _LENGTHS


def _token_inputs(spec: Spec) -> tuple[Tensor, ...]:
    note = "rows, ids of tokens; what lies after a row's end is not read"
    return Tensor(name=TOKENS, type="int64", shape=(-1, -1), holds="tokens", note=note), _LENGTHS


def _image_inputs(spec: Spec) -> tuple[Tensor, ...]:
    image = required(spec.image)
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


def _value_outputs(spec: Spec) -> tuple[Tensor, ...]:
    return (Tensor(name=PREDICTION, type="float", note=f"'{spec.target}' in its own unit"),)


def _class_outputs(spec: Spec) -> tuple[Tensor, ...]:
    note = "one column a class, in the order of 'classes'"
    return (
        Tensor(name=PREDICTION, type=label_type(spec.classes), note="the most probable class"),
        Tensor(name=PROBABILITY, type="float", shape=(-1, len(spec.classes)), note=note),
    )


def _decided(outputs: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    """Say of the predicted class that costs decide it."""
    note = "the class whose probability times its own of 'weights' is largest"
    return (replace(outputs[0], note=note), *outputs[1:])


def _text_outputs(spec: Spec) -> tuple[Tensor, ...]:
    size = required(spec.text).vocabulary
    of = "of all tokens but the first, given those before, in nats"
    return (
        Tensor(name=PREDICTION, type="int64", note="the most probable next token"),
        Tensor(name=PROBABILITY, type="float", shape=(-1, size), note="of the next token"),
        Tensor(name=LIKELIHOOD, type="float", note=f"the logarithm of the probability {of}"),
    )


def _tag_outputs(spec: Spec) -> tuple[Tensor, ...]:
    note = "of each step, one column a tag, in the order of 'classes'"
    shape = (-1, -1, len(spec.classes))
    return (
        Tensor(name=PREDICTION, type="string", shape=(-1, -1), note="each step's likeliest tag"),
        Tensor(name=PROBABILITY, type="float", shape=shape, note=note),
    )


def _noise_inputs(latent: int) -> tuple[Tensor, ...]:
    note = "independent numbers of the standard normal distribution"
    return (Tensor(name=NOISE, type="float", shape=(-1, latent), holds="noise", note=note),)


def _sample_outputs(spec: Spec) -> tuple[Tensor, ...]:
    (image,) = _image_inputs(spec)
    return (replace(image, holds="output", note="rows, channels, height, width; generated"),)


def _anomaly_outputs(spec: Spec) -> tuple[Tensor, ...]:
    of = "of each feature, in standard deviations"
    return (
        Tensor(
            name=SCORE, type="float", note="the mean square error, in variances of the features"
        ),
        Tensor(name=ANOMALY, type="bool", note="whether the score lies above 'threshold'"),
        Tensor(name=RECONSTRUCTION, type="float", shape=(-1, -1), note=f"what came back {of}"),
        Tensor(name=GIVEN, type="float", shape=(-1, -1), note=f"what was given {of}"),
    )


def _label_outputs(spec: Spec) -> tuple[Tensor, ...]:
    shape, note = (-1, len(spec.classes)), "one column a label, in the order of 'classes'"
    given = f"1 where the probability lies above the label's own of 'thresholds'; {note}"
    return (
        Tensor(name=PREDICTION, type="int64", shape=shape, note=given),
        Tensor(name=PROBABILITY, type="float", shape=shape, note=note),
    )


def _forecast_outputs(spec: Spec) -> tuple[Tensor, ...]:
    of = required(spec.forecast)
    note = (
        f"rows, the next {of.horizon} steps, series in the order of 'forecast'; in their own units"
    )
    shape = (-1, of.horizon, len(of.series))
    return (Tensor(name=PREDICTION, type="float", shape=shape, note=note),)


def label_type(classes: tuple[Label, ...]) -> Literal["bool", "int64", "string"]:
    """Return the element type of predicted classes: the user's own."""
    if all(isinstance(c, bool) for c in classes):
        return "bool"
    return "int64" if all(isinstance(c, int) for c in classes) else "string"


_LENGTHS = Tensor(
    name=LENGTHS, type="int64", holds="lengths", note="how many steps each row has, at least 1"
)
_INPUTS: Mapping[Kind, Callable[[Spec], tuple[Tensor, ...]]] = {
    "table": _column_inputs,
    "image": _image_inputs,
    "sequence": _sequence_inputs,
    "text": _token_inputs,
}
_OUTPUTS: Mapping[Task, Callable[[Spec], tuple[Tensor, ...]]] = {
    "language_modelling": _text_outputs,
    "tagging": _tag_outputs,
    "classification": _class_outputs,
    "multilabel": _label_outputs,
    "regression": _value_outputs,
    "forecasting": _forecast_outputs,
    "reconstruction": _anomaly_outputs,
    "generation": _sample_outputs,
}


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
            text=Text(**values["text"]) if values.get("text") else None,
            channels=tuple(values.get("channels", ())),
            threshold=values.get("threshold"),
            thresholds=tuple(values.get("thresholds", ())),
            forecast=_forecast(values["forecast"]) if values.get("forecast") else None,
            weights=tuple(values.get("weights", ())),
            costs=tuple(values.get("costs", ())),
        )
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise ArtifactError(f"{path} is damaged, no signature of a graph: {error}") from error


def _forecast(values: dict[str, Any]) -> Forecast:
    parts: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in values.items()}
    return Forecast(**parts)


def _tensor(values: dict[str, Any]) -> Tensor:
    lists = {"shape": tuple(values["shape"]), "categories": tuple(values.get("categories", ()))}
    return Tensor(**{**values, **lists})
