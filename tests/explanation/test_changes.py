"""A small change of a row is small for each channel of it."""

import numpy as np

from assay.data.spec import Series, Spec
from assay.explanation.changes import changed
from assay.inference.signature import signature_of

SERIES = Series(channels=("a", "b"), steps=9, shortest=9, mean=(0.0, 0.0), std=(1.0, 1.0))
SIGNATURE = signature_of(
    Spec(task="regression", kind="sequence", series=SERIES, target="y", train_rows=50)
)


def test_each_channel_of_a_sequence_moves_by_its_own_spread() -> None:
    random = np.random.default_rng(0)
    steps = (random.normal(size=(50, 9, 2)) * [1.0, 1000.0]).astype(np.float32)
    feeds = {"sequence": steps, "lengths": np.full(50, 9)}
    found = changed(feeds, feeds, signature=SIGNATURE, seed=0)
    moved = (found["sequence"] - steps).std(axis=(0, 1))
    np.testing.assert_allclose(moved, [0.05, 50.0], rtol=0.15)
    np.testing.assert_array_equal(found["lengths"], feeds["lengths"])
