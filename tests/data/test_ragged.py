import numpy as np
import pytest

from assay.data.prepared import Pieces, _ragged, write_ragged
from assay.data.ragged import InMemory, Ragged, ragged
from assay.errors import ArtifactError

ROWS = [np.arange(3.0), np.zeros(0), np.array([7.0]), np.arange(5.0) + 10]


@pytest.fixture
def rows():
    return ragged(ROWS)


def test_rows_are_what_was_given(rows):
    assert len(rows) == 4
    assert rows.lengths.tolist() == [3, 0, 1, 5]
    for index, row in enumerate(ROWS):
        np.testing.assert_array_equal(rows.row(index), row)


def test_a_batch_is_as_long_as_its_longest_row(rows):
    batch = rows.padded(np.array([2, 0, 1]), fill=-1)
    assert batch.tolist() == [[7, -1, -1], [0, 1, 2], [-1, -1, -1]]


def test_taken_rows_keep_their_order(rows):
    taken = rows.take(np.array([3, 3, 2]))
    assert [taken.row(i).tolist() for i in range(3)] == [ROWS[3].tolist()] * 2 + [[7.0]]


def test_steps_may_have_channels():
    rows = ragged([np.ones((2, 3)), np.zeros((1, 3))])
    assert rows.padded(np.array([0, 1])).shape == (2, 2, 3)


@pytest.mark.parametrize("offsets", [[0, 2, 1, 3], [1, 3], [0, 2], []])
def test_offsets_that_do_not_fit_are_refused(offsets):
    with pytest.raises(ArtifactError, match="rise from 0 to 3"):
        Ragged(InMemory(array=np.arange(3)), np.array(offsets, np.int64))


def test_they_survive_files_of_bounded_size(rows, tmp_path):
    write_ragged(tmp_path, "sequence", rows, piece_bytes=16)
    assert len(list(tmp_path.glob("sequence-0*.npy"))) == 5
    again = _ragged(tmp_path, "sequence")
    assert isinstance(again.values, Pieces)
    np.testing.assert_array_equal(again.padded(np.array([3, 0])), rows.padded(np.array([3, 0])))
