"""A seeded small fit on real data keeps giving what it gave: a change of it must be meant."""

from __future__ import annotations

from pathlib import Path

import pytest

from assay.data.breast_cancer import BreastCancer
from assay.data.diabetes import Diabetes
from assay.data.digits import Digits
from assay.data.raw import DataSet
from assay.layers.shape import Model
from assay.model.cnn import Cnn
from assay.model.mlp import Mlp
from assay.pipeline.fitting.candidate import try_candidate
from assay.pipeline.fitting.inputs import read_inputs
from assay.split.prepare import prepare
from assay.training.knobs import Training

# Validation metrics after three epochs with seed 0 and one thread; the tolerance is what other
# processors may add to sums of floats, far below what a change of data, order or method does.
GOLDEN = {
    "digits-cnn": (Digits(), Cnn(width=8), {"log_loss": 1.4067, "accuracy": 0.8741}),
    "digits-mlp": (Digits(), Mlp(width=32), {"log_loss": 1.6081, "accuracy": 0.8074}),
    "cancer-mlp": (BreastCancer(), Mlp(width=32), {"log_loss": 0.4790, "roc_auc": 0.9832}),
    "diabetes-mlp": (Diabetes(), Mlp(width=32), {"rmse": 69.763, "r2": 0.2224}),
}


@pytest.mark.parametrize("name", GOLDEN)
def test_a_seeded_fit_gives_what_it_gave(name: str, tmp_path: Path) -> None:
    data, model, golden = GOLDEN[name]
    found = _metrics(data, model, tmp_path)
    assert {metric: found[metric] for metric in golden} == pytest.approx(golden, rel=0.02)


def _metrics(data: DataSet, model: Model, folder: Path) -> dict[str, float]:
    prepare(data, folder=folder)
    training = Training(max_epochs=3, threads=1)
    return try_candidate(read_inputs(folder), model=model, training=training, seed=0).metrics
