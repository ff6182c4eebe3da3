"""The review of errors says in words what a cell lacks, and counts in grammar."""

import numpy as np
import pandas as pd
import pytest

from assay.pipeline.evaluating.review import _value, _words


@pytest.mark.parametrize(
    ("cell", "said"),
    [(np.nan, "missing"), (None, "missing"), (3.0, "3"), (25000.25, "25000"), (True, "True")],
)
def test_a_cell_in_words(cell: object, said: str) -> None:
    assert _value(cell) == said


def test_one_row_is_no_rows() -> None:
    pairs = pd.DataFrame(
        {"actual": list("ab"), "predicted": list("ba"), "rows": [2, 1], "share": [1.0, 0.25]}
    )
    assert _words(pairs) == (
        "confused most: a taken for b (2 rows, 100% of the class), b taken for a (1 row, 25% of the class)"
    )
