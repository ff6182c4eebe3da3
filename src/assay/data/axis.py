"""A regular axis of time: which step a table goes by, and its lines at every step of it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from assay.data.dates import dates_of
from assay.errors import DataError

_CALENDAR = ("YS", "YE", "QS", "QE", "MS", "ME")
_WEEKEND, _FEWEST_DAYS = 5, 10


def times_of(column: pd.Series) -> pd.Series:
    """Return whole numbers as they are, all else as dates without a zone.

    Raises DataError with the first cell that is no time.
    """
    if pd.api.types.is_integer_dtype(column):
        return column.astype(np.int64)
    times = column if pd.api.types.is_datetime64_any_dtype(column) else dates_of(column)
    if times.isna().any():
        row = int(np.flatnonzero(times.isna().to_numpy())[0])
        raise DataError(
            f"column '{column.name}', row {row + 1} below the header: {column.iloc[row]!r} is no "
            "time; expected dates, or whole numbers that count steps"
        )
    return times if times.dt.tz is None else times.dt.tz_convert("UTC").dt.tz_localize(None)


def on_regular_axis(table: pd.DataFrame, *, every: str) -> pd.DataFrame:
    """Return the table with a line for each step from its first to its last time, NaN where it had none.

    The index holds times, rising, each once. ``every`` is the step (``7D``, ``h``, ``MS``, or a whole
    number), or ``auto``: the one that times go by. Raises DataError where times do not lie on it.
    """
    times = table.index
    if len(times) < 2:
        raise DataError(f"expected at least two times, got {len(times)}")
    for grid in _grids(times, every):
        if times.isin(grid).all():
            return table.reindex(grid)
    if every == "auto":
        raise DataError(
            "the times go by no regular step: bring them to one, or name it with data.every, "
            "for example data.every=h"
        )
    off = times[~times.isin(grid)][0]
    raise DataError(f"data.every={every}: {off} does not lie on the steps from {times[0]} on")


def _grids(times: pd.Index, every: str) -> Iterator[pd.Index]:
    if not isinstance(times, pd.DatetimeIndex):
        counted = np.gcd.reduce(np.diff(times.to_numpy())) if every == "auto" else _whole(every)
        yield pd.Index(np.arange(times[0], times[-1] + 1, int(counted)))
        return
    for step in _steps(times) if every == "auto" else (every,):
        try:
            yield pd.date_range(times[0], times[-1], freq=step)
        except ValueError as error:
            raise DataError(f"data.every={every}: {error}") from error


def _steps(times: pd.DatetimeIndex) -> Iterator[str | pd.Timedelta]:
    median = pd.Series(times).diff().median()
    is_weekday = bool((times.day_of_week < _WEEKEND).all())
    if median == pd.Timedelta(days=1) and is_weekday and len(times) >= _FEWEST_DAYS:
        yield "B"
    if median >= pd.Timedelta(days=28):
        yield from _CALENDAR
    yield median


def _whole(every: str) -> int:
    if not every.isdecimal() or int(every) < 1:
        raise DataError(f"data.every: the times are numbers, so expected one too, got {every!r}")
    return int(every)
