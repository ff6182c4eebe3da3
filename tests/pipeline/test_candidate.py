import numpy as np
import pytest
import torch

from assay.errors import ArtifactError, ConfigError
from assay.metrics.objective import objective
from assay.metrics.scores import score
from assay.model.cnn import Cnn
from assay.model.mlp import Mlp
from assay.pipeline.fitting.candidate import try_candidate
from assay.pipeline.fitting.inputs import read_inputs
from assay.pipeline.fitting.network import build_network, load_network, predict, write_weights
from assay.training.knobs import Training

MODEL = Mlp(width=16)
TRAINING = Training(max_epochs=3, batch_size=16)


def test_a_candidate_is_scored_on_the_validation_split(inputs):
    rows = []
    outcome = try_candidate(
        inputs, model=MODEL, training=TRAINING, seed=0, on_epoch=lambda e, row: rows.append(row)
    )
    output = predict(outcome.network, inputs.valid)
    task = inputs.spec.task
    assert outcome.metrics == score(task, target=inputs.valid.target, output=output)
    goal = objective(task).name
    assert outcome.value == outcome.metrics[goal]
    assert outcome.value == pytest.approx(outcome.fit.best_value, rel=1e-5)
    assert len(rows) == 3 and f"valid_{goal}" in rows[0]


def test_candidates_do_not_disturb_each_other(inputs):
    first = try_candidate(inputs, model=MODEL, training=TRAINING, seed=7)
    try_candidate(inputs, model=Mlp(width=8), training=TRAINING, seed=1)
    again = try_candidate(inputs, model=MODEL, training=TRAINING, seed=7)
    assert first.value == again.value
    for name, tensor in first.fit.weights.items():
        assert torch.equal(tensor, again.fit.weights[name])


def test_a_model_on_data_that_it_cannot_take_is_refused(inputs):
    with pytest.raises(ConfigError, match="cnn takes image input"):
        try_candidate(inputs, model=Cnn(), training=TRAINING, seed=0)


def test_weights_come_back_from_their_file(inputs, tmp_path):
    network = build_network(MODEL, inputs.spec, seed=0)
    write_weights(tmp_path / "w.safetensors", network.state_dict())
    again = load_network(MODEL, inputs.spec, weights=tmp_path / "w.safetensors")
    assert not again.training
    assert np.array_equal(predict(network, inputs.valid), predict(again, inputs.valid))


def test_predictions_do_not_depend_on_batches(inputs, monkeypatch):
    network = build_network(MODEL, inputs.spec, seed=0)
    whole = predict(network, inputs.train)
    monkeypatch.setattr("assay.pipeline.fitting.network._ROWS", 7)
    np.testing.assert_allclose(predict(network, inputs.train), whole, rtol=1e-5)
    assert whole.dtype == np.float32
    classes = len(inputs.spec.classes)
    assert whole.shape == ((len(inputs.train), classes) if classes else (len(inputs.train),))


def test_unusable_weights_say_how_to_make_them_again(inputs, tmp_path):
    path = tmp_path / "weights.safetensors"
    with pytest.raises(ArtifactError, match="is missing: run 'dvc repro train'"):
        load_network(MODEL, inputs.spec, weights=path)
    path.write_bytes(b"no tensors")
    with pytest.raises(ArtifactError, match="is damaged"):
        load_network(MODEL, inputs.spec, weights=path)
    write_weights(path, build_network(Mlp(width=8), inputs.spec, seed=0).state_dict())
    with pytest.raises(ArtifactError, match="holds other tensors than this model"):
        load_network(MODEL, inputs.spec, weights=path)


def test_missing_splits_are_named(tmp_path):
    with pytest.raises(ArtifactError, match="missing"):
        read_inputs(tmp_path)
