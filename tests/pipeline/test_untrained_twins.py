"""What a model of random weights is asked, beside the one that is explained."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from tests.synthetic import write_inputs

from assay.artifacts.files import write_json
from assay.explanation.knobs import Explain
from assay.export.export import export
from assay.export.knobs import Export
from assay.model.autoencoder import Autoencoder
from assay.pipeline.explaining.account import Explained, account_of
from assay.pipeline.explaining.insight import opened
from assay.pipeline.fitting.network import build_network, write_weights

KNOBS = Explain(rows=2, global_rows=4, background=8, samples=1000, lime_samples=60, score_rows=2)
MODEL = Autoencoder(latent=2, width=8, depth=1)


def test_every_method_asks_an_untrained_twin_of_a_reconstruction_too(tmp_path: Path) -> None:
    inputs = write_inputs(tmp_path / "prepared", kind="table", task="reconstruction")
    network = build_network(MODEL, inputs.spec, seed=0).eval()
    weights, parity, graph = (tmp_path / name for name in ("w.safetensors", "p.json", "m.onnx"))
    write_weights(weights, network.state_dict())
    write_json(parity, {})
    found = export(network, spec=inputs.spec, valid=inputs.valid, knobs=Export())
    graph.write_bytes(found.model)
    explained = Explained(
        graph=graph,
        signature=found.signature,
        train=inputs.train,
        test=inputs.valid,
        spec=inputs.spec,
        network=opened(MODEL, inputs.spec, weights=weights, parity=parity, seed=0),
    )
    account = account_of(KNOBS, of=explained, asked=np.array([0, 1]))
    assert {"shap", "lime", "occlusion", "reconstruction_error"} <= set(account.methods)
    for name in account.methods:
        twin = account.scores[name]["randomisation"]["median"]
        assert -1 <= twin < 1, f"{name}: a twin of the same weights would give 1"
