"""Handwritten digits: 1797 grey images of 8 by 8, ten classes, from scikit-learn."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
import pandas as pd
from sklearn.datasets import load_digits

from assay.data.raw import ImageTask, Raw, Roles
from assay.data.spec import Kind
from assay.data.splitting import Splitting


@dataclass(frozen=True, kw_only=True)
class Digits:
    """Pixels from 0 to 16, as scikit-learn gives them."""

    kind: ClassVar[Kind] = "image"
    task: ImageTask = "classification"
    anomalies: tuple[int, ...] = ()
    split: Splitting = field(default_factory=Splitting)

    def read(self) -> Raw:
        """Return the 1797 images and their digits."""
        bunch = load_digits()
        return Raw(
            frame=pd.DataFrame({"digit": bunch.target.astype(np.int64)}),
            roles=Roles(target="digit"),
            task=self.task,
            anomalies=tuple(self.anomalies),
            images=bunch.images.astype(np.uint8)[:, None],
            source="sklearn.datasets.load_digits",
        )
