"""Diabetes: 442 patients, ten measurements, disease progression after a year, from scikit-learn."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar, Literal

from sklearn.datasets import load_diabetes

from assay.data.raw import Raw, Roles
from assay.data.spec import Kind
from assay.data.splitting import Splitting


@dataclass(frozen=True, kw_only=True)
class Diabetes:
    """The measurements in their own units, not scikit-learn's scaled ones."""

    kind: ClassVar[Kind] = "table"
    task: ClassVar[Literal["regression"]] = "regression"
    split: Splitting = field(default_factory=Splitting)

    def read(self) -> Raw:
        """Return the 442 rows; the target is ``progression``."""
        bunch = load_diabetes(as_frame=True, scaled=False)
        return Raw(
            frame=bunch.data.assign(progression=bunch.target),
            roles=Roles(target="progression"),
            task=self.task,
            source="sklearn.datasets.load_diabetes",
        )
