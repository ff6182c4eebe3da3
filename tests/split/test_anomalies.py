"""Anomalies stay out of training and are known in the other two splits."""

from dataclasses import replace

import numpy as np
import pytest
from tests.synthetic import raw_of

from assay.data.digits import Digits
from assay.data.prepared import Split
from assay.data.raw import Roles
from assay.errors import DataError
from assay.split.anomalies import anomaly_labels, without_anomalies
from assay.split.prepare import prepare


def test_training_sees_no_anomaly_and_the_other_splits_know_theirs(tmp_path):
    prepared = prepare(Digits(task="reconstruction", anomalies=(3, 9)), folder=tmp_path)
    assert any("anomalies" in line for line in prepared.summary)
    train, *others = (Split(tmp_path / name) for name in ("train", "valid", "test"))
    assert not train.target.any()
    assert not set(train.rows()["__target__"]) & {"3", "9"}
    for split in others:
        is_anomaly = split.rows()["__target__"].isin(["3", "9"])
        assert is_anomaly.any() and np.array_equal(split.target == 1, is_anomaly)


def test_statistics_come_from_normal_rows_alone(tmp_path):
    raw = raw_of("image", "classification")
    bright = raw.frame["y"] == 2
    raw.images[bright] = 255

    class Data:
        split = Digits().split

        def read(self):
            return replace(raw, task="reconstruction", anomalies=(2,))

    prepare(Data(), folder=tmp_path)
    levels = np.concatenate([Split(tmp_path / "train").whole()["image"].ravel()])
    assert levels.max() < 255


def test_words_can_be_anomalies_too():
    raw = replace(raw_of("table", "classification"), task="reconstruction", anomalies=("yes",))
    assert np.array_equal(anomaly_labels(raw) == 1, raw.frame["y"] == "yes")


def test_without_a_target_nothing_is_known():
    raw = replace(raw_of("image", "classification"), task="reconstruction", roles=Roles())
    assert set(anomaly_labels(raw)) == {-1}


@pytest.mark.parametrize(
    ("task", "anomalies", "message"),
    [
        ("reconstruction", (), "name the values of 'y'"),
        ("reconstruction", ("7",), "'y' is never '7'"),
        ("reconstruction", (0, 1, 2), "every training row is an anomaly"),
        ("classification", (1,), "set data.task=reconstruction"),
    ],
)
def test_what_makes_no_sense_is_refused(task, anomalies, message):
    raw = replace(raw_of("image", "classification"), anomalies=anomalies)
    labels = np.array(["train"] * len(raw.frame))
    with pytest.raises(DataError, match=message):
        without_anomalies(raw, labels=labels, task=task)
