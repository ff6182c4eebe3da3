"""Breast tumours: 569 rows, 30 measurements of cell nuclei, malignant or benign, from scikit-learn."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar, Literal

from sklearn.datasets import load_breast_cancer

from assay.data.raw import Raw, Roles
from assay.data.spec import Kind
from assay.data.splitting import Splitting


@dataclass(frozen=True, kw_only=True)
class BreastCancer:
    """The Wisconsin diagnostic set, its classes by name."""

    kind: ClassVar[Kind] = "table"
    task: ClassVar[Literal["classification"]] = "classification"
    split: Splitting = field(default_factory=Splitting)

    def read(self) -> Raw:
        """Return the 569 rows; the target is ``diagnosis``."""
        bunch = load_breast_cancer(as_frame=True)
        frame = bunch.data.assign(
            diagnosis=[str(bunch.target_names[code]) for code in bunch.target]
        )
        return Raw(
            frame=frame,
            roles=Roles(target="diagnosis"),
            task=self.task,
            source="sklearn.datasets.load_breast_cancer",
        )
