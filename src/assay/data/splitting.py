"""The knobs of a split: they are part of what a data set is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from annotated_types import Ge, Gt, Lt

SPLIT_NAMES = {
    "train": "train",
    "training": "train",
    "valid": "valid",
    "validation": "valid",
    "val": "valid",
    "dev": "valid",
    "test": "test",
    "testing": "test",
}
"""What splits are called in columns and folders."""


@dataclass(frozen=True, kw_only=True)
class Splitting:
    """How rows are divided into train, valid and test; fractions are of all rows.

    ``auto`` takes the column that already says it, else time, else group, where the data names
    one; else rows are stratified, by class or by quantiles of the number.
    """

    by: Literal["auto", "random", "stratified", "group", "time", "column"] = "auto"
    valid: Annotated[float, Gt(0), Lt(1)] = 0.15
    test: Annotated[float, Gt(0), Lt(1)] = 0.2
    seed: Annotated[int, Ge(0)] = 0
    per_class: Annotated[int, Ge(1)] | None = None

    def __post_init__(self) -> None:
        if self.valid + self.test >= 1:
            raise ValueError(
                f"valid ({self.valid:g}) and test ({self.test:g}) take every row: "
                "expected a sum below 1, so that some are left to train on"
            )
