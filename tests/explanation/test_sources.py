import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.errors import DataError
from assay.explanation.sources import ImageSources, TableSources, grid_of


def test_codes_give_back_their_rows_with_texts_and_missing_values():
    columns = {
        "number": np.array([1.0, np.nan, 1.0, np.nan]),
        "text": np.array(["a", "", "b", "a"], dtype=object),
    }
    sources = TableSources(columns)
    back = sources.feeds(sources.codes)
    for name, values in columns.items():
        np.testing.assert_array_equal(back[name], values)
    assert sources.codes.tolist() == [[0, 0], [1, 1], [0, 2], [1, 0]], "equal values, equal codes"


def test_an_array_of_two_axes_is_no_column():
    with pytest.raises(DataError, match="one value a row"):
        TableSources({"x": np.zeros((3, 2))})


@given(st.integers(1, 5), st.integers(1, 9), st.integers(1, 9), st.integers(2, 30))
def test_any_image_comes_back_from_its_codes(channels, height, width, patches):
    images = np.random.default_rng(0).integers(0, 3, (4, channels, height, width)).astype(np.uint8)
    sources = ImageSources(images, patches=patches)
    np.testing.assert_array_equal(sources.feeds(sources.codes)["image"], images)
    assert len(sources.names) <= patches


def test_small_images_are_cut_into_pixels_and_larger_ones_into_patches():
    assert grid_of(8, 8, patches=64)[1] == (8, 8)
    assert grid_of(28, 28, patches=64)[1] == (7, 7)
    assert grid_of(9, 4, patches=6)[1] == (3, 2)
    assert ImageSources(np.zeros((1, 1, 8, 8)), patches=64).names[9] == "pixel 1,1"
    assert ImageSources(np.zeros((1, 1, 8, 8)), patches=16).names[5] == "patch 1,1"
