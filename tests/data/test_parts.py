"""A part of a split's rows is a split like any other."""

import numpy as np
import pytest
from tests.synthetic import write_inputs


@pytest.mark.parametrize(
    ("kind", "task"),
    [
        ("table", "classification"),
        ("image", "classification"),
        ("sequence", "regression"),
        ("text", "classification"),
        ("text", "language_modelling"),
    ],
)
def test_rows_of_a_part_are_those_of_the_whole(tmp_path, kind, task):
    whole = write_inputs(tmp_path, kind=kind, task=task).train
    positions = np.array([5, 2, 11, 7])
    part = whole.take(positions)
    assert len(part) == 4 and part.is_ragged == whole.is_ragged
    found, expected = part.whole(), whole.batch(positions)
    assert found.keys() == expected.keys()
    for name, array in found.items():
        assert np.array_equal(array, expected[name], equal_nan=array.dtype.kind == "f")
    assert np.array_equal(part.targets(np.arange(4)), whole.targets(positions))
    assert part.rows()["__id__"].tolist() == whole.rows()["__id__"].iloc[positions].tolist()
    again = part.take(np.array([2, 0]))
    assert again.rows()["__id__"].tolist() == whole.rows()["__id__"].iloc[[11, 5]].tolist()
    assert np.array_equal(again.targets(np.arange(2)), whole.targets(np.array([11, 5])))
