"""The words on over- and underfitting, and what may help."""

import re

import numpy as np
import pandas as pd
import pytest

from assay.metrics.fitting import Circumstances, judge_fitting
from assay.metrics.objective import Objective

KNOBS = {"training.max_epochs": 30, "training.weight_decay": 0.01, "model.dropout": 0.1}
PLAIN = Circumstances(knobs=KNOBS)


def _history(valid, train):
    epochs = range(1, len(valid) + 1)
    return pd.DataFrame({"epoch": epochs, "train_loss": train, "valid_loss": valid})


@pytest.mark.parametrize(
    ("valid", "train", "words"),
    [
        (
            [1.0, 0.5, 0.4, 0.6, 0.8],
            [1.0, 0.5, 0.3, 0.2, 0.1],
            r"overfitting after epoch 3.*raise training\.weight_decay \(0\.01\) or model\.dropout",
        ),
        (
            np.linspace(2, 1, 10),
            np.linspace(2, 1, 10),
            r"underfitting: .* still fell by 10%.*raise training\.max_epochs \(30\)",
        ),
        ([1.0, 0.5, 0.4, 0.4, 0.401], [1.0, 0.5, 0.4, 0.4, 0.4], "no sign"),
        ([1.0, 0.5, 0.4, 0.4, 0.401], [1.0, 0.3, 0.1, 0.1, 0.1], "a gap: .* is 4.0 times"),
        ([1.0], [1.0], "too few"),
    ],
)
def test_verdicts(valid, train, words):
    assert re.search(words, judge_fitting(_history(valid, train), PLAIN))


@pytest.mark.parametrize(
    ("goal", "values", "trivial", "is_flat"),
    [
        (("log_loss", "minimize"), [0.7, 0.69, 0.69, 0.69], 0.69, True),
        (("log_loss", "minimize"), [0.7, 0.69, 0.6, 0.5], 0.69, False),
        (("accuracy", "maximize"), [0.5, 0.505, 0.5, 0.5], 0.5, True),
        (("accuracy", "maximize"), [0.5, 0.8, 0.7, 0.7], 0.5, False),
    ],
)
def test_flat_at_the_baseline(goal, values, trivial, is_flat):
    name, direction = goal
    history = _history([1.0] * 4, [1.0] * 4).assign(**{f"valid_{name}": values})
    about = Circumstances(
        goal=Objective(name=name, direction=direction), trivial=trivial, knobs={"training.lr": 0.1}
    )
    words = judge_fitting(history, about)
    assert words.startswith("flat at the baseline") == is_flat
    assert not is_flat or "training.lr (0.1)" in words


def test_augmentation_is_offered_where_the_data_has_one_that_is_off():
    history = _history([1.0, 0.5, 0.4, 0.6], [1.0, 0.5, 0.3, 0.2])
    off = {"training.augmentation.image.shift": 0.0}
    for knobs, is_offered in ((off, True), ({"training.augmentation.image.shift": 0.1}, False)):
        words = judge_fitting(history, Circumstances(kind="image", knobs=knobs))
        assert ("augmentation=images" in words) == is_offered
    assert "augmentation" not in judge_fitting(history, Circumstances(kind="table", knobs=off))


@pytest.mark.parametrize(("goal", "is_named"), [("log_loss", True), ("rmse", False)])
def test_smoothing_of_labels_is_no_remedy_for_numbers(goal, is_named):
    about = Circumstances(
        goal=Objective(name=goal, direction="minimize"), knobs={"training.label_smoothing": 0.0}
    )
    history = _history([1.0, 0.5, 0.4, 0.6, 0.8], [1.0, 0.5, 0.3, 0.2, 0.1])
    assert ("label_smoothing" in judge_fitting(history, about)) is is_named
