"""So many labels of each class are left to learn from, and nothing else changes."""

import json

import numpy as np
import pytest
from tests.synthetic import raw_of

from assay.data.digits import Digits
from assay.data.prepared import Split
from assay.data.splitting import Splitting
from assay.errors import DataError
from assay.split.few import few_of_each_class
from assay.split.prepare import prepare


def test_training_has_so_many_rows_of_each_class_and_the_other_splits_all_of_theirs(tmp_path):
    all_rows, few = tmp_path / "all", tmp_path / "few"
    for folder, per_class in ((all_rows, None), (few, 5)):
        folder.mkdir()
        prepared = prepare(Digits(split=Splitting(per_class=per_class)), folder=folder)
    assert any("1117 rows, by data.split.per_class" in line for line in prepared.summary)
    counts = np.bincount(Split(few / "train").target)
    assert counts.tolist() == [5] * 10
    assert json.loads((few / "spec.json").read_text())["class_counts"] == [5] * 10
    for name in ("valid", "test"):
        ids = [Split(folder / name).rows()["__id__"].tolist() for folder in (all_rows, few)]
        assert ids[0] == ids[1]


@pytest.mark.parametrize(
    ("task", "per_class", "message"),
    [("regression", 2, "regression has no classes"), ("classification", 99, "99 training rows")],
)
def test_what_there_is_not_is_refused(task, per_class, message):
    raw = raw_of("image", "classification")
    labels = np.full(len(raw.frame), "train")
    with pytest.raises(DataError, match=message):
        few_of_each_class(raw, labels=labels, per_class=per_class, seed=0, task=task)
