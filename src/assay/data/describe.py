"""Say in a few words what was understood of each column of a table."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from assay.data.dates import FIGURES
from assay.data.raw import Raw
from assay.data.spec import Task
from assay.data.table import class_values, column_type, features, have_commas

_SHOWN = 4
_DATE = rf"\d{{4}}-\d{{2}}-\d{{2}}(?:[ T]\d{{2}}:\d{{2}}|$)|{FIGURES}(?:[ T]|$)"  # 2020-12-31, 31.12.2020


@dataclass(frozen=True, kw_only=True)
class Description:
    """One column: what it is used as, how much is missing, and what its values look like."""

    name: str
    used_as: str
    missing: int
    distinct: int
    values: str


def describe(raw: Raw, *, task: Task) -> list[Description]:
    """Return a description of each column, in the file's order."""
    return [_describe(raw.frame[name], raw, task) for name in raw.frame.columns]


def _describe(series: pd.Series, raw: Raw, task: Task) -> Description:
    return Description(
        name=str(series.name),
        used_as=_use(series, raw, task),
        missing=int(series.isna().sum()),
        distinct=int(series.nunique()),
        values=_values(series, raw, task),
    )


def _use(series: pd.Series, raw: Raw, task: Task) -> str:
    roles, name = raw.roles, series.name
    named = {"id": roles.id, "group": roles.group, "time": roles.time, "split": roles.split}
    if name == roles.target:
        return f"target ({task})"
    for role, column in named.items():
        if name == column:
            return role
    if name in roles.ignore:
        return "ignored"
    is_sensitive = name in roles.sensitive
    if raw.text is not None and raw.text == name:
        return "text"
    if raw.kind != "table":
        return "sensitive" if is_sensitive else "not used"
    return column_type(series, raw=raw) + (", sensitive" if is_sensitive else "")


def _values(series: pd.Series, raw: Raw, task: Task) -> str:
    known = series.dropna()
    if series.name == raw.roles.target and task == "classification":
        counts = class_values(known).value_counts()
        return _listed([f"{label} ({count})" for label, count in counts.items()])
    if known.empty:
        return "none"
    if pd.api.types.is_numeric_dtype(known) and not pd.api.types.is_bool_dtype(known):
        return f"{known.min():g} to {known.max():g}"
    return _listed([str(value) for value in known.value_counts().index])


def date_columns(raw: Raw) -> list[str]:
    """Return the features that are dates written as text: each date is a category of its own."""
    frame = raw.frame[features(raw)]
    texts = [n for n in frame.columns if column_type(frame[n], raw=raw) == "categorical"]
    return [str(n) for n in texts if _are_dates(frame[n].dropna().astype(str))]


def comma_columns(raw: Raw) -> list[str]:
    """Return the features that are numbers with commas: each number is a category of its own."""
    frame = raw.frame[features(raw)]
    texts = [n for n in frame.columns if column_type(frame[n], raw=raw) == "categorical"]
    return [
        str(n)
        for n in texts
        if n not in raw.roles.categorical and have_commas(frame[n].dropna().astype(str))
    ]


def _are_dates(texts: pd.Series) -> bool:
    return not texts.empty and bool(texts.str.match(_DATE).all())


def _listed(values: list[str]) -> str:
    return ", ".join(values[:_SHOWN]) + (", ..." if len(values) > _SHOWN else "")
