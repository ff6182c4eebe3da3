"""The words on over- and underfitting."""

import re

import numpy as np
import pandas as pd
import pytest

from assay.metrics.fitting import judge_fitting


def _history(valid, train):
    epochs = range(1, len(valid) + 1)
    return pd.DataFrame({"epoch": epochs, "train_loss": train, "valid_loss": valid})


@pytest.mark.parametrize(
    ("valid", "train", "words"),
    [
        ([1.0, 0.5, 0.4, 0.6, 0.8], [1.0, 0.5, 0.3, 0.2, 0.1], "overfitting after epoch 3"),
        (np.linspace(2, 1, 10), np.linspace(2, 1, 10), "underfitting: .* still fell by 10%"),
        ([1.0, 0.5, 0.4, 0.4, 0.401], [1.0, 0.5, 0.4, 0.4, 0.4], "no sign"),
        ([1.0], [1.0], "too few"),
    ],
)
def test_verdicts(valid, train, words):
    assert re.search(words, judge_fitting(_history(valid, train)))
