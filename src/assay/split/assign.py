"""Give each row its split: disjoint and exhaustive by construction, the same for the same seed."""

from __future__ import annotations

import numpy as np
import pandas as pd
from sklearn.model_selection import GroupShuffleSplit, train_test_split

from assay.data.dates import dates_of
from assay.data.raw import Raw, Roles
from assay.data.spec import Task
from assay.data.splitting import SPLIT_NAMES, Splitting
from assay.data.table import below_header
from assay.errors import ConfigError, DataError
from assay.split.periods import by_period

SPLITS = ("train", "valid", "test")
_STRATIFIED: frozenset[Task] = frozenset({"classification", "regression"})
_STRATIFIED_IF_LABELLED: frozenset[Task] = frozenset({"reconstruction", "generation"})
_STRATUM_ROWS, _MOST_STRATA = 20, 10


def way_of(splitting: Splitting, *, roles: Roles, task: Task) -> str:
    """Return how rows are divided, ``auto`` resolved by what the data names."""
    if task == "forecasting" and splitting.by not in ("auto", "time"):
        raise ConfigError(
            [f"data.split.by: forecasts are divided by time; expected auto, got {splitting.by!r}"]
        )
    if splitting.by != "auto":
        return splitting.by
    if roles.split is not None:
        return "column"
    if roles.time is not None:
        return "time"
    if roles.group is not None:
        return "group"
    has_labels = bool(roles.target) and task in _STRATIFIED_IF_LABELLED
    return "stratified" if task in _STRATIFIED or has_labels else "random"


def assign(raw: Raw, *, splitting: Splitting, task: Task) -> np.ndarray:
    """Return ``train``, ``valid`` or ``test`` for each row.

    Raises DataError when a split would be empty or lack a class, ConfigError when the way of
    splitting needs a column that the data does not name.
    """
    way = way_of(splitting, roles=raw.roles, task=task)
    labels = (
        _stratified(raw, splitting, task) if way == "stratified" else _WAYS[way](raw, splitting)
    )
    for name in SPLITS:
        if not np.any(labels == name):
            raise DataError(
                f"data.split: the split by {way} leaves no rows for {name} "
                f"({len(labels)} rows in all): change data.split{_shorter(raw)}"
            )
    if task == "classification":
        _require_classes(raw, labels, way)
    if raw.labels:
        _require_labels(raw, labels, way)
    return labels


def _shorter(raw: Raw) -> str:
    if raw.forecast is None:
        return ""
    shorter = ", shorten the windows (data.windows.window, data.windows.horizon)"
    return shorter if raw.forecast.look_back else f"{shorter}, or set data.windows.look_back=true"


def _random(raw: Raw, splitting: Splitting) -> np.ndarray:
    return _shuffled(len(raw.frame), splitting, None)


def _stratified(raw: Raw, splitting: Splitting, task: Task) -> np.ndarray:
    target = raw.frame[raw.roles.target]
    strata = _quantiles(target) if task == "regression" else target.astype(str)
    return _shuffled(len(raw.frame), splitting, strata.to_numpy())


