"""Splits are disjoint and exhaustive, keep what belongs together, and are the same twice."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from assay.data.raw import Raw, Roles
from assay.data.spec import Task
from assay.data.splitting import Splitting
from assay.errors import ConfigError, DataError
from assay.split.assign import SPLITS, assign, way_of

_WAYS = ["random", "stratified", "group", "time"]


def _raw(count: int, seed: int = 0, **roles: str) -> Raw:
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "x": rng.normal(size=count),
            "patient": [f"p{i}" for i in rng.integers(max(3, count // 4), size=count)],
            "day": rng.integers(50, size=count),
            "y": rng.permutation(np.arange(count) % 3),
        }
    )
    return Raw(frame=frame, roles=Roles(target="y", group="patient", time="day", **roles))


_splittings = st.builds(
    Splitting,
    by=st.sampled_from(_WAYS),
    valid=st.floats(0.1, 0.4),
    test=st.floats(0.1, 0.4),
    seed=st.integers(0, 2**31),
)


@settings(max_examples=80, deadline=None)
@given(splitting=_splittings, count=st.integers(30, 120), seed=st.integers(0, 99))
def test_every_row_is_in_one_split_and_every_split_has_rows(
    splitting: Splitting, count: int, seed: int
) -> None:
    raw = _raw(count, seed)
    task: Task = "classification" if splitting.by == "stratified" else "regression"
    labels = assign(raw, splitting=splitting, task=task)
    assert labels.shape == (count,)
    assert set(labels) == set(SPLITS)
    np.testing.assert_array_equal(labels, assign(raw, splitting=splitting, task=task))
    groups = raw.frame["patient"].groupby(labels).agg(set)
    days = raw.frame["day"].groupby(labels).agg(["min", "max"])
    if splitting.by == "group":
        assert not groups["train"] & groups["valid"]
        assert not (groups["train"] | groups["valid"]) & groups["test"]
    else:
        together = int(raw.frame["day"].value_counts().max()) if splitting.by == "time" else 1
        assert abs(int((labels == "test").sum()) - count * splitting.test) <= together
        assert abs(int((labels == "valid").sum()) - count * splitting.valid) <= 2 * together
    if splitting.by == "time":
        assert days["max"]["train"] < days["min"]["valid"]
        assert days["max"]["valid"] < days["min"]["test"]
    if splitting.by == "stratified":
        shares = raw.frame["y"].groupby(labels).value_counts(normalize=True).unstack()
        parts = pd.Series(labels).value_counts()
        assert (shares.sub(shares.loc["train"]).abs().max(axis=1) * parts <= 3).all()


@given(seed=st.integers(0, 99))
def test_numbers_are_stratified_by_their_size(seed: int) -> None:
    raw = _raw(400)
    raw.frame["y"] = np.random.default_rng(seed).exponential(size=400)
    labels = assign(raw, splitting=Splitting(by="stratified", seed=seed), task="regression")
    is_large = raw.frame["y"] > raw.frame["y"].median()
    for name in SPLITS:
        assert is_large[labels == name].mean() == pytest.approx(0.5, abs=0.08)


@given(seed=st.integers(0, 99))
def test_another_seed_is_another_split(seed: int) -> None:
    raw = _raw(100)
    one, two = (
        assign(raw, splitting=Splitting(by="random", seed=s), task="regression")
        for s in (seed, seed + 1)
    )
    assert (one != two).any()


@pytest.mark.parametrize(
    ("roles", "task", "way"),
    [
        ({"split": "s", "time": "t", "group": "g"}, "classification", "column"),
        ({"time": "t", "group": "g"}, "classification", "time"),
        ({"group": "g"}, "classification", "group"),
        ({}, "classification", "stratified"),
        ({}, "regression", "stratified"),
    ],
)
def test_auto_takes_what_the_data_names(roles: dict[str, str], task: Any, way: str) -> None:
    assert way_of(Splitting(), roles=Roles(target="y", **roles), task=task) == way
    assert way_of(Splitting(by="random"), roles=Roles(target="y", **roles), task=task) == "random"


def _with(column: str, values: object, role: str) -> Raw:
    frame = pd.DataFrame({column: values})
    frame["y"] = np.arange(len(frame)) % 2
    return Raw(frame=frame, roles=Roles(target="y", **{role: column}))


@given(
    st.lists(
        st.sampled_from(["train", "Training", " VALID", "val", "dev", "test", "Testing "]),
        min_size=3,
    )
)
def test_a_column_that_says_it_is_obeyed(words: list[str]) -> None:
    expected = [{"t": "train", "v": "valid", "d": "valid"}[w.strip().lower()[0]] for w in words]
    expected = [
        "test" if w.strip().lower().startswith("test") else e
        for w, e in zip(words, expected, strict=True)
    ]
    assume(set(expected) == set(SPLITS))
    labels = assign(_with("part", words, "split"), splitting=Splitting(), task="regression")
    assert labels.tolist() == expected


@pytest.mark.parametrize(
    ("raw", "splitting", "sentence"),
    [
        (_with("part", ["train", "holdout", None] * 5, "split"), {}, "expected train, valid or test; got holdout, nan"),
        (_with("part", ["train", "test"] * 5, "split"), {}, "by column leaves no rows for valid (10 rows in all)"),
        (_with("x", range(10), "id"), {"by": "group"}, "a split by group needs data.group to name a column"),
        (_with("x", range(10), "id"), {"by": "time"}, "a split by time needs data.time to name a column"),
        (_with("x", range(10), "id"), {"by": "column"}, "needs data.split_column to name a column"),
        (_with("g", ["a", "b"] * 5, "group"), {}, "2 groups cannot fill three splits: at least 3 are needed"),
        (_with("g", ["a", "b", None, "c"] * 5, "group"), {}, "names no group in 5 rows, first in row 3 below"),
        (_with("g", ["a", "b", "c"] * 5, "group"), {"test": 0.9, "valid": 0.05}, "3 groups cannot be divided so"),
        (_with("t", range(10), "time"), {"test": 0.01}, "the split by time leaves no rows for test"),
        (_with("t", [1] * 5 + [2] * 5, "time"), {"by": "time"}, "column 't' has 2 different times"),
        (_with("t", [*["2020-01-01"] * 9, "soon"], "time"), {}, "row 10 below the header: 'soon' is no time"),
        (_with("t", [*range(9), None], "time"), {}, "column 't', row 10 below the header: nan is no time"),
        (_with("x", range(10), "id"), {"by": "random", "test": 0.98, "valid": 0.01}, "10 rows cannot be divided so"),
    ],
)  # fmt: skip
def test_a_split_that_cannot_be_is_told(raw: Raw, splitting: dict[str, Any], sentence: str) -> None:
    with pytest.raises((DataError, ConfigError)) as caught:
        assign(raw, splitting=Splitting(**splitting), task="regression")
    assert sentence in str(caught.value)


def test_a_class_that_is_never_trained_on_is_told() -> None:
    raw = _with("t", range(20), "time")
    raw.frame["y"] = ["a"] * 10 + ["b"] * 7 + ["c"] * 3
    with pytest.raises(DataError, match="puts class 'c' into test but into no training row"):
        assign(raw, splitting=Splitting(), task="classification")


@pytest.mark.parametrize(
    "times",
    [
        [f"2020-01-{day:02d}" for day in range(1, 31)],
        [f"2020-01-{day:02d}T10:00+0{day % 3}:00" for day in range(1, 31)],
        [f"{day}/1/2020" if day > 12 else f"2020-01-{day:02d}" for day in range(1, 31)],
        [
            *(f"{day:02d}.01.2020" for day in range(1, 16)),
            *(f"{d:02d}.02.2020" for d in range(1, 16)),
        ],
        pd.date_range("2020-01-01", periods=30),
        range(30),
        np.arange(30) - 1e9,
    ],
)
def test_time_is_put_in_order_however_it_is_written(times: Any) -> None:
    order = np.random.default_rng(0).permutation(30)
    raw = _with("t", pd.Series(times).iloc[order].reset_index(drop=True), "time")
    labels = assign(raw, splitting=Splitting(), task="regression")
    places = {name: set(order[labels == name]) for name in SPLITS}
    assert max(places["train"]) < min(places["valid"])
    assert max(places["valid"]) < min(places["test"])


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        ((13, 4, 3), (13, 4, 3)),  # where the shares would cut: 13 and 16 of 20
        ((9, 6, 2, 3), (9, 6, 5)),
        ((18, 1, 1), (18, 1, 1)),
        ((1, 1, 18), (1, 1, 18)),
        ((1,) * 20, (13, 3, 4)),
    ],
)
def test_rows_of_one_time_are_never_parted(counts: tuple[int, ...], expected: Any) -> None:
    raw = _with("t", np.repeat(np.arange(len(counts)), counts)[::-1], "time")
    labels = assign(raw, splitting=Splitting(by="time"), task="regression")
    assert tuple(int((labels == name).sum()) for name in ("train", "valid", "test")) == expected
    parts = [set(raw.frame["t"][labels == name]) for name in ("train", "valid", "test")]
    assert sum(map(len, parts)) == len(counts)
