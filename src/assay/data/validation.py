"""Refuse data that no model should learn from: every reason at once, each with a row."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pandera.pandas as pa
from pandera.errors import SchemaErrors

from assay.data.raw import Raw
from assay.data.spec import Task
from assay.data.table import MAX_CLASSES, column_type, features, have_commas, no_numbers
from assay.errors import DataError

_FEWEST_ROWS, _FEWEST_OF_LABEL = 10, 3
_SHOWN = 40
_NAMED = 8
_LARGEST = float(np.finfo(np.float32).max)


def validate(raw: Raw, *, task: Task) -> None:
    """Raise DataError with everything that makes the data unusable for the task."""
    if len(raw.frame) < _FEWEST_ROWS:
        rows = f"{len(raw.frame)} row{'s' * (len(raw.frame) > 1)}"
        raise DataError(f"the data has {rows}: expected at least {_FEWEST_ROWS}")
    target_problems = _many_classes(raw, task) or _target_problems(raw, task)
    problems = [
        *_schema_problems(raw, task),
        *_word_problems(raw),
        *(_commas(raw) if target_problems else ()),
        *target_problems,
        *_label_problems(raw),
    ]
    if problems:
        raise DataError(
            "the data cannot be used as it is:\n" + "\n".join(f"  - {p}" for p in problems)
        )


def _schema_problems(raw: Raw, task: Task) -> list[str]:
    try:
        _schema(raw, task).validate(raw.frame, lazy=True)
    except SchemaErrors as error:
        cases = error.failure_cases
        return [
            _sentence(column, rule, rows)
            for (column, rule), rows in cases.groupby(["column", "check"], sort=False)
        ]
    return []


def _schema(raw: Raw, task: Task) -> pa.DataFrameSchema:
    finite = pa.Check(_is_finite, name="is finite", ignore_na=False)
    numeric = [c for c in features(raw) if column_type(raw.frame[c], raw=raw) == "numeric"]
    columns = {c: pa.Column(checks=finite, nullable=True, required=True) for c in numeric}
    if raw.roles.target:
        target = [finite] if task == "regression" else []
        columns[raw.roles.target] = pa.Column(checks=target, nullable=False, required=True)
    return pa.DataFrameSchema(columns)


def _label_problems(raw: Raw) -> list[str]:
    if not raw.labels:
        return []
    counts, rows = np.asarray(raw.targets).sum(0, dtype=int), len(raw.frame)
    return [
        f"label {name!r} stands in {count} of {rows} rows: each label needs at least {_FEWEST_OF_LABEL} "
        "rows with it and as many without; merge it with another or drop it"
        for name, count in zip(raw.labels, counts.tolist(), strict=True)
        if not _FEWEST_OF_LABEL <= count <= rows - _FEWEST_OF_LABEL
    ]


def _is_finite(series: pd.Series) -> pd.Series:
    numbers = pd.to_numeric(series, errors="coerce").to_numpy(dtype=float, na_value=np.nan)
    return pd.Series(~(np.abs(numbers) > _LARGEST), index=series.index)


def _sentence(column: object, rule: object, rows: pd.DataFrame) -> str:
    first, count = rows.iloc[0], len(rows)
    where = f"first in row {int(first['index']) + 1} below the header"
    if str(rule) == "not_nullable":
        return (
            f"the target '{column}' is missing in {count} row{'s' * (count > 1)} ({where}): "
            "fill or drop what lacks it"
        )
    return (
        f"column '{column}' holds {count} number{'s' * (count > 1)}, infinite or beyond "
        f"{_LARGEST:.1e} ({where}: {str(first['failure_case'])[:_SHOWN]}): replace them"
    )


def _word_problems(raw: Raw) -> list[str]:
    """Words in columns that the user says are numbers."""
    columns = [raw.frame[name] for name in raw.roles.numeric if name in features(raw)]
    sentences = [no_numbers(c, numbers=pd.to_numeric(c, errors="coerce")) for c in columns]
    return [sentence for sentence in sentences if sentence]


def _commas(raw: Raw) -> list[str]:
    target = raw.frame[raw.roles.target].dropna()
    if pd.api.types.is_numeric_dtype(target) or not have_commas(target.astype(str)):
        return []
    return [
        f"the target '{raw.roles.target}' holds numbers with commas, first {target.iloc[0]!r}: write "
        "them with a point, as in 3.5"
    ]


def _many_classes(raw: Raw, task: Task) -> list[str]:
    """So many classes that nobody asked for are numbers, names or texts."""
    if raw.task != "auto" or task != "classification" or not raw.roles.target:
        return []
    count = raw.frame[raw.roles.target].nunique()
    if count <= MAX_CLASSES:
        return []
    return [
        f"the target '{raw.roles.target}' has {count} values, more than {MAX_CLASSES}: for classes "
        "say so with --task classification (in the configuration data.task=classification), for "
        "numbers with regression"
    ]


def _target_problems(raw: Raw, task: Task) -> list[str]:
    if not raw.roles.target:
        return []
    target = raw.frame[raw.roles.target]
    values = target.dropna()
    counts = values.value_counts()
    if len(counts) < 2:
        only = f" ({counts.index.tolist()[0]!r})" if len(counts) else ""
        return [
            f"the target '{target.name}' has {len(counts)} value{only}: there is nothing to learn"
        ]
    if task not in ("classification", "regression"):
        return []
    if task == "regression":
        is_number = pd.to_numeric(values, errors="coerce").notna()
        if not is_number.all():
            wrong = values[~is_number]
            return [
                f"the target '{target.name}' is no number in {len(wrong)} rows, "
                f"first {wrong.iloc[0]!r}: regression needs numbers"
            ]
        return []
    rare = counts[counts < _FEWEST_OF_LABEL]
    problems = [
        f"class {label!r} of '{target.name}' has {count} row{'s' * (count > 1)}: each class needs at least 3, "
        "one for each split; merge it with another or drop it"
        for label, count in rare.head(_NAMED).items()
    ]
    more = len(rare) - _NAMED
    return problems + ([f"{more} more classes have as few rows"] if more > 0 else [])
