"""Rows of a request against the signature: arrays, lists in lists, tables."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from assay.data.spec import Column, Forecast, Image, Series, Spec, Text
from assay.data.tokenizer import Tokens, learn_tokenizer
from assay.errors import DataError
from assay.inference.requests import array_feeds, request_feeds
from assay.inference.signature import signature_of

COMMON = {"target": "y", "train_rows": 4}
TABLE = signature_of(
    Spec(task="regression", kind="table", columns=(Column(name="age", type="numeric"),), **COMMON)
)
IMAGES = signature_of(
    Spec(
        task="regression",
        kind="image",
        image=Image(channels=1, height=2, width=3, mean=(0.0,), std=(1.0,)),
        **COMMON,
    )
)
SERIES = Series(channels=("a", "b"), steps=2, shortest=1, mean=(0.0, 0.0), std=(1.0, 1.0))
SEQUENCES = signature_of(Spec(task="regression", kind="sequence", series=SERIES, **COMMON))
TEXTS = signature_of(
    Spec(
        task="regression",
        kind="text",
        text=Text(
            column="review",
            tokenizer=learn_tokenizer(["dull", "fine"], Tokens()),
            vocabulary=4,
            steps=9,
        ),
        **COMMON,
    )
)
STEPS = [[[1, 2], [3, None]], [[5, 6]]]


def test_sequences_of_unequal_length_are_filled_up_and_counted():
    feeds = request_feeds(pd.DataFrame({"sequence": STEPS}), SEQUENCES)
    assert feeds["lengths"].tolist() == [2, 1]
    assert feeds["sequence"].dtype == np.float32
    np.testing.assert_array_equal(feeds["sequence"], [[[1, 2], [3, np.nan]], [[5, 6], [0, 0]]])


@pytest.mark.parametrize("lengths", [[2, 1], np.array([2, 1]), [2.0, 1.0]])
def test_what_lies_behind_a_length_is_cut_off(lengths):
    block = np.array([[[1, 2], [3, 4]], [[5, 6], [7, 8]]])
    feeds = array_feeds({"sequence": block, "lengths": lengths}, SEQUENCES)
    np.testing.assert_array_equal(feeds["sequence"][1], [[5, 6], [0, 0]])
    assert array_feeds({"sequence": block}, SEQUENCES)["lengths"].tolist() == [2, 2]


def test_a_long_table_of_steps_is_taken_too():
    frame = pd.DataFrame({"row": [0, 0, 1], "a": [1, 3, 5], "b": [2, None, 6]})
    by_lines = request_feeds(frame, SEQUENCES)
    nested = request_feeds([{"sequence": row} for row in STEPS], SEQUENCES)
    for name, array in by_lines.items():
        np.testing.assert_array_equal(nested[name], array)


def test_a_forecast_looks_at_the_last_steps_with_gaps_filled():
    unit = {"mean": (0.0, 0.0), "std": (1.0, 1.0)}
    forecast = Forecast(
        horizon=1, window=2, season=1, series=("a", "b"), level="none", naive=(), **unit
    )
    signature = signature_of(
        Spec(task="forecasting", kind="sequence", series=SERIES, forecast=forecast, **COMMON)
    )
    feeds = request_feeds({"sequence": [[[9, 9], [1, 2], [3, None]]]}, signature)
    np.testing.assert_array_equal(feeds["sequence"], [[[1, 2], [3, 2]]])
    with pytest.raises(DataError, match="the last 2 steps of each row, but one has 1"):
        request_feeds({"sequence": [[[1, 2]]]}, signature)


def test_a_forecast_follows_the_latest_times_in_whatever_order_and_with_steps_left_out():
    unit = {"mean": (0.0, 0.0), "std": (1.0, 1.0)}
    forecast = Forecast(
        horizon=1, window=4, season=1, series=("a", "b"), level="none", naive=(), time="day", **unit
    )
    signature = signature_of(
        Spec(task="forecasting", kind="sequence", series=SERIES, forecast=forecast, **COMMON)
    )
    days = ["06.02.2024", "01.02.2024", "03.02.2024", "02.02.2024", "05.02.2024"]
    table = pd.DataFrame({"day": days, "a": [6, 1, 3, 2, 5], "b": [0, 0, 0, 0, 0]})
    assert request_feeds(table, signature)["sequence"][0, :, 0].tolist() == [3, 3, 5, 6]
    assert request_feeds(table.drop(columns="day"), signature)["sequence"][0, -1, 0] == 5
    with pytest.raises(DataError, match=r"'day': 2024-02-06 00:00:00 comes twice .* 'row'"):
        request_feeds(pd.concat([table, table[:1]]), signature)


@pytest.mark.parametrize(
    "given",
    [
        {"image": np.arange(12).reshape(2, 1, 2, 3)},
        {"image": np.arange(12, dtype=np.uint8).reshape(2, 2, 3)},
        np.arange(12.0).reshape(2, 2, 3).tolist(),
        pd.DataFrame({"image": np.arange(12).reshape(2, 2, 3).tolist()}),
        pd.DataFrame(np.arange(12).reshape(2, 6), columns=[f"pixel_{i}" for i in range(6)]),
    ],
)
def test_images_come_with_or_without_their_one_channel(given):
    image = request_feeds(given, IMAGES)["image"]
    assert image.dtype == np.uint8
    np.testing.assert_array_equal(image, np.arange(12).reshape(2, 1, 2, 3))


@pytest.mark.parametrize(
    "given",
    [
        ["fine, dull", "", "fine"],
        {"review": ["fine, dull", None, "fine"]},
        [{"review": "fine, dull"}, {"review": None}, {"review": "fine"}],
        {"tokens": [[3, 1, 2], [1], [3]]},
        pd.DataFrame({"tokens": [[3, 1, 2], [1, 0, 0], [3, 0, 0]], "lengths": [3, 1, 1]}),
    ],
)
def test_texts_come_as_texts_or_as_ids(given):
    feeds = request_feeds(given, TEXTS)
    assert feeds["tokens"].dtype == np.int64
    assert feeds["tokens"].tolist() == [[3, 1, 2], [1, 0, 0], [3, 0, 0]]
    assert feeds["lengths"].tolist() == [3, 1, 1]


def test_texts_may_stand_in_a_column_that_is_called_as_the_ids_are():
    named = replace(TEXTS, text=replace(TEXTS.text, column="tokens"))
    assert request_feeds({"tokens": ["fine", "dull"]}, named)["tokens"].tolist() == [[3], [2]]


@pytest.mark.parametrize(
    "given", [{"age": [1, None]}, [{"age": 1}, {"age": None}], {"age": np.array([1, None])}]
)
def test_columns_come_by_name(given):
    np.testing.assert_array_equal(request_feeds(given, TABLE)["age"], [1, np.nan])


@pytest.mark.parametrize(
    ("given", "signature", "told"),
    [
        ([], TABLE, "there are no rows"),
        (pd.DataFrame({"age": []}), TABLE, "there are no rows"),
        ({"age": []}, TABLE, "there are no rows"),
        ({"age": [1, 2], "city": ["x"]}, TABLE, "do not stand beside each other"),
        ({"ages": [1]}, TABLE, "column 'age' is missing; did you mean 'ages'"),
        ({"reviw": ["fine"]}, TEXTS, "column 'review' is missing; did you mean 'reviw'"),
        ({"tokens": [[4]]}, TEXTS, "'tokens', row 0: expected whole numbers from 0 to 3"),
        ({"tokens": [[1], [1.5]]}, TEXTS, "'tokens', row 1: expected whole numbers"),
        ({"sequence": 3}, SEQUENCES, "'sequence': expected rows of any x 2, got no rows"),
        ({"sequence": [[]]}, SEQUENCES, "'sequence', row 0: expected rows of any x 2, got a row of 0"),
        ({"sequence": [[[1, 2]], [[1]]]}, SEQUENCES, "row 1: expected rows of any x 2, got a row of 1 x 1"),
        ({"sequence": [[[1, "x"]]]}, SEQUENCES, "'sequence', row 0: expected numbers"),
        ({"sequence": [[[1, 1e39]]]}, SEQUENCES, "row 0: expected finite numbers"),
        ({"sequence": STEPS, "lengths": [2]}, SEQUENCES, "expected 2 of them, one a row, got 1"),
        ({"sequence": STEPS, "lengths": [2, 2]}, SEQUENCES, "row 1: expected a whole number from 1 to 1"),
        ({"sequence": STEPS, "lengths": ["a", 1]}, SEQUENCES, "expected a whole number for each row"),
        (np.full((1, 2, 3), 256), IMAGES, "'image', row 0: expected whole numbers from 0 to 255"),
        (np.zeros((1, 3, 2)), IMAGES, "expected rows of 1 x 2 x 3, got a row of 1 x 3 x 2"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_named(given, signature, told):
    with pytest.raises(DataError) as refused:
        request_feeds(given, signature)
    assert told in str(refused.value)
