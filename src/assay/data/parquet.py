"""Parquet files as frames: an index becomes columns, and types that no model takes are named."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path

import pandas as pd
from pyarrow import ArrowException

from assay.data.prepared import UNREADABLE
from assay.errors import DataError


def read_parquet(path: Path) -> pd.DataFrame:
    """Return a Parquet file as a frame; DataError where it cannot be read or a cell is no value."""
    try:
        frame = pd.read_parquet(path)
    except UNREADABLE as error:
        raise DataError(
            f"{path} is not a Parquet file that can be read: {' '.join(str(error).split())}"
        ) from error
    named = [name for name in frame.index.names if name is not None]
    refuse_repeated(map(str, [*named, *frame.columns]), path)
    frame = frame.reset_index(drop=not named).rename(columns=str)
    return frame.apply(_plain, path=path)


def refuse_repeated(names: Iterable[str], path: Path) -> None:
    """Raise DataError where two columns have one name."""
    repeated = sorted(name for name, count in Counter(names).items() if count > 1)
    if repeated:
        listed = ", ".join(repr(name) for name in repeated)
        raise DataError(
            f"{path}: column names occur twice: {listed}; give each column its own name"
        )


def _plain(series: pd.Series, *, path: Path) -> pd.Series:
    _require_readable(series, path=path)
    if isinstance(series.dtype, pd.CategoricalDtype):
        return series.astype(series.cat.categories.dtype if series.notna().all() else object)
    if series.dtype != object:
        is_text = pd.api.types.is_string_dtype(series)
        return series.where(series != "", None) if is_text else series
    known = series.dropna()
    if known.map(lambda value: isinstance(value, Decimal)).all() and len(known):
        return series.astype(float)
    if known.map(lambda value: isinstance(value, bytes)).any():
        series = _decoded(series, path=path)
    nested = known[known.map(lambda value: getattr(value, "__hash__", None) is None)]
    if len(nested):
        raise DataError(
            f"{path}: column '{series.name}' holds a {type(nested.iloc[0]).__name__} in each cell: "
            "expected one value; spread it over columns of its own, or leave it out of the file"
        )
    return series.where(series != "", None)


def _require_readable(series: pd.Series, *, path: Path) -> None:
    """Arrow takes texts as they come, and says that they are none when they are looked at."""
    try:
        series.tolist()
    except (ArrowException, ValueError) as error:
        raise DataError(
            f"{path}: column '{series.name}' cannot be read, its cells are not what the file says: "
            f"{error}"
        ) from error


def _decoded(series: pd.Series, *, path: Path) -> pd.Series:
    try:
        return series.map(lambda v: v.decode("utf-8") if isinstance(v, bytes) else v)
    except UnicodeDecodeError as error:
        raise DataError(
            f"{path}: column '{series.name}' holds bytes that are no text: {error}; write it as text, "
            "or leave it out of the file"
        ) from error
