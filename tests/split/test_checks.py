"""Each check finds a made fault, and finds nothing in clean data."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from assay.data.raw import Raw, Roles
from assay.split.checks import run_checks

_COUNT = 300
_LABELS = np.array(["train", "train", "train", "valid", "test"] * (_COUNT // 5))


def _clean() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    target = np.arange(_COUNT) % 2
    return pd.DataFrame(
        {
            "size": rng.normal(size=_COUNT) + target,
            "city": rng.choice(["Rom", "Oslo"], _COUNT),
            "is_new": rng.random(_COUNT) < 0.5,
            "y": np.array(["no", "yes"])[target],
        }
    )


def _found(frame: pd.DataFrame, *, task: Any = "classification") -> dict[str, dict[str, Any]]:
    raw = Raw(frame=frame, roles=Roles(target="y"))
    return {check["name"]: check for check in run_checks(raw, labels=_LABELS, task=task)}


@pytest.mark.parametrize("task", ["classification", "regression"])
def test_clean_data_has_no_warning(task: Any) -> None:
    frame = _clean()
    if task == "regression":
        frame["y"] = frame["size"] + np.random.default_rng(1).normal(size=_COUNT)
    checks = _found(frame, task=task)
    assert list(checks) == [
        "left out",
        "missing values",
        "constant columns",
        "id-like columns",
        "class imbalance",
        "classes in every split",
        "duplicates across splits",
        "target leaks",
    ]
    assert {name: check["found"] for name, check in checks.items() if check["status"] != "ok"} == {}
    assert all(check["found"] for check in checks.values())


_rng = np.random.default_rng(2)
_KEYS = [f"k{i:03d}" for i in range(_COUNT)]
_HALF_LOST = np.where(_rng.random(_COUNT) < 0.5, np.nan, _rng.normal(size=_COUNT))


@pytest.mark.parametrize(
    ("name", "column", "values", "said"),
    [
        ("missing values", "extra", _HALF_LOST, "extra 54.0%"),
        ("constant columns", "extra", 3, "left out, one value in all training rows: extra"),
        ("constant columns", "extra", None, "extra"),
        ("constant columns", "extra", np.where(_LABELS == "train", 0, _rng.random(_COUNT)), "extra"),
        ("id-like columns", "extra", _KEYS, "left out, text that differs in nearly every row: extra"),
        ("id-like columns", "extra", range(1000, 1000 + _COUNT), "count up row by row; name them with data.id or"),
        ("target leaks", "extra", (np.arange(_COUNT) % 2) * 7.5, "extra alone predicts the target (1.000)"),
        ("target leaks", "extra", np.where(np.arange(_COUNT) % 2, "paid", "open"), "extra alone predicts"),
    ],
)  # fmt: skip
def test_a_fault_of_a_column_is_found(name: str, column: str, values: Any, said: str) -> None:
    check = _found(_clean().assign(**{column: values}))[name]
    assert (check["status"], check["columns"]) == ("warning", (column,))
    assert said in check["found"]


def test_a_leak_of_a_number_is_found() -> None:
    rng = np.random.default_rng(3)
    target = rng.normal(size=_COUNT).round(1)
    frame = _clean().assign(y=target, copy=target * 3 + 1)
    assert _found(frame, task="regression")["target leaks"]["columns"] == ("copy",)


def test_classes_out_of_balance_are_found() -> None:
    frame = _clean()
    frame.loc[10:, "y"] = "no"
    check = _found(frame)["class imbalance"]
    assert check["status"] == "warning"
    assert "training.class_weights=balanced" in check["found"]


def test_duplicates_across_splits_are_found_and_within_one_are_not() -> None:
    frame = _clean()
    frame.loc[1] = frame.loc[0]
    assert _found(frame)["duplicates across splits"]["status"] == "ok"
    frame.loc[4] = frame.loc[0]
    check = _found(frame)["duplicates across splits"]
    assert check["status"] == "warning"
    assert check["found"].startswith("3 rows have the same features in more than one split, 3 of")
    frame.loc[4, "y"] = "yes" if frame.loc[0, "y"] == "no" else "no"
    check = _found(frame)["duplicates across splits"]
    assert check["found"].startswith("3 rows have the same features in more than one split, 0 of")


def test_duplicate_images_are_found() -> None:
    images = np.random.default_rng(0).integers(256, size=(_COUNT, 1, 3, 3)).astype(np.uint8)
    frame = pd.DataFrame({"y": np.arange(_COUNT) % 2})

    def status() -> str:
        raw = Raw(frame=frame, roles=Roles(target="y"), images=images)
        checks = run_checks(raw, labels=_LABELS, task="classification")
        return {check["name"]: check["status"] for check in checks}["duplicates across splits"]

    assert status() == "ok"
    images[4] = images[0]
    assert status() == "warning"


def test_one_validation_row_is_no_leak_and_no_failure() -> None:
    labels = np.array(["train"] * (_COUNT - 2) + ["valid", "test"])
    frame = _clean().assign(y=np.arange(_COUNT, dtype=float))
    raw = Raw(frame=frame, roles=Roles(target="y"))
    checks = {c["name"]: c for c in run_checks(raw, labels=labels, task="regression")}
    assert "nan" not in checks["target leaks"]["found"]


@pytest.mark.parametrize("split", ["valid", "test"])
def test_a_split_of_one_class_is_found(split: str) -> None:
    frame = _clean()
    frame.loc[split == _LABELS, "y"] = "no"
    check = _found(frame)["classes in every split"]
    assert check["status"] == "warning"
    assert f"the {split} split has no row of yes, only 'no'; metrics that need" in check["found"]
