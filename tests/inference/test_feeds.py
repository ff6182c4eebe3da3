"""A user's table against the signature: what fits is taken, what does not is named."""

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from assay.data.spec import Column, Image, Spec
from assay.errors import DataError
from assay.inference.feeds import frame_feeds
from assay.inference.signature import signature_of

SPEC = Spec(
    task="classification",
    kind="table",
    target="y",
    train_rows=10,
    columns=(
        Column(name="age", type="numeric"),
        Column(name="member", type="boolean"),
        Column(name="city", type="categorical", categories=("Oslo", "3")),
    ),
    classes=("no", "yes"),
)
SIGNATURE = signature_of(SPEC)


def _frame(**columns):
    return pd.DataFrame({"age": [1, 2], "member": [True, False], "city": ["Oslo", "3"], **columns})


def test_ints_booleans_and_texts_become_raw_inputs():
    feeds = frame_feeds(_frame(), SIGNATURE)
    assert feeds["age"].dtype == np.float64 and feeds["age"].tolist() == [1.0, 2.0]
    assert feeds["member"].tolist() == [1.0, 0.0]
    assert feeds["city"].dtype == object and feeds["city"].tolist() == ["Oslo", "3"]


def test_missing_values_become_nan_and_empty_text():
    frame = _frame(
        age=[None, 2.5], member=pd.array([None, True], dtype="boolean"), city=[None, 3.0]
    )
    feeds = frame_feeds(frame, SIGNATURE)
    assert np.isnan(feeds["age"][0]) and np.isnan(feeds["member"][0])
    assert feeds["city"].tolist() == ["", "3"]


@pytest.mark.parametrize(
    "words", [["true", "False"], ["YES", "no"], [1, 0], ["1", "0"], [1.0, 0.0], [" True ", "nO"]]
)
def test_words_for_booleans(words):
    assert frame_feeds(_frame(member=words), SIGNATURE)["member"].tolist() == [1.0, 0.0]


def test_numbers_may_come_as_text():
    assert frame_feeds(_frame(age=["1.5", "2e3"]), SIGNATURE)["age"].tolist() == [1.5, 2000.0]


def test_order_and_spare_columns_do_not_matter():
    frame = _frame(spare=[0, 0])[["spare", "city", "age", "member"]]
    assert list(frame_feeds(frame, SIGNATURE)) == ["age", "member", "city"]


def test_every_missing_column_is_named_with_the_nearest():
    frame = _frame().rename(columns={"age": "agee", "city": "citty"})
    with pytest.raises(DataError) as error:
        frame_feeds(frame, SIGNATURE)
    text = str(error.value)
    assert "'age' is missing; did you mean 'agee'" in text
    assert "'city' is missing; did you mean 'citty'" in text


def test_a_doubled_column_is_refused():
    frame = pd.concat([_frame(), _frame()[["age"]]], axis=1)
    with pytest.raises(DataError, match="'age' occurs more than once"):
        frame_feeds(frame, SIGNATURE)


@pytest.mark.parametrize(
    ("column", "values", "words"),
    [
        ("age", [1, "old"], r"'age', row 1: expected a number or nothing, got 'old'"),
        ("age", [np.inf, 1], r"'age', row 0: expected a finite number"),
        ("age", [1, 1e300], r"'age', row 1: expected a finite number .*, got 1e\+300 \("),
        ("member", ["maybe", "yes"], r"'member', row 0: expected true, false, .* got 'maybe'"),
        ("member", [2, 1], r"'member', row 0"),
    ],
)
def test_a_wrong_value_is_named_with_its_row(column, values, words):
    with pytest.raises(DataError, match=words):
        frame_feeds(_frame(**{column: values}), SIGNATURE)


def _image_signature():
    image = Image(channels=1, height=2, width=2, mean=(0.0,), std=(1.0,))
    spec = Spec(
        task="regression", kind="image", target="y", train_rows=1, image=image, target_std=2.0
    )
    return signature_of(spec)


def test_images_come_as_columns_of_pixels():
    frame = pd.DataFrame([[0, 1, 2, 255]], columns=[f"pixel_{i}" for i in range(4)])
    image = frame_feeds(frame, _image_signature())["image"]
    assert image.dtype == np.uint8 and image.tolist() == [[[[0, 1], [2, 255]]]]


def test_wrong_pixels_are_named():
    frame = pd.DataFrame([[0, 1, 2, 256]], columns=[f"pixel_{i}" for i in range(4)])
    with pytest.raises(DataError, match=r"'pixel_3', row 0: .* 0 to 255, got"):
        frame_feeds(frame, _image_signature())
    with pytest.raises(DataError, match="1 of them are missing, the first is 'pixel_3'"):
        frame_feeds(frame.iloc[:, :3], _image_signature())


def test_empty_frames_keep_their_columns():
    feeds = frame_feeds(_frame().iloc[:0], SIGNATURE)
    assert {name: len(array) for name, array in feeds.items()} == dict.fromkeys(feeds, 0)


def test_torch_is_not_imported():
    code = (
        "import sys, assay.inference.feeds, assay.inference.session, assay.inference.predictions,"
        "assay.metrics.slices, assay.metrics.curves; print(*sys.modules)"
    )
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout
    assert "numpy" in loaded and "torch" not in loaded.split()