def _quantiles(target: pd.Series) -> pd.Series:
    """Strata of equal size over the range of a number, each with enough rows for every split."""
    count = int(np.clip(len(target) // _STRATUM_ROWS, 1, _MOST_STRATA))
    ranks = target.astype(float).rank(method="first")
    return pd.qcut(ranks, count, labels=False)


def _shuffled(count: int, splitting: Splitting, classes: np.ndarray | None) -> np.ndarray:
    try:
        rest, test = train_test_split(
            np.arange(count),
            test_size=splitting.test,
            random_state=splitting.seed,
            stratify=classes,
        )
        share = splitting.valid / (1 - splitting.test)
        _, valid = train_test_split(
            rest,
            test_size=share,
            random_state=splitting.seed,
            stratify=None if classes is None else classes[rest],
        )
    except ValueError as error:
        raise DataError(f"data.split: {count} rows cannot be divided so: {error}") from error
    return _labelled(count, valid=valid, test=test)


def _by_group(raw: Raw, splitting: Splitting) -> np.ndarray:
    column = raw.frame[_needed(raw.roles.group, "group")]
    if (lost := np.flatnonzero(column.isna())).size:
        raise DataError(
            f"column '{column.name}' names no group in {lost.size} rows, first in row "
            f"{below_header(column, lost[0])}: fill or drop what lacks it"
        )
    groups, count = pd.factorize(column)[0], len(column)
    if (found := len(pd.unique(groups))) < 3:
        raise DataError(
            f"data.split: {found} groups cannot fill three splits: at least 3 are needed"
        )
    try:
        rest, test = _one_group_split(np.arange(count), groups, splitting.test, splitting.seed)
        share = splitting.valid / (1 - splitting.test)
        _, valid = _one_group_split(rest, groups[rest], share, splitting.seed)
    except ValueError as error:
        raise DataError(f"data.split: {found} groups cannot be divided so: {error}") from error
    return _labelled(count, valid=valid, test=test)


def _one_group_split(
    rows: np.ndarray, groups: np.ndarray, share: float, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    splitter = GroupShuffleSplit(n_splits=1, test_size=share, random_state=seed)
    kept, taken = next(splitter.split(rows, groups=groups))
    return rows[kept], rows[taken]


def _by_time(raw: Raw, splitting: Splitting) -> np.ndarray:
    if raw.forecast is not None:
        return by_period(raw.forecast, splitting, horizon=np.asarray(raw.targets).shape[1])
    times = time_values(raw.frame[_needed(raw.roles.time, "time")])
    count = len(times)
    order = np.argsort(times.to_numpy(), kind="stable")
    test_from = count - round(count * splitting.test)
    valid_from = test_from - round(count * splitting.valid)
    if valid_from < test_from < count:
        valid_from, test_from = _between_times(times.iloc[order], valid_from, test_from)
    return _labelled(count, valid=order[valid_from:test_from], test=order[test_from:])


def _between_times(ordered: pd.Series, valid_from: int, test_from: int) -> tuple[int, int]:
    """Return the nearest places at which another time begins: rows of one time stay together."""
    begins = np.flatnonzero(ordered.ne(ordered.shift()).to_numpy())[1:]
    if len(begins) < 2:
        raise DataError(
            f"data.split: column '{ordered.name}' has {len(begins) + 1} different times, which cannot "
            "fill three splits: at least 3 are needed"
        )
    last = int(np.abs(begins[1:] - test_from).argmin()) + 1
    first = int(np.abs(begins[:last] - valid_from).argmin())
    return int(begins[first]), int(begins[last])


def time_values(series: pd.Series) -> pd.Series:
    """Return times that can be ordered: numbers as they are, all else parsed as dates."""
    if pd.api.types.is_numeric_dtype(series) or pd.api.types.is_datetime64_any_dtype(series):
        times = series
    else:
        times = dates_of(series)
    if times.isna().any():
        row = int(np.flatnonzero(times.isna().to_numpy())[0])
        raise DataError(
            f"column '{series.name}', row {below_header(series, row)}: {series.tolist()[row]!r} is no time"
        )
    return times


def _by_column(raw: Raw, splitting: Splitting) -> np.ndarray:
    column = raw.frame[_needed(raw.roles.split, "split_column")]
    labels = column.astype(str).str.strip().str.lower().map(SPLIT_NAMES)
    if labels.isna().any():
        strange = sorted({str(v) for v in column[labels.isna()]})[:5]
        raise DataError(
            f"column '{column.name}': expected train, valid or test; got {', '.join(strange)}"
        )
    return labels.to_numpy(dtype=object).astype(str)


def _labelled(count: int, *, valid: np.ndarray, test: np.ndarray) -> np.ndarray:
    labels = np.full(count, "train", dtype="<U5")
    labels[valid] = "valid"
    labels[test] = "test"
    return labels


def _needed(column: str | None, role: str) -> str:
    if column is None:
        raise ConfigError([f"data.split.by: a split by {role} needs data.{role} to name a column"])
    return column


def _require_classes(raw: Raw, labels: np.ndarray, way: str) -> None:
    target = raw.frame[raw.roles.target].astype(str).to_numpy()
    known = set(target[labels == "train"])
    for name in ("valid", "test"):
        if strange := sorted(set(target[labels == name]) - known):
            raise DataError(
                f"data.split: the split by {way} puts class {strange[0]!r} into {name} "
                "but into no training row: change data.split or merge the class"
            )


def _require_labels(raw: Raw, labels: np.ndarray, way: str) -> None:
    share = np.asarray(raw.targets)[labels == "train"].mean(0)
    for name, found in zip(raw.labels, share.tolist(), strict=True):
        if found in (0.0, 1.0):
            raise DataError(
                f"data.split: the split by {way} puts label {name!r} into "
                f"{'every' if found else 'no'} training row: change data.split or drop the label"
            )


_WAYS = {
    "random": _random,
    "group": _by_group,
    "time": _by_time,
    "column": _by_column,
}
