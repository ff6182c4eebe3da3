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


def infer_task(target: pd.Series, *, chosen: TaskChoice) -> Task:
    """Return the chosen task, or infer it: words, booleans and few whole numbers are classes."""
    if chosen != "auto":
        return chosen
    if not pd.api.types.is_numeric_dtype(target) or pd.api.types.is_bool_dtype(target):
        return "classification"
    values = target.dropna()
    is_whole = bool(np.all(np.mod(values, 1) == 0))
    count = values.nunique()
    return (
        "classification"
        if is_whole and (count == 2 or count <= min(_FEW_VALUES, len(values) / 20))
        else "regression"
    )


def class_values(target: pd.Series) -> pd.Series:
    """Return the target as classes: whole numbers as int, booleans as bool, all else as text."""
    if pd.api.types.is_bool_dtype(target):
        return target.astype(bool)
    if pd.api.types.is_numeric_dtype(target) and bool(np.all(np.mod(target, 1) == 0)):
        return target.astype(np.int64)
    return target.astype(str)


def features(raw: Raw) -> list[str]:
    """Return the names of the columns that are features, in the file's order."""
    return [str(c) for c in raw.frame.columns if c not in raw.roles.withheld]


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
    kind, missing, name = column_type(train, raw=raw), int(train.isna().sum()), str(train.name)
    if kind == "categorical":
        counts = as_text(train).dropna().value_counts()
        kept = sorted(str(c) for c in counts.index[:MAX_CATEGORIES])
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
        missing=missing,
    )


def as_numbers(series: pd.Series) -> pd.Series:
    """Return numbers as float64 with NaN for missing; DataError names the first that is none."""
    numbers = pd.to_numeric(
        series.astype(object).where(series.notna(), np.nan), errors="coerce"
    ).astype(float)
    wrong = numbers.isna() & series.notna()
    if wrong.any():
        row = int(np.flatnonzero(wrong.to_numpy())[0])
        raise DataError(
            f"column '{series.name}', row {row}: expected a number, got {series.iloc[row]!r}; "
            f"correct it, or take the column as categories (data.categorical=[{series.name}])"
        )
    return numbers


def as_text(series: pd.Series) -> pd.Series:
    """Return categories as text, missing values kept; whole numbers are written without '.0'."""
    if pd.api.types.is_float_dtype(series) and bool(np.all(np.mod(series.dropna(), 1) == 0)):
        series = series.astype("Int64")
    return series.astype(object).where(series.notna(), None).map(_text)


def _text(value: Any) -> str | None:
    return None if value is None or value is pd.NA else str(value)


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
