from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from assay.cli.explain import positions
from assay.data.prepared import Split
from assay.errors import ConfigError, DataError
from assay.pipeline.explaining.account import require_slices


@pytest.fixture
def test_split(tmp_path: Path) -> Split:
    np.save(tmp_path / "target.npy", np.zeros(3))
    pd.DataFrame({"__id__": ["3", "17", "40"]}).to_parquet(tmp_path / "rows.parquet")
    return Split(tmp_path)


def test_rows_are_found_by_their_ids_in_the_order_asked(test_split):
    assert positions(test_split, "40, 3,40").tolist() == [2, 0]


@pytest.mark.parametrize("rows", ["18,3", "", "x"])
def test_rows_that_do_not_exist_are_one_clear_message(test_split, rows):
    with pytest.raises(DataError, match="ids of the 3 test rows"):
        positions(test_split, rows)


def test_slices_that_the_data_does_not_have_are_named(test_split):
    with pytest.raises(ConfigError, match=r"explain\.slices: the data has no column 'region'"):
        require_slices(test_split, ("region",))
