"""Sequences and texts through the exported graph, at sizes that it was not exported with."""

import numpy as np
import pandas as pd
import pytest
import torch
from tests.synthetic import write_inputs

from assay.export.export import export
from assay.export.knobs import Export
from assay.inference.feeds import frame_feeds, split_feeds
from assay.inference.predictions import scores_of
from assay.inference.session import Session
from assay.model.gru import Gru
from assay.model.mlp import Mlp
from assay.pipeline.evaluating.sampling import continued
from assay.pipeline.fitting.network import build_network

CASES = {
    "sequence": ("sequence", "classification", Mlp(width=16)),
    "text": ("text", "classification", Mlp(width=16)),
    "language": ("text", "language_modelling", Gru(units=8)),
    "tags": ("text", "tagging", Gru(units=8, bidirectional=True)),
}


@pytest.fixture(scope="module", params=CASES)
def exported(request, tmp_path_factory):
    kind, task, model = CASES[request.param]
    folder = tmp_path_factory.mktemp(request.param)
    inputs = write_inputs(folder, kind=kind, task=task)
    network = build_network(model, inputs.spec, seed=0).eval()
    found = export(network, spec=inputs.spec, valid=inputs.valid, knobs=Export())
    return inputs, network, found, Session(found.model)


@pytest.mark.parametrize("rows", [1, 7])
def test_any_number_of_rows_of_any_length_gives_what_the_network_gives(exported, rows):
    inputs, network, found, session = exported
    shortest = np.argsort(inputs.valid.lengths)[:rows]
    batch = inputs.valid.batch(shortest)
    expected = network.scores(**{name: torch.from_numpy(a) for name, a in batch.items()})
    scores = scores_of(session.run(batch), found.signature)
    np.testing.assert_allclose(scores, expected.detach().numpy(), atol=1e-5)


def test_the_signature_is_that_of_the_graph(exported):
    _, _, found, session = exported
    session.require(found.signature)


def test_texts_of_a_user_become_the_tokens_of_the_prepared_split(exported):
    inputs, _, found, _ = exported
    rows = inputs.valid.rows()
    if inputs.spec.text is None:
        parts = [pd.DataFrame(inputs.valid.batch(np.array([i]))["sequence"][0]) for i in (0, 1)]
        frame = pd.concat([part.assign(row=i) for i, part in enumerate(parts)])
        rows = frame.rename(columns={0: "level", 1: "noise"})
    feeds = frame_feeds(rows, found.signature)
    prepared = next(split_feeds(inputs.valid, found.signature, batch_size=len(inputs.valid)))
    count = len(feeds["lengths"])
    np.testing.assert_array_equal(feeds["lengths"], prepared["lengths"][:count])
    name = "tokens" if inputs.spec.text else "sequence"
    width = feeds[name].shape[1]
    np.testing.assert_array_equal(feeds[name], prepared[name][:count, :width])


def test_a_language_model_goes_on_with_a_text_the_same_for_the_same_seed(exported):
    inputs, _, _, session = exported
    if inputs.spec.task != "language_modelling":
        return
    begun = inputs.valid.batch(np.array([0]))["tokens"][0, :2].tolist()
    drawn = [continued(session, begun, more=9, longest=12, seed=seed) for seed in (1, 1, 2)]
    assert drawn[0] == drawn[1] != drawn[2]
    assert all(1 < token < inputs.spec.text.vocabulary for token in drawn[0])


@pytest.mark.parametrize("rows", [1, 7])
def test_what_lies_after_a_row_s_end_need_not_be_a_token(exported, rows):
    inputs, _, found, session = exported
    if "tokens" not in inputs.valid.inputs:
        return
    batch = inputs.valid.batch(np.arange(rows))
    strange = np.full((rows, 3), 10**9)
    changed = {**batch, "tokens": np.concatenate([batch["tokens"], strange], axis=1)}
    expected, scores = (scores_of(session.run(b), found.signature) for b in (batch, changed))
    if scores.ndim == 3:  # of the steps before each row's end
        is_inside = np.arange(expected.shape[1]) < batch["lengths"][:, None]
        expected, scores = expected[is_inside], scores[:, : expected.shape[1]][is_inside]
    np.testing.assert_allclose(scores, expected, atol=1e-5)
