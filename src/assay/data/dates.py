"""Dates in words and figures, with the day and the month in one order throughout a column."""

from __future__ import annotations

import numpy as np
import pandas as pd

from assay.data.table import below_header
from assay.errors import DataError

FIGURES = r"^\s*(\d{1,2})([./-])(\d{1,2})\2(\d{4}|\d{2})(?!\d)"
_MONTHS, _DAYS = 12, 31


def dates_of(column: pd.Series) -> pd.Series:
    """Return dates in UTC, NaT where a cell is none.

    Cells such as 01.02.2020 leave open which figure is the day: the order is the one in which all
    of the column's are dates, and with dots the day comes first. Raises DataError where either
    order would do, or neither. (``format="mixed"`` guesses for each cell by itself.)
    """
    texts = column.astype(str)
    parts = texts.str.extract(FIGURES)
    first, second = (pd.to_numeric(parts[place]) for place in (0, 2))
    open_ones = first.between(1, _DAYS) & second.between(1, _DAYS) & (first != second)
    days_first = open_ones & (second <= _MONTHS)
    months_first = open_ones & (first <= _MONTHS)
    if _is_day_first(texts, days_first=days_first, months_first=months_first):
        swapped = texts.str.replace(FIGURES, r"\3/\1/\4", regex=True)
        texts = texts.where(~days_first, swapped)
    return pd.to_datetime(texts, errors="coerce", format="mixed", utc=True)


def _is_day_first(texts: pd.Series, *, days_first: pd.Series, months_first: pd.Series) -> bool:
    """``days_first`` and ``months_first``: which cells are dates in that order."""
    only_day, only_month = days_first & ~months_first, months_first & ~days_first
    if only_day.any() and only_month.any():
        raise DataError(
            f"column '{texts.name}': {_cell(texts, only_day)} has the day first, "
            f"{_cell(texts, only_month)} the month: {_ISO}"
        )
    both = days_first & months_first
    if not both.any() or only_day.any() or only_month.any():
        return bool(only_day.any())
    if not texts[both].str.contains(".", regex=False).all():
        raise DataError(
            f"column '{texts.name}': nothing tells whether the day or the month comes first in "
            f"{_cell(texts, both)}: {_ISO}"
        )
    return True


_ISO = "write dates with the year first, as in 2020-12-31"


def _cell(texts: pd.Series, mask: pd.Series) -> str:
    place = int(np.flatnonzero(mask)[0])
    return f"{texts.iloc[place]!r} (row {below_header(texts, place)})"
