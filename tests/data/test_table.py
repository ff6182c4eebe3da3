"""What is understood of a table: its task, the types of its columns, and their codes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.data.describe import describe
from assay.data.raw import Raw, Roles
from assay.data.table import (
    MAX_CATEGORIES,
    as_numbers,
    as_text,
    categorical_array,
    class_values,
    column_type,
    features,
    infer_task,
    learn_column,
    numeric_array,
)
from assay.errors import DataError


def _raw(values: object, **roles: Any) -> Raw:
    frame = pd.DataFrame({"x": values, "y": 0})
    return Raw(frame=frame, roles=Roles(target="y", **roles))


def _learned(values: object, **roles: Any) -> Any:
    raw = _raw(values, **roles)
    return learn_column(raw.frame["x"], raw=raw)


@pytest.mark.parametrize(
    ("values", "task"),
    [
        (["a", "b"] * 50, "classification"),
        ([True, False] * 50, "classification"),
        ([0, 1] * 50, "classification"),
        ([0.0, 1.0] * 50, "classification"),
        ([*range(5)] * 20, "classification"),
        ([*range(10)] * 5, "regression"),
        ([*range(100)], "regression"),
        ([0.5, 1.5] * 50, "regression"),
        ([0, 1, np.inf] * 30, "regression"),
        ([0.0, 1e300] * 30, "regression"),
        (pd.array([0, 1, None] * 30, dtype="Int64"), "classification"),
    ],
)
def test_the_task_is_inferred(values: Any, task: str) -> None:
    assert infer_task(pd.Series(values), chosen="auto") == task


@pytest.mark.parametrize("task", ["classification", "regression"])
def test_the_users_word_about_the_task_counts(task: Any) -> None:
    assert infer_task(pd.Series(["a", "b"]), chosen=task) == task


@pytest.mark.parametrize(
    ("values", "classes"),
    [
        ([2, 1], [2, 1]),
        ([2.0, 1.0], [2, 1]),
        ([0.5, 1.0], ["0.5", "1"]),
        ([True, False], [True, False]),
        (["b", "a"], ["b", "a"]),
        ([1e300, 1.0], ["1e+300", "1"]),
    ],
)
def test_classes_are_in_the_users_own_values(values: Any, classes: list[object]) -> None:
    found = class_values(pd.Series(values)).tolist()
    assert found == classes
    assert [type(v) for v in found] == [type(c) for c in classes]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([1, 2], "numeric"),
        ([1.5, np.nan], "numeric"),
        ([True, False], "boolean"),
        ([True, None, False], "boolean"),
        (pd.array([True, None], dtype="boolean"), "boolean"),
        (pd.array([1, None], dtype="Int64"), "numeric"),
        (["a", None], "categorical"),
        ([1, "a"], "categorical"),
        (["1", "2"], "categorical"),
        (["2020-01-01", "2020-01-02"], "categorical"),
        (pd.to_datetime(["2020-01-01", None]), "categorical"),
    ],
)
def test_the_type_of_a_column_is_inferred(values: Any, expected: str) -> None:
    raw = _raw(values)
    assert column_type(raw.frame["x"], raw=raw) == expected


@pytest.mark.parametrize("role", ["categorical", "numeric"])
def test_the_users_word_about_a_column_counts(role: str) -> None:
    raw = _raw([1, 2], **{role: ("x",)})
    assert column_type(raw.frame["x"], raw=raw) == role


def test_what_has_a_role_is_no_feature_but_sensitive_columns_are() -> None:
    names = ["a", "id", "group", "time", "split", "sex", "gone", "y"]
    roles = Roles(
        target="y",
        id="id",
        group="group",
        time="time",
        split="split",
        sensitive=("sex",),
        ignore=("gone",),
    )
    frame = pd.DataFrame({name: [0] for name in names})
    assert features(Raw(frame=frame, roles=roles)) == ["a", "sex"]


def test_numbers_are_learned_without_the_missing_ones() -> None:
    column = _learned([1.0, np.nan, 3.0, 8.0])
    assert (column.type, column.missing, column.median, column.mean) == ("numeric", 1, 3.0, 4.0)
    assert column.std == pytest.approx(np.std([1.0, 3.0, 8.0]))


def test_one_value_throughout_does_not_divide_by_zero() -> None:
    assert _learned([2.0, 2.0]).std == 1.0


def test_booleans_with_missing_values_are_numbers() -> None:
    column = _learned([True, None, True, False])
    assert (column.type, column.missing, column.median) == ("boolean", 1, 1.0)


def test_a_column_without_any_value_is_told() -> None:
    with pytest.raises(DataError, match="column 'x' has no value in any training row: add it to"):
        _learned([np.nan, np.nan])


def test_categories_are_sorted_and_the_most_frequent_are_kept() -> None:
    many = [f"c{i:03d}" for i in range(100) for _ in range(2 if i >= 50 else 1)]
    column = _learned(many)
    assert len(column.categories) == MAX_CATEGORIES
    assert list(column.categories) == sorted(column.categories)
    assert {f"c{i:03d}" for i in range(50, 100)} <= set(column.categories)


def test_an_empty_word_is_a_missing_one() -> None:
    column = _learned(["", "a", None, "b"])
    assert (column.categories, column.missing) == (("a", "b"), 2)


def test_unknown_and_missing_categories_are_code_zero() -> None:
    column = _learned(["b", "a", "b"])
    frame = pd.DataFrame({"x": ["a", "b", "new", None, ""]})
    assert categorical_array(frame, [column]).tolist() == [[1], [2], [0], [0], [0]]


def test_numbers_that_are_names_have_one_writing_whatever_stands_beside_them() -> None:
    column = _learned([1.0, 2.0, 1.0], categorical=("x",))
    assert column.categories == ("1", "2")
    beside = pd.DataFrame({"x": [1.0, 2.5, 2.0, np.nan]})
    assert categorical_array(beside, [column]).tolist() == [[1], [0], [2], [0]]
    whole = pd.DataFrame({"x": [1, 2]})
    assert categorical_array(whole, [column]).tolist() == [[1], [2]]


@given(
    st.lists(
        st.none() | st.floats() | st.integers() | st.text(max_size=3) | st.booleans(), min_size=1
    )
)
def test_text_of_a_value_does_not_depend_on_its_neighbours(values: list[Any]) -> None:
    series = pd.Series(values, dtype=object)
    alone = [as_text(series.iloc[[i]]).iloc[0] for i in range(len(series))]
    assert as_text(series).tolist() == alone


@given(st.lists(st.sampled_from("abcd"), min_size=1), st.lists(st.sampled_from("abcdef")))
def test_codes_name_the_categories(train: list[str], rows: list[str]) -> None:
    column = _learned(train)
    codes = categorical_array(pd.DataFrame({"x": pd.Series(rows, dtype=object)}), [column])[:, 0]
    back = [column.categories[code - 1] if code else None for code in codes]
    assert back == [value if value in train else None for value in rows]


def test_arrays_are_unscaled_and_keep_what_is_missing() -> None:
    frame = pd.DataFrame({"a": [1, 2], "b": [True, None], "c": [0.5, np.nan]})
    raw = Raw(frame=frame.assign(y=0), roles=Roles(target="y"))
    columns = [learn_column(frame[name], raw=raw) for name in "abc"]
    array = numeric_array(frame, columns)
    assert array.dtype == np.float32
    np.testing.assert_array_equal(array, [[1, 1, 0.5], [2, np.nan, np.nan]])
    assert numeric_array(frame, []).shape == (2, 0)
    assert categorical_array(frame, []).shape == (2, 0)


def test_a_word_among_numbers_is_told_with_its_row_in_the_file() -> None:
    series = pd.Series(["1", "2", "x1"], name="age").iloc[1:]
    with pytest.raises(
        DataError, match=r"column 'age', row 3 below the header: .* got 'x1'; correct it"
    ):
        as_numbers(series)


def test_columns_are_described_in_a_few_words() -> None:
    frame = pd.DataFrame(
        {
            "key": ["k1", "k2", "k3", "k4"],
            "age": [1.5, None, 3, 4],
            "sex": ["f", "m", "f", None],
            "gone": [1, 1, 1, 1],
            "y": ["no", "yes", "no", "no"],
        }
    )
    roles = Roles(target="y", id="key", sensitive=("sex",), ignore=("gone",))
    found = describe(Raw(frame=frame, roles=roles), task="classification")
    said = {d.name: (d.used_as, d.missing, d.distinct, d.values) for d in found}
    assert said["key"] == ("id", 0, 4, "k1, k2, k3, k4")
    assert said["age"] == ("numeric", 1, 3, "1.5 to 4")
    assert said["sex"] == ("categorical, sensitive", 1, 2, "f, m")
    assert said["gone"][0] == "ignored"
    assert said["y"] == ("target (classification)", 0, 2, "no (3), yes (1)")
