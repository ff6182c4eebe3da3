import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st
from tests.synthetic import write_inputs

from assay.training.loader import Batches, Passes, Rows, evaluation_size, order


class Numbered:
    """A split whose rows are their own indices."""

    def __init__(self, rows):
        self.target = np.arange(rows)
        self.inputs = {}
        self.is_ragged = False

    def __len__(self):
        return len(self.target)

    def batch(self, indices):
        return {"numeric": indices.astype(np.float32)[:, None]}

    def targets(self, indices):
        return self.target[indices]

    def whole(self):
        return self.batch(np.arange(len(self)))


def _epoch(batches):
    return [batch.target.tolist() for piece in batches for batch in piece]


@given(rows=st.integers(1, 300), batch_size=st.integers(1, 70), seed=st.integers(0, 9))
def test_an_epoch_gives_every_row_once(rows, batch_size, seed):
    batches = Batches(Rows(Numbered(rows)), batch_size=batch_size, seed=seed)
    found = _epoch(batches)
    assert sorted(row for batch in found for row in batch) == list(range(rows))
    assert len(found) == batches.batches
    assert all(len(batch) <= batch_size + 1 for batch in found)
    if batch_size > 1 and rows > 1:
        assert min(map(len, found)) > 1


@given(rows=st.integers(2, 300), batch_size=st.integers(2, 40), data=st.data())
def test_two_integers_are_the_whole_state(rows, batch_size, data):
    split = Rows(Numbered(rows))
    whole = Batches(split, batch_size=batch_size, seed=1)
    pieces = [piece for _ in range(2) for piece in whole]
    states = []
    again = Batches(split, batch_size=batch_size, seed=1)
    for _ in range(2):
        for _ in again:
            states.append((again.epoch, again.batch))
    at = data.draw(st.integers(0, len(pieces) - 1))
    resumed = Batches(split, batch_size=batch_size, seed=1)
    epoch, batch = states[at]
    resumed.start_at(epoch=epoch, batch=batch)
    rest = []
    while len(rest) < len(pieces) - at - 1:
        rest += list(resumed)
    for mine, expected in zip(rest, pieces[at + 1 :], strict=False):
        assert [b.target.tolist() for b in mine] == [b.target.tolist() for b in expected]


@given(rows=st.integers(2, 300), batch_size=st.integers(2, 40), data=st.data())
def test_any_batch_can_be_the_next_one(rows, batch_size, data):
    batches = Batches(Rows(Numbered(rows)), batch_size=batch_size, seed=1)
    whole = [_epoch(batches) for _ in range(2)]
    at = data.draw(st.integers(0, batches.batches))
    batches.start_at(epoch=0, batch=at)
    pieces = list(batches)
    assert len(pieces) == max(1, -(-(batches.batches - at) // 8))
    assert [b.target.tolist() for piece in pieces for b in piece] == whole[0][at:]
    assert (batches.epoch, batches.batch) == (1, 0)
    assert _epoch(batches) == whole[1]


def test_the_order_depends_on_seed_and_epoch_alone():
    first = order(50, seed=1, epoch=2)
    assert np.array_equal(first, order(50, seed=1, epoch=2))
    assert not np.array_equal(first, order(50, seed=1, epoch=3))
    assert not np.array_equal(first, order(50, seed=2, epoch=2))


def test_inputs_and_target_stay_together():
    for piece in Batches(Rows(Numbered(100)), batch_size=8, seed=0):
        for inputs, target in piece:
            assert inputs["numeric"][:, 0].tolist() == target.tolist()


def test_a_limit_cuts_the_epoch_short():
    batches = Batches(Rows(Numbered(100)), batch_size=8, seed=0, limit=3)
    assert batches.batches == 3
    assert [len(batch) for batch in _epoch(batches)] == [8, 8, 8]


def test_large_splits_are_read_from_their_files_with_the_same_result(images):
    in_memory, on_disk = Rows(images.train), Rows(images.train, in_memory_bytes=0)
    chosen = np.array([5, 1, 1, 30])
    first, second = in_memory.gather(chosen), on_disk.gather(chosen)
    assert torch.equal(first.inputs["image"], second.inputs["image"])
    assert torch.equal(first.target, second.target)
    assert second.inputs["image"].dtype == torch.uint8


def test_passes_go_through_a_split_in_order(images):
    rows = Rows(images.valid)
    passes = Passes(rows, size=7)
    targets = torch.cat([batch.target for batch in passes])
    assert np.array_equal(targets.numpy(), images.valid.target)
    assert len(list(passes)) == len(passes)


def test_big_rows_are_evaluated_a_few_at_a_time(images):
    assert evaluation_size(images.valid, outputs=10) > 1000
    assert images.valid.rows_at_once(most_rows=1000, most_numbers=300) == 300 // 64
    assert images.valid.rows_at_once(most_rows=1000, most_numbers=10) == 1


def test_answers_for_steps_count_among_what_is_held_at_once(tmp_path):
    valid = write_inputs(tmp_path, kind="text", task="language_modelling").valid
    longest = int(valid.lengths.max())
    numbers = longest * 1000 + longest + 1
    assert valid.rows_at_once(most_rows=9, most_numbers=3 * numbers, outputs=1000) == 3


def test_a_batch_of_ragged_rows_is_as_wide_as_its_own_longest(tmp_path):
    inputs = write_inputs(tmp_path, kind="sequence", task="classification")
    batches = Batches(Rows(inputs.train), batch_size=4, seed=0)
    for piece in batches:
        for batch in piece:
            steps, lengths = batch.inputs["sequence"], batch.inputs["lengths"]
            assert steps.shape[1] == lengths.max()


def test_ragged_batches_do_not_depend_on_where_an_epoch_was_begun(tmp_path):
    inputs = write_inputs(tmp_path, kind="sequence", task="classification")
    whole, later = (Batches(Rows(inputs.train), batch_size=4, seed=0) for _ in range(2))
    later.start_at(epoch=0, batch=3)
    everything = [batch for piece in whole for batch in piece]
    for ours, theirs in zip(everything[3:], [b for p in later for b in p], strict=True):
        assert ours.inputs["sequence"].nan_to_num().equal(theirs.inputs["sequence"].nan_to_num())
