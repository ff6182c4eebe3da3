"""Understand a table: the task, the target's classes, and what type each feature column is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from assay.data.raw import Raw, TaskChoice
from assay.data.spec import Column, Task
from assay.errors import DataError

MAX_CLASSES = 50
MAX_CATEGORIES = 64
_FEW_VALUES = 20
_EXACT = 2.0**53
_WITH_COMMAS = r"\s*[+-]?\d[\d.,]*([eE][+-]?\d+)?\s*"


def task_of(raw: Raw) -> Task:
    """Return the task that was chosen, or that the target's values suggest."""
    if raw.task != "auto":
        return raw.task
    return infer_task(raw.frame[raw.roles.target], chosen="auto")


def infer_task(target: pd.Series, *, chosen: TaskChoice) -> Task:
    """Return the chosen task, or infer it: words, booleans and few whole numbers are classes."""
    if chosen != "auto":
        return chosen
    if not pd.api.types.is_numeric_dtype(target) or pd.api.types.is_bool_dtype(target):
        return "classification"
    values = target.dropna()
    is_whole, count = _is_whole(values), values.nunique()
    return (
        "classification"
        if is_whole and (count == 2 or count <= min(_FEW_VALUES, len(values) / 20))
        else "regression"
    )


def class_values(target: pd.Series) -> pd.Series:
    """Return the target as classes: whole numbers as int, booleans as bool, all else as text."""
    if pd.api.types.is_bool_dtype(target):
        return target.astype(bool)
    if pd.api.types.is_numeric_dtype(target) and _is_whole(target):
        return target.astype(np.int64)
    return target.map(_text).astype(str)


def _is_whole(numbers: pd.Series) -> bool:
    """Whole, and small enough for a float to tell it from its neighbours."""
    values = numbers.to_numpy(dtype=float, na_value=np.nan)
    return bool(np.all((np.mod(values, 1) == 0) & (np.abs(values) < _EXACT)))


def features(raw: Raw) -> list[str]:
    """Return the names of the columns that are features, in the file's order; none but for tables."""
    if raw.kind != "table":
        return []
    return [str(c) for c in raw.frame.columns if c not in raw.roles.withheld]


def shown_columns(raw: Raw) -> list[str]:
    """Return the columns whose values stay readable beside each prepared row."""
    text = (raw.text,) if raw.text else ()
    return list(dict.fromkeys((*features(raw), *text, *raw.roles.sensitive)))


def column_type(series: pd.Series, *, raw: Raw) -> str:
    """Return ``numeric``, ``boolean`` or ``categorical``; the user's word counts first."""
    if series.name in raw.roles.categorical:
        return "categorical"
    if series.name in raw.roles.numeric:
        return "numeric"
    if pd.api.types.is_bool_dtype(series) or _holds_booleans(series):
        return "boolean"
    return "numeric" if pd.api.types.is_numeric_dtype(series) else "categorical"


def _holds_booleans(series: pd.Series) -> bool:
    values = series.dropna()
    return (
        series.dtype == object
        and len(values) > 0
        and all(isinstance(v, (bool, np.bool_)) for v in values)
    )


def learn_column(train: pd.Series, *, raw: Raw) -> Column:
    """Return what the training rows say about a column."""
    kind, name = column_type(train, raw=raw), str(train.name)
    if kind == "categorical":
        known_text = as_text(train).dropna()
        kept = sorted(str(c) for c in known_text.value_counts().index[:MAX_CATEGORIES])
        missing = len(train) - len(known_text)
        return Column(name=name, type="categorical", categories=tuple(kept), missing=missing)
    numbers = as_numbers(train).to_numpy()
    known = numbers[~np.isnan(numbers)]
    if not len(known):
        raise DataError(f"column '{name}' has no value in any training row: add it to data.ignore")
    std = float(known.std())
    return Column(
        name=name,
        type="boolean" if kind == "boolean" else "numeric",
        median=float(np.median(known)),
        mean=float(known.mean()),
        std=std if std > 0 else 1.0,
        missing=len(numbers) - len(known),
    )


def as_numbers(series: pd.Series) -> pd.Series:
    """Return numbers as float64 with NaN for missing; DataError names the first that is none."""
    numbers = pd.to_numeric(
        series.astype(object).where(series.notna(), np.nan), errors="coerce"
    ).astype(float)
    if problem := no_numbers(series, numbers=numbers):
        raise DataError(problem)
    return numbers


def no_numbers(series: pd.Series, *, numbers: pd.Series) -> str:
    """Return a sentence about the first value that is no number, empty where all are."""
    wrong = numbers.isna().to_numpy() & series.notna().to_numpy()
    if not wrong.any():
        return ""
    place = int(np.flatnonzero(wrong)[0])
    return (
        f"column '{series.name}', row {below_header(series, place)}: expected a number, got "
        f"{series.iloc[place]!r}; correct it, or take the column as categories "
        f"(data.categorical=[{series.name}])"
    )


def below_header(series: pd.Series, place: int) -> str:
    """Say where in the file a row of a series is that keeps the file's index, counted from 1."""
    return f"{int(str(series.index[place])) + 1} below the header"


def have_commas(texts: pd.Series) -> bool:
    """Whether all are written as numbers, at least one of them with a comma: 3,5 or 1.200,50."""
    is_number = texts.str.fullmatch(_WITH_COMMAS)
    return bool(is_number.all() and texts.str.contains(",", regex=False).any())


def as_text(series: pd.Series) -> pd.Series:
    """Return categories as text, None for a missing or empty one.

    Each value by itself, so that no row decides how another is written: a whole number is
    written without '.0', whether or not other rows made the column one of floats.
    """
    values = series.astype(object).where(series.notna(), None)
    return pd.Series([_text(v) for v in values], index=series.index, name=series.name, dtype=object)


def _text(value: Any) -> str | None:
    if value is None or value is pd.NA or value == "":
        return None
    if isinstance(value, (float, np.floating)):
        number = float(value)
        return str(int(number)) if number.is_integer() and abs(number) < _EXACT else str(number)
    return str(value)


def numeric_array(frame: pd.DataFrame, columns: Sequence[Column]) -> np.ndarray:
    """Return float32 (rows, columns), unscaled, NaN where missing."""
    arrays = [as_numbers(frame[c.name]).to_numpy(np.float32) for c in columns]
    return np.stack(arrays, axis=1) if arrays else np.empty((len(frame), 0), np.float32)


def categorical_array(frame: pd.DataFrame, columns: Sequence[Column]) -> np.ndarray:
    """Return int64 codes (rows, columns): 0 for unknown or missing, else 1 + the category's place."""
    arrays = []
    for column in columns:
        codes = pd.Categorical(
            as_text(frame[column.name]), categories=list(column.categories)
        ).codes
        arrays.append(codes.astype(np.int64) + 1)
    return np.stack(arrays, axis=1) if arrays else np.empty((len(frame), 0), np.int64)
