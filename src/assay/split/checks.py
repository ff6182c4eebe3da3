"""Look at the data before anyone learns from it; what is found goes into ``checks.json``."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from hashlib import blake2b
from typing import Any, Literal

import numpy as np
import pandas as pd
from sklearn.metrics import r2_score, roc_auc_score
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from assay.data.raw import Raw
from assay.data.spec import Task
from assay.data.table import as_text, column_type, features

_IMBALANCE = 10.0
_LEAK_SCORE = 0.995
_LEAK_ROWS = 5000
_FEWEST_RANKS = 10
_SHOWN = 10
_ID_SHARE = 0.9


@dataclass(frozen=True, kw_only=True)
class Check:
    """One thing that was looked at: ``ok`` or ``warning``, what was found, and where."""

    name: str
    status: Literal["ok", "warning"]
    found: str
    columns: tuple[str, ...] = ()


def run_checks(raw: Raw, *, labels: np.ndarray, task: Task) -> list[dict[str, Any]]:
    """Return every check as a mapping, in a fixed order."""
    names = features(raw)
    checks = [
        _left_out(raw),
        _missing(raw.frame, names),
        _constant(raw.frame[labels == "train"], names),
        _id_like(raw, names, labels),
        _imbalance(raw, labels, task),
        _absent_classes(raw, labels, task),
        _duplicates(raw, names, labels),
        _leaks(raw, names, labels, task),
    ]
    return [asdict(check) for check in checks]


def _left_out(raw: Raw) -> Check:
    return _check(
        "left out",
        ["rows"] if raw.notes else [],
        "; ".join(raw.notes),
        nothing="nothing was left out when the data were read",
        is_columns=False,
    )


def _missing(frame: pd.DataFrame, names: list[str]) -> Check:
    share = frame[names].isna().mean()
    found = share[share > 0].sort_values(ascending=False)
    text = ", ".join(f"{name} {value:.1%}" for name, value in found[:_SHOWN].items())
    return _check("missing values", found.index, text, nothing="no value is missing")


def constant_columns(frame: pd.DataFrame, names: Iterable[str]) -> list[str]:
    """Return the columns that hold one value, or none."""
    return [name for name in names if frame[name].nunique(dropna=False) <= 1]


def _constant(frame: pd.DataFrame, names: list[str]) -> Check:
    found = constant_columns(frame, names)
    return _check(
        "constant columns",
        found,
        f"left out, one value in all training rows: {_listed(found)}",
        nothing="every column varies over the training rows",
    )


def id_columns(frame: pd.DataFrame, names: Iterable[str], *, raw: Raw) -> list[str]:
    """Return columns of text that differ in (nearly) every row: no model can learn from them."""
    texts = [name for name in names if column_type(frame[name], raw=raw) == "categorical"]
    return [name for name in texts if frame[name].nunique() > _ID_SHARE * len(frame)]


def _id_like(raw: Raw, names: list[str], labels: np.ndarray) -> Check:
    text = id_columns(raw.frame[labels == "train"], names, raw=raw)
    counters = [n for n in names if _counts_up(raw.frame[n])]
    parts = [f"left out, text that differs in nearly every row: {_listed(text)}"] if text else []
    parts += (
        [f"count up row by row; name them with data.id or data.ignore: {_listed(counters)}"]
        if counters
        else []
    )
    return _check(
        "id-like columns",
        [*text, *counters],
        "; ".join(parts),
        nothing="no column looks like an id",
    )


def _counts_up(series: pd.Series) -> bool:
    if not pd.api.types.is_integer_dtype(series) or series.nunique() < len(series):
        return False
    ordered = np.sort(series.to_numpy())
    return bool(np.all(np.diff(ordered) == 1))


def _imbalance(raw: Raw, labels: np.ndarray, task: Task) -> Check:
    if task != "classification":
        return Check(name="class imbalance", status="ok", found=f"no classes: {task}")
    counts = raw.frame[raw.roles.target][labels == "train"].value_counts()
    ratio = float(counts.max() / counts.min())
    large, small = counts.index[0], counts.index[-1]
    text = (
        f"the largest class ({large!r}) has {ratio:.1f} times the rows of the smallest ({small!r})"
    )
    status: Literal["ok", "warning"] = "warning" if ratio > _IMBALANCE else "ok"
    hint = "; consider training.class_weights=balanced" if status == "warning" else ""
    return Check(name="class imbalance", status=status, found=text + hint)


def _absent_classes(raw: Raw, labels: np.ndarray, task: Task) -> Check:
    """A split that lacks a class says nothing of it; where it holds one class alone, little of any."""
    target = raw.frame[raw.roles.target] if task == "classification" else pd.Series(dtype=object)
    classes, said = sorted(target.dropna().unique(), key=str), []
    for name in ("valid", "test") if len(classes) else ():
        here = set(target[labels == name].dropna())
        absent = [str(label) for label in classes if label not in here]
        if here and absent:
            alone = f", only {next(iter(here))!r}" if len(here) == 1 else ""
            said.append(f"the {name} split has no row of {_listed(absent)}{alone}")
    undefined = "; metrics that need them, such as ROC AUC, are undefined there"
    return _check(
        "classes in every split",
        ["rows"] if said else [],
        "; ".join(said) + (undefined if said else ""),
        nothing="every class stands in every split" if len(classes) else f"no classes: {task}",
        is_columns=False,
    )


def _duplicates(raw: Raw, names: list[str], labels: np.ndarray) -> Check:
    keys = pd.DataFrame({"row": _row_keys(raw, names)}, index=raw.frame.index)
    keys["target"] = raw.frame[raw.roles.target] if raw.roles.target else 0
    crossing = _crosses(keys[["row"]], labels)
    count, same = int(crossing.sum()), int(_crosses(keys, labels).sum())
    text = (
        f"{count} rows have the same features in more than one split, {same} of them the same "
        "target too: what is measured on these is memory"
    )
    return _check(
        "duplicates across splits",
        ["rows"] if crossing.any() else [],
        text,
        nothing="no row stands in two splits",
        is_columns=False,
    )


def _crosses(keys: pd.DataFrame, labels: np.ndarray) -> np.ndarray:
    """Return for each row whether its like stands in another split."""
    by_key = pd.Series(labels, index=keys.index).groupby([keys[name] for name in keys.columns])
    return np.asarray(by_key.transform("nunique") > 1)


def _row_keys(raw: Raw, names: list[str]) -> np.ndarray:
    if raw.images is not None:
        return _digests(row for row in raw.images)
    if raw.series is not None:
        rows = raw.series
        return _digests(rows.row(index) for index in range(len(rows)))
    if raw.text is not None:
        return np.asarray(pd.util.hash_pandas_object(raw.frame[raw.text], index=False))
    if not names:
        return np.arange(len(raw.frame))
    return np.asarray(pd.util.hash_pandas_object(raw.frame[names], index=False))


def _digests(arrays: Iterable[np.ndarray]) -> np.ndarray:
    """Return 64 bits for each array: two that differ hardly ever have the same."""
    parts = (np.ascontiguousarray(array).tobytes() for array in arrays)
    return np.frombuffer(
        b"".join(blake2b(part, digest_size=8).digest() for part in parts), np.uint64
    )


def _leaks(raw: Raw, names: list[str], labels: np.ndarray, task: Task) -> Check:
    train, valid = (
        np.flatnonzero(labels == "train")[:_LEAK_ROWS],
        np.flatnonzero(labels == "valid")[:_LEAK_ROWS],
    )
    alone = {name: _alone(raw, name, train, valid, task) for name in names}
    scores = {name: score for name, score in alone.items() if not np.isnan(score)}
    found = [name for name, score in scores.items() if score >= _LEAK_SCORE]
    text = "; ".join(
        f"{n} alone predicts the target ({scores[n]:.3f}): is it known before the target is?"
        for n in found
    )
    best = max(scores.items(), key=lambda item: item[1], default=None)
    nothing = (
        f"no single column gives the target away (the strongest, {best[0]}: {best[1]:.3f})"
        if best
        else f"not for data of kind {raw.kind}"
    )
    return _check("target leaks", found, text, nothing=nothing)


def _alone(raw: Raw, name: str, train: np.ndarray, valid: np.ndarray, task: Task) -> float:
    """How well one column predicts: at most 1, on validation rows.

    For classes the ROC AUC (one against rest) of a small tree, of several labels the highest; for
    numbers its R², or the square of the rank correlation, which finds a copy in other units among
    few rows too.
    """
    values = _numbers(raw, name)[:, None]
    if raw.labels:
        each = np.asarray(raw.targets).T
        return max(_of_class(values, has.astype(str), train, valid) for has in each)
    target = raw.frame[raw.roles.target].to_numpy()
    if task == "regression":
        tree = DecisionTreeRegressor(max_depth=6, min_samples_leaf=5, random_state=0)
        tree.fit(values[train], target[train].astype(float))
        truth = target[valid].astype(float)
        score = float(r2_score(truth, tree.predict(values[valid])))
        return max(score, _rank_correlation(values[valid, 0], truth) ** 2)
    return _of_class(values, target.astype(str), train, valid)


def _of_class(
    values: np.ndarray, classes: np.ndarray, train: np.ndarray, valid: np.ndarray
) -> float:
    model = DecisionTreeClassifier(max_depth=6, min_samples_leaf=5, random_state=0).fit(
        values[train], classes[train]
    )
    if set(classes[valid]) != set(model.classes_):
        return 0.0
    scores = model.predict_proba(values[valid])
    if len(model.classes_) == 2:
        return float(roc_auc_score(classes[valid] == model.classes_[1], scores[:, 1]))
    return float(roc_auc_score(classes[valid], scores, multi_class="ovr", labels=model.classes_))


def _rank_correlation(first: np.ndarray, second: np.ndarray) -> float:
    ranks = pd.DataFrame({"first": first, "second": second}).rank()
    if len(ranks) < _FEWEST_RANKS or (ranks.nunique() < 2).any():
        return 0.0
    return float(np.corrcoef(ranks["first"], ranks["second"])[0, 1])


def _numbers(raw: Raw, name: str) -> np.ndarray:
    series = raw.frame[name]
    if column_type(series, raw=raw) == "categorical":
        return pd.Categorical(as_text(series)).codes.astype(float)
    return pd.to_numeric(series, errors="coerce").astype(float).fillna(-1e9).to_numpy()


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more


def _check(
    name: str, columns: Iterable[str], text: str, *, nothing: str, is_columns: bool = True
) -> Check:
    found = tuple(str(c) for c in columns)
    if not found:
        return Check(name=name, status="ok", found=nothing)
    return Check(name=name, status="warning", found=text, columns=found if is_columns else ())
