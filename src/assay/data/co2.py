"""Carbon dioxide at Mauna Loa: 2284 weeks from 1958 to 2001, with gaps, from the package statsmodels."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar, Literal

import pandas as pd

from assay.data.axis import on_regular_axis
from assay.data.carrier import find_file
from assay.data.raw import Raw
from assay.data.spec import Kind
from assay.data.splitting import Splitting
from assay.data.windows import Windows, cut

_FILE = "statsmodels/datasets/co2/co2.csv"


@dataclass(frozen=True, kw_only=True)
class Co2:
    """Weekly means in parts per million; the past divides from the future."""

    kind: ClassVar[Kind] = "sequence"
    task: ClassVar[Literal["forecasting"]] = "forecasting"
    windows: Windows = field(default_factory=Windows)
    split: Splitting = field(default_factory=Splitting)

    def read(self) -> Raw:
        """Return every whole window; DataError where statsmodels is not installed."""
        table = pd.read_csv(find_file("statsmodels", path=_FILE))
        weeks = pd.to_datetime(table["date"].astype(str), format="%Y%m%d")
        table = on_regular_axis(table[["co2"]].set_index(pd.Index(weeks)), every="7D")
        return cut(table, series=("co2",), knobs=self.windows, source=_FILE)
