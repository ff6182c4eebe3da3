import dataclasses
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from assay.data.spec import Column, Spec
from assay.explanation.groups import CLASS, group_table
from assay.explanation.slices import labels_of
from assay.inference.signature import signature_of

SPEC = Spec(
    task="classification",
    kind="table",
    target="y",
    train_rows=40,
    columns=(Column(name="a", type="numeric"), Column(name="b", type="numeric")),
    classes=("no", "yes"),
)


def told(slices, *, classes=("no", "yes")):
    """The class 'no' is moved by a, 'yes' by b."""
    given = np.array([0] * 24 + [1] * 12)
    values = np.zeros((36, 2, 2))
    values[given == 0, 0, :], values[given == 1, 1, :] = 0.2, 0.4
    outcome = SimpleNamespace(sample=SimpleNamespace(values=values))
    subject = SimpleNamespace(
        sources=SimpleNamespace(names=("a", "b")),
        sample=np.arange(36),
        explained_output=given,
        slices=slices,
    )
    signature = signature_of(dataclasses.replace(SPEC, classes=classes))
    return group_table(outcome, subject, signature=signature, seed=0)


def test_each_class_has_its_own_importance():
    found = told({}).set_index(["group", "feature"])
    assert set(found["by"]) == {CLASS}
    assert found.loc[("no", "a"), "rank"] == 1
    assert found.loc[("yes", "b"), ["importance", "low"]].tolist() == pytest.approx([0.4, 0.4])
    assert found.loc[("no", "a"), "rows"] == 24


def test_slices_too_small_for_an_interval_are_left_out():
    labels = np.array(["north"] * 30 + ["south"] * 6, dtype=object)
    found = told({"region": labels})
    assert set(found[found["by"] == "region"]["group"]) == {"north"}


def test_numbers_are_cut_at_their_quartiles_and_missing_ones_are_a_group():
    rows = pd.DataFrame({"age": [*range(39), np.nan], "town": ["x", None] * 20})
    labels = labels_of(rows, ["age", "town", "absent"])
    assert set(labels) == {"age", "town"}
    assert len(set(labels["age"])) == 5
    assert set(labels["town"]) == {"x", "missing"}
