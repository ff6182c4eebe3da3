"""What a model of random weights is asked, beside the one that is explained."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from tests.synthetic import write_inputs

from assay.artifacts.files import write_json
from assay.data.spec import Kind
from assay.explanation.knobs import Explain
from assay.export.export import export
from assay.export.knobs import Export
from assay.model.autoencoder import Autoencoder
from assay.pipeline.explaining.account import Explained, account_of
from assay.pipeline.explaining.insight import opened
from assay.pipeline.fitting.network import build_network, write_weights

KNOBS = Explain(rows=2, global_rows=4, background=8, samples=1000, lime_samples=60, score_rows=2)
MODEL = Autoencoder(latent=2, width=8, depth=1)


def _scores(folder: Path, kind: Kind) -> Mapping[str, Any]:
    inputs = write_inputs(folder / "prepared", kind=kind, task="reconstruction")
    network = build_network(MODEL, inputs.spec, seed=0).eval()
    weights, parity, graph = (folder / name for name in ("w.safetensors", "p.json", "m.onnx"))
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
    return {name: account.scores[name] for name in account.methods}


def test_every_method_asks_an_untrained_twin_of_a_reconstruction_too(tmp_path: Path) -> None:
    scores = _scores(tmp_path, "image")
    assert {"shap", "lime", "occlusion", "reconstruction_error"} <= set(scores)
    for name, found in scores.items():
        twin = found["randomisation"]["median"]
        assert -1 <= twin < 1, f"{name}: a twin of the same weights would give 1"


def test_of_few_features_no_twin_is_asked_since_ranks_agree_by_luck(tmp_path: Path) -> None:
    scores = _scores(tmp_path, "table")  # of three columns
    assert all(found["randomisation"] is None for found in scores.values())
