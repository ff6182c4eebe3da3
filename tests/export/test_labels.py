"""Several labels a row: from a user's table to the graph's answers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from assay.data.csv import Csv
from assay.data.spec import read_spec
from assay.errors import DataError
from assay.export.export import Exported, export
from assay.export.knobs import Export
from assay.inference.feeds import frame_feeds
from assay.inference.predictions import explained_of, prediction_table, scores_of
from assay.inference.session import Session
from assay.inference.signature import read_signature
from assay.model.mlp import Mlp
from assay.pipeline.fitting.candidate import try_candidate
from assay.pipeline.fitting.inputs import Inputs, read_inputs
from assay.split.prepare import prepare
from assay.training.knobs import Training


def _table(path: Path, rows: int = 400) -> Path:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(rows, 3)).round(3)
    frame = pd.DataFrame(x, columns=["a", "b", "c"])
    frame["warm"], frame["wet"] = (x[:, 0] > 0).astype(int), np.where(x[:, 1] > 0.8, "yes", "no")
    both = zip(frame["warm"], frame["wet"], strict=True)
    frame["told"] = [";".join(["warm"] * bool(h) + ["wet"] * (w == "yes")) for h, w in both]
    frame.to_csv(path, index=False)
    return path


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Inputs:
    folder = tmp_path_factory.mktemp("labels")
    path = _table(folder / "weather.csv")
    data = Csv(path=str(path), target=("warm", "wet"), ignore=("told",))
    prepare(data, folder=folder)
    return read_inputs(folder)


@pytest.fixture(scope="module")
def exported(inputs: Inputs) -> Exported:
    training = Training(max_epochs=12, threads=1, device="cpu", lr=0.02)
    outcome = try_candidate(inputs, model=Mlp(width=16, dropout=0.0), training=training, seed=0)
    assert outcome.metrics["f1_macro"] > 0.7
    assert outcome.fit.history[-1]["valid_subset_accuracy"] > 0.6
    return export(outcome.network, spec=inputs.spec, valid=inputs.valid, knobs=Export())


def test_labels_are_learned_from_training_rows_and_are_no_features(inputs: Inputs) -> None:
    spec = inputs.spec
    assert (spec.task, spec.classes) == ("multilabel", ("warm", "wet"))
    assert [column.name for column in spec.columns] == ["a", "b", "c"]
    target = np.asarray(inputs.train.target)
    assert target.dtype == np.uint8 and target.shape == (len(inputs.train), 2)
    assert spec.class_counts == tuple(target.sum(0).tolist())
    shown = inputs.train.rows()["__target__"]
    assert set(shown) == {"", "warm", "wet", "warm|wet"}
    assert [text.count("warm") for text in shown] == target[:, 0].tolist()


def test_a_cell_that_lists_labels_says_the_same(inputs: Inputs, tmp_path: Path) -> None:
    path = _table(tmp_path / "weather.csv")
    data = Csv(path=str(path), target="told", label_separator=";", ignore=("warm", "wet"))
    prepare(data, folder=tmp_path)
    assert read_spec(tmp_path / "spec.json") == inputs.spec
    assert np.array_equal(read_inputs(tmp_path).train.target, inputs.train.target)


def test_a_label_of_hardly_any_row_is_refused(tmp_path: Path) -> None:
    path = _table(tmp_path / "weather.csv")
    frame = pd.read_csv(path)
    frame["warm"] = 0
    frame.loc[:1, "warm"] = 1
    frame.to_csv(path, index=False)
    with pytest.raises(DataError, match="label 'warm' stands in 2 of 400 rows"):
        prepare(Csv(path=str(path), target=("warm", "wet"), ignore=("told",)), folder=tmp_path)


def test_the_graph_gives_labels_by_thresholds_of_its_own(
    inputs: Inputs, exported: Exported, tmp_path: Path
) -> None:
    assert exported.parity.largest_difference < 1e-5
    exported.signature.write(tmp_path / "signature.json")
    signature = read_signature(tmp_path / "signature.json")
    assert signature == exported.signature and len(signature.thresholds) == 2
    session = Session(exported.model)
    session.require(signature)
    for rows in (1, 7):
        outputs = session.run(frame_feeds(inputs.valid.rows().head(rows), signature))
        probability, given = outputs["probability"], outputs["prediction"]
        assert probability.shape == given.shape == (rows, 2) and given.dtype == np.int64
        assert np.array_equal(given, probability > np.float32(signature.thresholds))
        assert scores_of(outputs, signature).shape == (rows, 2, 2)
        assert explained_of(outputs, signature).shape == (rows, 2)
        table = prediction_table(outputs, signature)
        assert list(table) == ["prediction", "probability_warm", "probability_wet"]
        assert [t.count("|") for t in table["prediction"]] == [int(g.all()) for g in given]


def test_one_half_decides_where_that_is_asked_for(inputs: Inputs, exported: Exported) -> None:
    torch.manual_seed(0)
    training = Training(max_epochs=1, threads=1, device="cpu")
    network = try_candidate(inputs, model=Mlp(width=4), training=training, seed=0).network
    knobs = Export(decide="half", calibrate="none")
    half = export(network, spec=inputs.spec, valid=inputs.valid, knobs=knobs)
    assert half.signature.thresholds == (0.5, 0.5)
    assert half.calibration.temperature == 1.0
    assert exported.calibration.log_loss_before is not None
