"""Dates are read in one order of day and month, and refused where nothing tells which."""

from __future__ import annotations

import pandas as pd
import pytest

from assay.data.dates import dates_of
from assay.errors import DataError


def _read(*texts: str) -> list[str]:
    found = dates_of(pd.Series(texts, name="when"))
    return [str(day)[:16].removesuffix(" 00:00") for day in found]


@pytest.mark.parametrize(
    ("texts", "days"),
    [
        (("01.02.2020", "02.02.2020"), ["2020-02-01", "2020-02-02"]),
        (("01/02/2020", "13/02/2020 10:30"), ["2020-02-01", "2020-02-13 10:30"]),
        (("02/01/2020", "02/13/2020"), ["2020-02-01", "2020-02-13"]),
        (("02.01.2020", "02.13.2020"), ["2020-02-01", "2020-02-13"]),
        (("1.2.20", "2020-02-03"), ["2020-02-01", "2020-02-03"]),
        (("03/03/2020", "04-04-2020"), ["2020-03-03", "2020-04-04"]),
        (("2020-02-01", "2020-02-13"), ["2020-02-01", "2020-02-13"]),
        (("1 Feb 2020", "soon", "31.31.2020"), ["2020-02-01", "NaT", "NaT"]),
    ],
)
def test_day_and_month_are_in_one_order(texts: tuple[str, ...], days: list[str]) -> None:
    assert _read(*texts) == days


def test_an_order_that_nothing_tells_is_refused() -> None:
    with pytest.raises(DataError, match=r"nothing tells .* '01/02/2020' \(row 2 below"):
        _read("03/03/2020", "01/02/2020")
    with pytest.raises(DataError, match=r"'13/02/2020' \(row 1 .* day first, '02/13/2020' \(row 2"):
        _read("13/02/2020", "02/13/2020")
