"""``assay continue``: a registered language model goes on with a text."""

from functools import partial
from pathlib import Path

import numpy as np
import pytest
from tests.synthetic import write_inputs

from assay.export.export import export
from assay.export.knobs import Export
from assay.model.gru import Gru
from assay.pipeline.fitting.network import build_network
from assay.tracking import registry
from assay.tracking.run import stage_run

TASKS = {"poet": "language_modelling", "judge": "classification"}


def _register(name, task, folder, run_id):
    inputs = write_inputs(folder / name, kind="text", task=task)
    network = build_network(Gru(units=8), inputs.spec, seed=0).eval()
    found = export(network, spec=inputs.spec, valid=inputs.valid, knobs=Export())
    graph = folder / f"{name}.onnx"
    graph.write_bytes(found.model)
    example = inputs.valid.batch(np.arange(1))
    registry.register(
        name, run_id=run_id, graph=graph, signature=found.signature, example=example, tags={}
    )


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A home in which a language model and a classifier of texts are registered."""
    folder = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ASSAY_HOME", str(folder))
        patch.chdir(folder)
        for name in ("MLFLOW_TRACKING_URI", "DVC_EXP_NAME", "DVC_ROOT"):
            patch.delenv(name, raising=False)
        Path("artifacts").mkdir()
        Path("artifacts/config.yaml").write_text("choices: {}\nname: poet\nseed: 0\n")
        with stage_run("register", folder=folder) as tracked:
            for name, task in TASKS.items():
                _register(name, task, folder, tracked.run_id)
    return folder


@pytest.fixture
def assay(assay):
    return partial(assay, "continue")


def test_a_text_goes_on_and_the_same_seed_gives_the_same(assay):
    words = ("models:/poet/1", "a cat sat", "--tokens", 9)
    status, text, noted = assay(*words)
    assert status == 0, noted
    assert text.startswith("a cat sat ")
    assert len(text.split()) == 12
    assert assay(*words)[1] == text
    assert assay(*words, "--seed", 1)[1] != text


def test_a_model_for_another_task_is_refused(assay):
    status, text, noted = assay("models:/judge/1", "a cat sat")
    assert status == 1
    assert not text
    assert "a model for classification, and only a language model goes on" in noted
