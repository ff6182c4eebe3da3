"""What ``prepare`` learned from the training rows: all that a network's sizes depend on."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from assay.artifacts.files import read_json, write_json
from assay.errors import ArtifactError

Task = Literal["classification", "regression"]
Kind = Literal["table", "image"]


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
    """Images of one size: uint8, channels first; mean and std per channel, in units of 0 to 255."""

    channels: int
    height: int
    width: int
    mean: tuple[float, ...]
    std: tuple[float, ...]


@dataclass(frozen=True, kw_only=True)
class Spec:
    """What the training rows say about inputs and target.

    ``classes`` holds the classes in the order of their codes, with ``class_counts`` of the
    training rows beside it; for regression both are empty, and ``target_mean`` and
    ``target_std`` scale the target. Nothing in here depends on test rows.
    """

    task: Task
    kind: Kind
    target: str
    train_rows: int
    columns: tuple[Column, ...] = ()
    sensitive: tuple[str, ...] = ()
    image: Image | None = None
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
        """How many numbers the network ends in: one a class, or 1 for regression."""
        return len(self.classes) if self.task == "classification" else 1

    def write(self, path: Path) -> None:
        """Write the specification as JSON."""
        write_json(path, asdict(self))


def read_spec(path: Path) -> Spec:
    """Read ``spec.json``; ArtifactError where it is missing or damaged."""
    try:
        return _spec(read_json(path))
    except (KeyError, TypeError, AttributeError) as error:
        raise ArtifactError(
            f"{path} is damaged, no specification ({error}): run 'dvc repro' to make it again"
        ) from error


def _spec(values: dict[str, Any]) -> Spec:
    values["columns"] = tuple(_column(c) for c in values["columns"])
    if values["image"] is not None:
        image = values["image"]
        values["image"] = Image(
            **{**image, "mean": tuple(image["mean"]), "std": tuple(image["std"])}
        )
    values["classes"] = tuple(values["classes"])
    values["sensitive"] = tuple(values["sensitive"])
    values["class_counts"] = tuple(values["class_counts"])
    return Spec(**values)


def _column(values: dict[str, Any]) -> Column:
    return Column(**{**values, "categories": tuple(values["categories"])})
