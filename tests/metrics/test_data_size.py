"""What fits with other seeds and on parts of the rows say."""

import numpy as np
import pandas as pd
import pytest

from assay.metrics.data_size import repeat_words, size_table
from assay.metrics.objective import Objective

LOSS = Objective(name="log_loss", direction="minimize")


def _fits(values):
    return pd.DataFrame(
        [
            {"share": rows / 400, "rows": rows, "seed": seed, "value": value}
            for rows, found in values.items()
            for seed, value in enumerate(found)
        ],
        columns=["share", "rows", "seed", "value"],
    )


def test_a_line_for_each_size_with_students_margin():
    table = size_table(_fits({400: [0.4, 0.5, 0.6], 100: [0.9, np.nan, 0.7]}))
    assert table["rows"].tolist() == [100, 400] and table["seeds"].tolist() == [2, 3]
    assert table["mean"].tolist() == pytest.approx([0.8, 0.5])
    assert table["margin"].iloc[1] == pytest.approx(4.303 * 0.1 / 3**0.5, rel=1e-3)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({200: [0.60], 400: [0.50]}, "more rows would help still"),
        ({200: [0.501], 400: [0.50]}, "would hardly help"),
        ({200: [0.60, 0.61], 400: [0.50, 0.51]}, "over 2 seeds valid log loss is 0.505"),
        ({200: [0.60, 0.90], 400: [0.50, 0.80]}, "more rows would help still"),  # seed by seed
        (
            {200: [0.60, 0.75], 400: [0.50, 0.70]},
            "cannot be told from the luck of the seeds (gain 0.075",
        ),
        ({200: [0.50, 0.60], 400: [0.60, 0.50]}, "would hardly help"),
        ({200: [0.60, np.nan], 400: [np.nan, 0.50]}, "no seed came through both"),
    ],
)
def test_words(values, words):
    assert words in repeat_words(_fits(values), LOSS)


def test_more_is_better_the_other_way_round():
    accuracy = Objective(name="accuracy", direction="maximize")
    assert "would help still" in repeat_words(_fits({200: [0.5], 400: [0.6]}), accuracy)
    assert "hardly" in repeat_words(_fits({200: [0.6], 400: [0.5]}), accuracy)


def test_nothing_was_repeated():
    assert repeat_words(_fits({}), LOSS) == ""
