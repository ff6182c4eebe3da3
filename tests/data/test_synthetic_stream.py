"""The generated stream: the same twice, faulty where it says so and nowhere else."""

import numpy as np
import pytest

from assay.data.synthetic_stream import NORMAL, SyntheticStream


@pytest.fixture(scope="module")
def raw():
    return SyntheticStream(windows=600).read()


def test_the_same_seed_gives_the_same_stream(raw):
    assert SyntheticStream(windows=600).read().digest() == raw.digest()
    assert SyntheticStream(windows=600, seed=1).read().digest() != raw.digest()


def test_every_kind_of_fault_occurs_and_most_windows_have_none(raw):
    counts = raw.frame["fault"].value_counts()
    assert set(raw.anomalies) == set(counts.index) - {NORMAL}
    assert 0.88 < counts[NORMAL] / len(raw.frame) < 0.96


def test_windows_follow_each_other_and_pulses_are_seen_by_both_sensors(raw):
    assert np.array_equal(np.diff(raw.frame["start"]), np.full(599, 48))
    normal = np.flatnonzero(raw.frame["fault"] == NORMAL)
    rows = raw.series.padded(normal)
    assert rows.shape[1:] == (48, 2) and np.isfinite(rows).all()
    together = [np.corrcoef(row[:-3, 0], row[3:, 1])[0, 1] for row in rows]
    assert np.median(together) > 0.8
