"""What transfer gains on the same network trained from nothing is in the report."""

from dataclasses import asdict
from pathlib import Path

import pytest
from tests.sealed import seal
from tests.tiny import kept

from assay.artifacts.files import read_json
from assay.artifacts.paths import stage_folder
from assay.export.knobs import Export
from assay.inference.session import Session
from assay.inference.signature import read_signature
from assay.metrics.knobs import Evaluate
from assay.model.pretrained import Pretrained
from assay.stages import evaluate, export, train
from assay.training.knobs import Training

SETTINGS = {"max_epochs": 1, "lr": 1e-4, "limit_batches": 1}


def _borrowed(root, scratch):
    """Keep what an earlier training left, as compose does with a registered version."""
    for file in ("train/weights.safetensors", "train/effective.yaml", "prepare/spec.json"):
        (scratch / Path(file).name).write_bytes((root / "artifacts" / file).read_bytes())
    return kept(scratch)


@pytest.fixture
def evaluated(exported, enter_copy, tmp_path):
    root = enter_copy(exported)
    (scratch := tmp_path / "borrowed").mkdir()
    node = asdict(Pretrained(source="models:/tumours/1", digest=_borrowed(root, scratch)))
    node["_target_"] = "assay.model.pretrained.Pretrained"
    (root / "artifacts/search").mkdir()
    (root / "artifacts/search/best.json").write_text("{}")
    seal("search")
    train.run(train.Params(model=node, training={**asdict(Training()), **SETTINGS}, seed=0))
    export.run(export.Params(export=Export()))
    evaluate.run(evaluate.Params(evaluate=Evaluate(resamples=20)))
    return root


def test_the_report_has_the_same_network_from_nothing_as_a_baseline(evaluated):
    assert read_json(stage_folder("train") / "beside/list.json") == ["from_nothing"]
    baselines = read_json(stage_folder("evaluate") / "baselines.json")
    ours = read_json(stage_folder("evaluate") / "metrics.json")
    nothing = baselines["from_nothing"]["metrics"]
    assert 0 < nothing["log_loss"]["value"] != ours["log_loss"]["value"]
    assert "beside the from_nothing baseline" in baselines["from_nothing"]["verdict"]
    instruments = stage_folder("export") / "instruments"
    signature = read_signature(stage_folder("export") / "signature.json")
    Session(instruments / "from_nothing.onnx").require(signature)
