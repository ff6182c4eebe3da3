"""Nine speakers: 640 utterances of 7 to 29 steps and twelve numbers a step, from the package aeon."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar, Literal

import pandas as pd

from assay.data.carrier import find_file
from assay.data.ragged import ragged
from assay.data.raw import Raw, Roles
from assay.data.spec import Kind
from assay.data.splitting import Splitting
from assay.data.ts import read_ts

_FOLDER = "aeon/datasets/data/JapaneseVowels"
_CHANNELS = (*(f"lpc_{i}" for i in range(1, 13)),)


@dataclass(frozen=True, kw_only=True)
class JapaneseVowels:
    """Both parts of the set together, divided anew: its own test rows are no secret."""

    kind: ClassVar[Kind] = "sequence"
    task: ClassVar[Literal["classification"]] = "classification"
    split: Splitting = field(default_factory=Splitting)

    def read(self) -> Raw:
        """Return every row with its speaker; DataError where aeon is not installed."""
        parts = [
            find_file("aeon", path=f"{_FOLDER}/JapaneseVowels_{part}.ts")
            for part in ("TRAIN", "TEST")
        ]
        read = [read_ts(path) for path in parts]
        return Raw(
            frame=pd.DataFrame({"speaker": [label for _, labels in read for label in labels]}),
            roles=Roles(target="speaker"),
            task=self.task,
            series=ragged([row for rows, _ in read for row in rows]),
            channels=_CHANNELS,
            source=_FOLDER,
        )
