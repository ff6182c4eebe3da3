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
from assay.model.mlp import Mlp
from assay.pipeline.network import build_network


@pytest.fixture(scope="module", params=["sequence", "text"])
def exported(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp(request.param)
    inputs = write_inputs(folder, kind=request.param, task="classification")
    network = build_network(Mlp(width=16), inputs.spec, seed=0).eval()
    found = export(network, spec=inputs.spec, valid=inputs.valid, knobs=Export())
    return inputs, network, found, Session(found.model)


@pytest.mark.parametrize("rows", [1, 7])
def test_any_number_of_rows_of_any_length_gives_what_the_network_gives(exported, rows):
    inputs, network, found, session = exported
    shortest = np.argsort(inputs.valid.lengths)[:rows]
    batch = inputs.valid.batch(shortest)
    expected = network.predict(**{name: torch.from_numpy(a) for name, a in batch.items()})
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
