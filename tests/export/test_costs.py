"""Costs of mistakes travel inside the graph: it gives the class that they decide."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from assay.errors import ConfigError
from assay.export.export import export
from assay.export.knobs import Export
from assay.inference.feeds import split_feeds
from assay.inference.predictions import explained_of, prediction_table, scores_of
from assay.inference.session import Session
from assay.inference.signature import read_signature
from assay.metrics.decisions import chosen, probabilities
from assay.metrics.scores import score


@pytest.fixture(scope="module")
def costly(table):
    return export(
        table.network,
        spec=table.spec,
        valid=table.valid,
        knobs=Export(tolerance=1e-5, costs={"yes": 4.0}),
    )


def _outputs(case, exported):
    feeds = split_feeds(case.valid, exported.signature, batch_size=16)
    return Session(exported.model).stream(feeds)


def test_the_graph_gives_the_class_that_the_costs_decide(table, costly):
    outputs = _outputs(table, costly)
    weighed = outputs["probability"] * np.array(costly.decision.weights, np.float32)
    classes = np.array(table.spec.classes, object)
    assert np.array_equal(outputs["prediction"], classes[weighed.argmax(1)])
    likeliest = classes[outputs["probability"].argmax(1)]
    assert np.any(outputs["prediction"] != likeliest)
    assert np.mean(outputs["prediction"] == "yes") > np.mean(likeliest == "yes")
    usual = _outputs(table, table.exported)
    assert np.array_equal(outputs["probability"], usual["probability"])


def test_metrics_explanations_and_tables_follow(table, costly):
    outputs = _outputs(table, costly)
    output = scores_of(outputs, costly.signature)
    assert output.shape == (len(table.valid), 2, 2)
    codes = pd.Series(outputs["prediction"]).map({c: i for i, c in enumerate(table.spec.classes)})
    assert np.array_equal(chosen(output), codes)
    found = score("classification", target=table.valid.target, output=output, costs=(1.0, 4.0))
    assert found["cost"] == pytest.approx(costly.decision.after, abs=1e-9)
    assert np.array_equal(explained_of(outputs, costly.signature), probabilities(output))
    assert prediction_table(outputs, costly.signature)["prediction"].tolist() == list(
        outputs["prediction"]
    )


def test_the_signature_keeps_weights_and_costs(costly, tmp_path):
    signature = costly.signature
    assert signature.costs == (1.0, 4.0) and sum(signature.weights) == pytest.approx(1)
    signature.write(tmp_path / "signature.json")
    assert read_signature(tmp_path / "signature.json") == signature
    assert "weights" in signature.outputs[0].note
    assert "costs" in costly.decision.words(signature.classes)


def test_costs_of_an_unknown_class_are_refused(table):
    knobs = Export(costs={"yess": 4.0})
    with pytest.raises(ConfigError, match=r"export\.costs\.yess: .* did you mean 'yes'"):
        export(table.network, spec=table.spec, valid=table.valid, knobs=knobs)
    regression = replace(table.spec, task="regression")
    with pytest.raises(ConfigError, match="the task is regression"):
        export(table.network, spec=regression, valid=table.valid, knobs=Export(costs={"yes": 2.0}))
