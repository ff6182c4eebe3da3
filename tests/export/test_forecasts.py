"""Forecasts through the graph: in the series' own units, at the level of each window."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch
from tests.synthetic import forecast_inputs

from assay.baselines.forecasts import forecast_baselines
from assay.data.spec import required
from assay.errors import DataError
from assay.export.export import export
from assay.export.knobs import Export
from assay.inference.feeds import frame_feeds
from assay.inference.predictions import prediction_table, scores_of, steps_ahead
from assay.inference.session import Session
from assay.inference.signature import read_signature
from assay.model.gru import Gru
from assay.pipeline.fitting.network import build_network, predict


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    inputs = forecast_inputs(tmp_path_factory.mktemp("forecasts"))
    network = build_network(Gru(units=8), inputs.spec, seed=0).eval()
    found = export(network, spec=inputs.spec, valid=inputs.valid, knobs=Export())
    return inputs, network, found, Session(found.model)


@pytest.mark.parametrize("rows", [1, 7])
def test_the_graph_forecasts_what_the_network_does(exported, rows):
    inputs, network, found, session = exported
    batch = inputs.valid.batch(np.arange(rows))
    scores = scores_of(session.run(batch), found.signature)
    assert scores.shape == (rows, 3, 2)
    expected = predict(network, inputs.valid)[:rows]
    np.testing.assert_allclose(scores, expected, rtol=1e-5, atol=1e-4)
    session.require(found.signature)


def test_a_series_that_rose_is_forecast_at_its_new_level(exported):
    inputs, _, found, session = exported
    batch = inputs.valid.batch(np.arange(5))
    low = scores_of(session.run(batch), found.signature)
    raised = {**batch, "sequence": batch["sequence"] + np.float32([500, -40, 0])}
    high = scores_of(session.run(raised), found.signature)
    np.testing.assert_allclose(high - low, np.broadcast_to([500.0, -40.0], low.shape), atol=0.05)


def test_a_user_gives_the_last_steps_and_gets_the_next(exported, tmp_path):
    inputs, _, found, session = exported
    found.signature.write(tmp_path / "signature.json")
    signature = read_signature(tmp_path / "signature.json")
    assert signature == found.signature
    steps = pd.DataFrame(inputs.valid.batch(np.array([4]))["sequence"][0])
    frame = steps.set_axis(list(signature.channels), axis=1)
    earlier = pd.concat([frame.head(3) + 7, frame], ignore_index=True)
    outputs = session.run(frame_feeds(earlier, signature))
    expected = scores_of(session.run(inputs.valid.batch(np.array([4]))), signature)
    np.testing.assert_allclose(steps_ahead(outputs, signature).to_numpy(), expected[0], atol=1e-4)
    assert list(prediction_table(outputs, signature))[:3] == ["a +1", "b +1", "a +2"]
    with pytest.raises(DataError, match="the last 12 steps of each row, but one has 5"):
        frame_feeds(frame.head(5), signature)


def test_gaps_are_filled_for_a_user_as_they_were_in_training(exported):
    inputs, _, found, _ = exported
    steps = inputs.valid.batch(np.array([0]))["sequence"][0]
    frame = pd.DataFrame(steps, columns=list(found.signature.channels))
    frame.loc[3:4, "a"] = np.nan
    given = frame_feeds(frame, found.signature)["sequence"][0]
    np.testing.assert_array_equal(given[:6, 0], steps[[0, 1, 2, 2, 2, 5], 0])


def test_baselines_forecast_from_the_window_alone(exported):
    inputs, *_ = exported
    found = forecast_baselines(inputs.train, inputs.valid, spec=inputs.spec, most_rows=500, seed=0)
    assert list(found) == ["trivial", "last", "drift", "linear"]
    seen = inputs.valid.batch(np.arange(len(inputs.valid)))["sequence"][:, :, :2]
    season = required(inputs.spec.forecast).season
    np.testing.assert_array_equal(found["trivial"].output[:, 0], seen[:, -season])
    np.testing.assert_array_equal(found["last"].output[:, 2], seen[:, -1])
    slope = (seen[:, -1] - seen[:, 0]) / 11
    np.testing.assert_allclose(found["drift"].output[:, 1], seen[:, -1] + 2 * slope, rtol=1e-5)
    error = np.abs(found["linear"].output - inputs.valid.target).mean()
    assert error < np.abs(found["last"].output - inputs.valid.target).mean()


def test_several_members_answer_each_row_at_its_own_level(exported):
    _, network, *_ = exported
    level = network.level
    outputs, last = torch.zeros(6, 6), torch.tensor([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
    level.train()
    found = level.into(outputs, last)
    level.eval()
    assert found[4].tolist() == [3.0, 4.0] * 3
