"""What ``prepare`` learned from the training rows: all that a network's sizes depend on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, TypeVar

from assay.artifacts.files import read_json, write_json
from assay.errors import ArtifactError

Task = Literal[
    "classification",
    "multilabel",
    "regression",
    "forecasting",
    "language_modelling",
    "tagging",
    "reconstruction",
    "generation",
]
Kind = Literal["table", "image", "sequence", "text"]
Part = TypeVar("Part")

OF_STEPS: frozenset[Task] = frozenset({"language_modelling", "tagging"})
"""Tasks with an answer for each step of a row."""


@dataclass(frozen=True, kw_only=True)
class Column:
    """One input column of a table.

    A ``categorical`` column is text, stored as codes: 0 for an unknown or missing value, and
    1 to ``len(categories)`` for the categories seen in training. ``numeric`` and ``boolean``
    columns are stored as float32, unscaled, with NaN for a missing value.
    """

    name: str
    type: Literal["numeric", "boolean", "categorical"]
    categories: tuple[str, ...] = ()
    median: float = 0.0
    mean: float = 0.0
    std: float = 1.0
    missing: int = 0


@dataclass(frozen=True, kw_only=True)
class Image:
    """Images of one size: uint8, channels first; numbers per channel, in units of 0 to 255.

    ``lowest`` and ``highest`` are the ends of the levels that training rows have.
    """

    channels: int
    height: int
    width: int
    mean: tuple[float, ...]
    std: tuple[float, ...]
    lowest: tuple[int, ...] = ()
    highest: tuple[int, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Series:
    """Sequences of numbers: float32, unscaled, with NaN for a missing value.

    ``steps`` and ``shortest`` are lengths over the training rows; ``mean`` and ``std`` have one
    number a channel.
    """

    channels: tuple[str, ...]
    steps: int
    shortest: int
    mean: tuple[float, ...]
    std: tuple[float, ...]


@dataclass(frozen=True, kw_only=True)
class Text:
    """Texts as tokens: ids from 1 to ``vocabulary`` - 1, 0 after a text's end.

    ``tokenizer`` is the JSON of Hugging Face's library, trained on training rows; a text has at
    most ``steps`` tokens.
    """

    column: str
    tokenizer: str
    vocabulary: int
    steps: int


@dataclass(frozen=True, kw_only=True)
class Forecast:
    """What is forecast: ``horizon`` steps of each of ``series``, scaled by its mean and std.

    The series are the first channels of the ``window`` steps seen. ``season`` is the period of the
    naive forecast in steps, 1 for none, and ``naive`` that forecast's mean absolute error one season
    ahead over the training rows, by series (the scale of MASE: Hyndman and Koehler 2006,
    doi:10.1016/j.ijforecast.2006.03.001). With ``level: last`` networks see and forecast
    differences to the last step. ``time`` is the column of the user's table that says when, empty
    where there is none.
    """

    horizon: int
    window: int
    series: tuple[str, ...]
    level: Literal["last", "none"]
    mean: tuple[float, ...]
    std: tuple[float, ...]
    season: int
    naive: tuple[float, ...]
    time: str = ""


@dataclass(frozen=True, kw_only=True)
class Spec:
    """What the training rows say about inputs and target.

    ``classes`` holds the classes, labels or tags in the order of their codes, with ``class_counts``
    of the training rows beside it; for regression both are empty, and ``target_mean`` and
    ``target_std`` scale the target. Nothing in here depends on test rows.
    """

    task: Task
    kind: Kind
    target: str
    train_rows: int
    columns: tuple[Column, ...] = ()
    sensitive: tuple[str, ...] = ()
    image: Image | None = None
    series: Series | None = None
    text: Text | None = None
    forecast: Forecast | None = None
    classes: tuple[str | int | bool, ...] = ()
    class_counts: tuple[int, ...] = ()
    target_mean: float = 0.0
    target_std: float = 1.0

    @property
    def numeric(self) -> tuple[Column, ...]:
        """The columns stored in ``numeric.npy``, in order: numeric and boolean ones."""
        return tuple(c for c in self.columns if c.type != "categorical")

    @property
    def categorical(self) -> tuple[Column, ...]:
        """The columns stored in ``categorical.npy``, in order."""
        return tuple(c for c in self.columns if c.type == "categorical")

    @property
    def outputs(self) -> int:
        """How many numbers the network ends in, a row or a step: one a class, label or tag.

        1 for regression, each step of each series for forecasting, each token for a language
        model, and 0 where the network gives its input again.
        """
        return _OUTPUTS[self.task](self)

    def write(self, path: Path) -> None:
        """Write the specification as JSON."""
        write_json(path, asdict(self))


def _forecasts(spec: Spec) -> int:
    return spec.forecast.horizon * len(spec.forecast.series) if spec.forecast else 0


_OUTPUTS: Mapping[Task, Callable[[Spec], int]] = {
    "classification": lambda spec: len(spec.classes),
    "multilabel": lambda spec: len(spec.classes),
    "regression": lambda spec: 1,
    "forecasting": _forecasts,
    "language_modelling": lambda spec: spec.text.vocabulary if spec.text else 0,
    "tagging": lambda spec: len(spec.classes),
    "reconstruction": lambda spec: 0,
    "generation": lambda spec: 0,
}


def required(part: Part | None) -> Part:
    """Return what a kind or task cannot do without; ArtifactError where it lacks."""
    if part is None:
        raise ArtifactError(
            "spec.json lacks what its kind of data or its task needs: run 'dvc repro' to make it again"
        )
    return part


_PARTS: Mapping[str, type] = {
    "image": Image,
    "series": Series,
    "text": Text,
    "forecast": Forecast,
}


def read_spec(path: Path) -> Spec:
    """Read ``spec.json``; ArtifactError where it is missing or damaged."""
    try:
        return _spec(read_json(path))
    except (KeyError, TypeError, AttributeError) as error:
        raise ArtifactError(
            f"{path} is damaged, no specification ({error}): run 'dvc repro' to make it again"
        ) from error


def _spec(values: dict[str, Any]) -> Spec:
    parts = {
        name: cls(**_with_tuples(values[name]))
        for name, cls in _PARTS.items()
        if values[name] is not None
    }
    columns = tuple(Column(**_with_tuples(column)) for column in values["columns"])
    found = Spec(**{**_with_tuples(values), **parts, "columns": columns})
    if found.task not in _OUTPUTS:
        raise TypeError(f"there is no task {found.task!r}")
    return found


def _with_tuples(values: dict[str, Any]) -> dict[str, Any]:
    return {name: tuple(v) if isinstance(v, list) else v for name, v in values.items()}
