"""``assay predict``: raw rows in, predictions out, and what is said when that cannot be."""

import os
import shutil
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from tests.cli.conftest import changed

URI = "models:/flowers@champion"
CSV = "id,size,colour\n7,2,red\n8,-3,blue\n9,1.5,never seen\n"


@pytest.fixture
def assay(assay):
    Path("in.csv").write_text(CSV)
    return partial(assay, "predict")


def left():
    return {path.name for path in Path().iterdir()} - {"in.csv"}


def test_rows_come_back_with_prediction_and_probabilities(assay):
    status, said, noted = assay(URI, "in.csv", "-o", "out.csv")
    assert status == 0, noted
    assert said == "3 rows scored by models:/flowers/1: out.csv\n"
    assert "not used by the model: id" in noted
    out = pd.read_csv("out.csv")
    assert list(out.columns) == [
        "id",
        "size",
        "colour",
        "prediction",
        "probability_no",
        "probability_yes",
    ]
    assert list(out.id) == [7, 8, 9]
    assert list(out.prediction) == ["yes", "no", "yes"]
    assert out.probability_yes[0] == pytest.approx(1 / (1 + np.exp(-8)), abs=1e-6)
    np.testing.assert_allclose(out.probability_no + out.probability_yes, 1, atol=1e-6)
    assert left() == {"out.csv"}


def test_categories_that_training_did_not_have_are_told_with_their_rows(assay):
    Path("in.csv").write_text("size,colour\n1,green\n2,red\n3,green\n4,\n5,teal\n")
    status, _, noted = assay(URI, "in.csv", "-o", "out.csv")
    assert status == 0
    assert "column 'colour': 3 rows hold categories" in noted
    assert "'green' (2), 'teal' (1)" in noted
    Path("in.csv").write_text("size,colour\n1,blue\n2,\n")
    assert "categories" not in assay(URI, "in.csv", "-o", "out.csv")[2]


def test_parquet_in_and_out(assay):
    pd.read_csv("in.csv").to_parquet("in.parquet")
    status, _, noted = assay("models:/flowers/1", "in.parquet", "-o", "out.parquet")
    assert status == 0, noted
    assert list(pd.read_parquet("out.parquet").prediction) == ["yes", "no", "yes"]


@pytest.mark.parametrize("shape", [(3, 1, 2, 2), (3, 2, 2)])
@pytest.mark.parametrize("suffix", [".npy", ".npz"])
def test_images_as_arrays(assay, shape, suffix):
    pixels = np.arange(12).reshape(shape)
    (np.save if suffix == ".npy" else np.savez)(f"in{suffix}", pixels)
    status, _, noted = assay("models:/pictures@champion", f"in{suffix}", "-o", "out.csv")
    assert status == 0, noted
    assert list(pd.read_csv("out.csv").prediction) == [6, 22, 38]


def test_images_as_columns_of_pixels(assay):
    columns = [f"pixel_{i}" for i in range(4)]
    pd.DataFrame(np.arange(12).reshape(3, 4), columns=columns).to_csv("pixels.csv", index=False)
    status, _, noted = assay("models:/pictures@champion", "pixels.csv", "-o", "out.csv")
    assert status == 0, noted
    assert list(pd.read_csv("out.csv").prediction) == [6, 22, 38]


@pytest.mark.parametrize(
    ("uri", "given", "words"),
    [
        (URI, "id,siz,colour\n1,2,red\n", ("column 'size' is missing", "did you mean 'siz'")),
        (URI, "size,colour\nbig,red\n", ("column 'size', row 0", "'big'")),
        (URI, "size,colour,prediction\n1,red,yes\n", ("prediction", "rename them")),
        (URI, "", ("in.csv is empty",)),
        ("models:/flower@champion", CSV, ("did you mean 'flowers'",)),
        ("models:/flowers@champoin", CSV, ("no alias 'champoin'", "@champion (version 1)")),
        ("models:/flowers/9", CSV, ("no version 9", "version 1")),
        ("flowers", CSV, ("expected models:/NAME@champion", "flowers, pictures")),
        ("models:/pictures@champion", CSV, ("pixel_0 to pixel_3",)),
    ],
)
def test_what_cannot_be_scored_is_one_message_and_no_file(assay, uri, given, words):
    Path("in.csv").write_text(given)
    status, said, noted = assay(uri, "in.csv", "-o", "out.csv")
    assert status == 1
    assert said == ""
    assert "Traceback" not in noted
    for word in words:
        assert word in noted
    assert left() == set()


@pytest.mark.parametrize(
    ("array", "words"),
    [
        (
            np.zeros((2, 1, 3, 3)),
            "in.npy: 'image', row 0: expected rows of 1 x 2 x 2, got a row of 1 x 3 x 3",
        ),
        (np.full((2, 1, 2, 2), 0.5), "whole numbers from 0 to 255"),
    ],
)
def test_arrays_that_are_no_such_images(assay, array, words):
    np.save("in.npy", array)
    status, _, noted = assay("models:/pictures@champion", "in.npy", "-o", "out.csv")
    assert status == 1
    assert words in noted


def test_a_place_that_is_not_there(assay):
    status, _, noted = assay(URI, "in.csv", "-o", "nowhere/out.csv")
    assert status == 1
    assert "there is no folder" in noted


def test_where_nothing_can_be_written_or_removed_it_is_one_message(assay):
    Path(f".out.csv.{os.getpid()}").mkdir()  # refuses to be written and unlinked, as such a disk
    status, _, noted = assay(URI, "in.csv", "-o", "out.csv")
    assert status == 1
    assert "out.csv cannot be written: Is a directory" in noted


def test_a_file_that_was_there_stays_when_it_fails(assay):
    Path("out.csv").write_text("old\n")
    shutil.copy("in.csv", "bad.csv")
    Path("bad.csv").write_text("colour\nred\n")
    status, _, _ = assay(URI, "bad.csv", "-o", "out.csv")
    assert status == 1
    assert Path("out.csv").read_text() == "old\n"


def test_a_changed_model_scores_nothing(assay, home):
    with changed(home, URI):
        status, said, noted = assay(URI, "in.csv", "-o", "out.csv")
    assert (status, said) == (1, "")
    assert "models:/flowers/1: model.onnx was changed" in noted
    assert "Traceback" not in noted
    assert left() == set()


@pytest.mark.parametrize("name", ["out.json", "out"])
def test_a_place_of_another_format_is_refused(assay, name):
    status, said, noted = assay(URI, "in.csv", "-o", name)
    assert (status, said) == (1, "")
    assert "ends in .csv, .parquet, .pq" in noted
    assert left() == set()
