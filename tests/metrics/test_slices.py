"""Metrics by the values of a column."""

import numpy as np
import pandas as pd
import pytest

from assay.errors import ConfigError
from assay.metrics.knobs import Evaluate
from assay.metrics.scores import score
from assay.metrics.slices import score_slices


def _rows(count=200):
    rng = np.random.default_rng(0)
    rows = pd.DataFrame(
        {
            "__id__": np.arange(count),
            "sex": np.where(rng.random(count) < 0.5, "f", "m"),
            "age": rng.uniform(18, 90, count),
        }
    )
    rows.loc[:29, "sex"] = None
    rows.loc[30:32, "sex"] = "x"
    return rows, rng.normal(size=count), rng.normal(size=count)


def test_each_value_is_scored_on_its_rows():
    rows, target, output = _rows()
    knobs = Evaluate(resamples=20)
    arrays = {"rows": rows, "target": target, "output": output}
    found = score_slices("regression", **arrays, columns=("sex",), knobs=knobs)
    assert {entry["value"]: entry["rows"] for entry in found} == (
        rows["sex"].fillna("missing").value_counts().to_dict()
    )
    here = (rows["sex"] == "f").to_numpy()
    women = next(entry for entry in found if entry["value"] == "f")
    expected = score("regression", target=target[here], output=output[here])
    assert women["metrics"]["rmse"]["value"] == pytest.approx(expected["rmse"])
    few = next(entry for entry in found if entry["value"] == "x")
    assert few["metrics"] == {} and "fewer than 20 rows" in few["reason"]


def test_numbers_are_cut_at_their_quartiles():
    rows, target, output = _rows()
    knobs = Evaluate(resamples=5)
    arrays = {"rows": rows, "target": target, "output": output}
    found = score_slices("regression", **arrays, columns=("age",), knobs=knobs)
    assert [entry["rows"] for entry in found] == [50, 50, 50, 50]


def test_no_slices_and_unknown_columns():
    rows, target, output = _rows()
    arrays = {"rows": rows, "target": target, "output": output}
    assert score_slices("regression", **arrays, columns=(), knobs=Evaluate()) == []
    with pytest.raises(ConfigError, match="no column 'sx'; did you mean 'sex'"):
        score_slices("regression", **arrays, columns=("sx",), knobs=Evaluate())
