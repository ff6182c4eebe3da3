"""The user's own series: a table with a time in each line, wide or long."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Literal

import numpy as np
import pandas as pd

from assay.data.axis import on_regular_axis, times_of
from assay.data.csv import read_table, require_columns
from assay.data.raw import Raw, Roles
from assay.data.spec import Kind
from assay.data.splitting import Splitting
from assay.data.table import as_numbers
from assay.data.windows import Windows, cut
from assay.errors import DataError

_SHOWN = 5


@dataclass(frozen=True, kw_only=True)
class SeriesCsv:
    """``target`` is the column to forecast, or several: each is a series, and so the table is wide.

    With ``series``, a column that names the series of each line, the table is long: every series
    has its own values of the target at each time. ``covariates`` are columns of which only the past
    is known. All series lie on one axis of time with a step of ``every``, and are forecast
    together; ``short`` says what becomes of series that are shorter than a window and its forecast.
    """

    kind: ClassVar[Kind] = "sequence"
    task: ClassVar[Literal["forecasting"]] = "forecasting"
    path: str
    time: str
    target: str | tuple[str, ...]
    series: str | None = None
    covariates: tuple[str, ...] = ()
    every: str = "auto"
    short: Literal["refuse", "drop"] = "refuse"
    encoding: str = "utf-8"
    separator: str = ","
    windows: Windows = field(default_factory=Windows)
    split: Splitting = field(default_factory=Splitting)

    def read(self) -> Raw:
        """Return every whole window; DataError says what is wrong with the table or its times."""
        table = read_table(Path(self.path), encoding=self.encoding, separator=self.separator)
        own = (self.series,) if self.series else ()
        named = {"target": self._targets, "covariates": tuple(self.covariates), "series": own}
        require_columns(table, Roles(time=self.time), self.path, others=named)
        wide, series = self._wide(table)
        wide = on_regular_axis(wide, every=self.every)
        wide, series, notes = self._long_enough(wide, series)
        raw = cut(
            wide,
            series=series,
            knobs=self.windows,
            source=Path(self.path).name,
            time=self.time,
        )
        return Raw(**{**vars(raw), "notes": (*notes, *raw.notes)})

    @property
    def _targets(self) -> tuple[str, ...]:
        return (self.target,) if isinstance(self.target, str) else tuple(self.target)

    def _wide(self, table: pd.DataFrame) -> tuple[pd.DataFrame, tuple[str, ...]]:
        """Return a column for each series and covariate, and which of them are to be forecast."""
        times, names = times_of(table[self.time]), [*self._targets, *self.covariates]
        numbers = pd.DataFrame({name: as_numbers(table[name]).to_numpy() for name in names})
        whose = table[self.series].astype(str).to_numpy() if self.series else None
        _require_once(times, whose, self.series)
        if whose is None:
            return numbers.set_index(pd.Index(times)).sort_index(), self._targets
        keyed = numbers.set_index([pd.Index(times), pd.Index(whose)])
        parts = {name: keyed[name].unstack() for name in names}
        only = len(self._targets) == 1
        wide = {
            str(one) if only and name == self._targets[0] else f"{one} {name}": part[one]
            for name, part in parts.items()
            for one in part.columns
        }
        count = len(self._targets) * len(parts[names[0]].columns)
        return pd.DataFrame(wide).sort_index(), tuple(wide)[:count]

    def _long_enough(
        self, wide: pd.DataFrame, series: tuple[str, ...]
    ) -> tuple[pd.DataFrame, tuple[str, ...], tuple[str, ...]]:
        wanted = self.windows.window + self.windows.horizon
        found = {name: _span(wide[name]) for name in series}
        short = [name for name, steps in found.items() if steps < wanted]
        if not short:
            return wide, series, ()
        named = ", ".join(f"'{n}' ({found[n]} steps)" for n in short[:_SHOWN])
        more = ", ..." if len(short) > _SHOWN else ""
        said = (
            f"{len(short)} of {len(series)} series are shorter than {wanted} steps: {named}{more}"
        )
        if self.short == "refuse" or len(short) == len(series):
            raise DataError(
                f"{said}; shorten data.windows.window or data.windows.horizon, or leave them out "
                "with data.short=drop"
            )
        left = tuple(name for name in series if name not in short)
        return wide.drop(columns=short), left, (said,)


def _require_once(times: pd.Series, whose: np.ndarray | None, column: str | None) -> None:
    keys = pd.DataFrame({"time": times.to_numpy(), "whose": "" if whose is None else whose})
    again = np.flatnonzero(keys.duplicated().to_numpy())
    if again.size:
        row = keys.iloc[again[0]]
        of = f" of '{row['whose']}'" if column else ""
        hint = (
            "" if column else "; a column that names the series of each line goes into data.series"
        )
        raise DataError(
            f"{again.size} line{'s repeat' if again.size > 1 else ' repeats'} a time: the first is "
            f"{row['time']}{of}, in row {again[0] + 1} below the header{hint}"
        )


def _span(column: pd.Series) -> int:
    """Return how many steps lie from the first known value to the last."""
    known = np.flatnonzero(column.notna().to_numpy())
    return int(known[-1] - known[0] + 1) if known.size else 0
