"""The graph says what the network says, in the user's own words, for any number of rows."""

import dataclasses

import numpy as np
import onnx
import pytest
import torch

from assay.data.spec import Column
from assay.errors import ExportError
from assay.export.core import core_graph
from assay.export.graph import whole_graph
from assay.export.parity import measure_parity
from assay.export.scorer import Scorer
from assay.inference.feeds import frame_feeds, split_feeds
from assay.inference.predictions import prediction_table, scores_of
from assay.inference.session import Session
from assay.inference.signature import read_signature, signature_of


def _network_says(case):
    batch = {name: torch.from_numpy(array) for name, array in case.valid.whole().items()}
    with torch.inference_mode():
        return case.network.predict(**batch).numpy()


def _graph_says(case, *, rows=None, batch_size=1024):
    feeds = next(split_feeds(case.valid, case.exported.signature, batch_size=10_000))
    feeds = {name: array[:rows] for name, array in feeds.items()}
    return Session(case.exported.model, batch_size=batch_size).run(feeds)


@pytest.mark.parametrize("name", ["table", "images", "single", "flags"])
def test_graph_agrees_with_the_network(name, request):
    case = request.getfixturevalue(name)
    scale = case.spec.target_std if case.spec.task == "regression" else 1.0
    found = scores_of(_graph_says(case), case.exported.signature)
    assert case.exported.calibration.temperature == 1.0 or name == "table"
    if case.exported.calibration.temperature == 1.0:
        np.testing.assert_allclose(found / scale, _network_says(case) / scale, atol=2e-6)
    assert case.exported.parity.largest_difference < 1e-5
    assert case.exported.parity.rows == len(case.valid)


@pytest.mark.parametrize("name", ["table", "images", "single"])
@pytest.mark.parametrize("rows", [1, 2, 7])
def test_batch_size_is_free(name, rows, request):
    case = request.getfixturevalue(name)
    whole, part = _graph_says(case), _graph_says(case, rows=rows)
    again = _graph_says(case, batch_size=rows)
    for output in whole:
        if whole[output].dtype == np.float32:
            scale = case.spec.target_std
            np.testing.assert_allclose(part[output], whole[output][:rows], atol=1e-5 * scale)
            np.testing.assert_allclose(again[output], whole[output], atol=1e-5 * scale)
        else:
            assert (part[output] == whole[output][:rows]).all()


def test_predictions_are_the_users_own_classes(table, images, flags):
    for case, kind in ((table, object), (images, np.int64), (flags, np.bool_)):
        found = _graph_says(case)
        assert found["prediction"].dtype == kind
        expected = np.array(case.spec.classes)[found["probability"].argmax(1)]
        assert (found["prediction"] == expected).all()
        assert found["probability"].dtype == np.float32
        np.testing.assert_allclose(found["probability"].sum(1), 1, atol=1e-5)


def test_unknown_and_missing_categories_count_as_none(flags):
    session = Session(flags.exported.model)
    found = session.run({"word": np.array(["never seen", "", "a"], object)})["probability"]
    with torch.inference_mode():
        codes = torch.tensor([[0], [0], [1]])
        expected = flags.network.predict(categorical=codes).numpy()
    np.testing.assert_allclose(found, expected, atol=1e-6)
    assert "none of them" in flags.exported.signature.inputs[0].note


def test_inputs_are_the_columns_and_nothing_leaks(table):
    model = onnx.load_from_string(table.exported.model)
    assert [i.name for i in model.graph.input] == [c.name for c in table.spec.columns]
    assert {o.domain for o in model.opset_import} == {"", "ai.onnx.ml"}
    text = table.exported.model.decode("latin-1")
    assert ".py" not in text and "stack_trace" not in text


def test_signature_survives_the_disk(table, images, flags, tmp_path):
    for case in (table, images, flags):
        case.exported.signature.write(tmp_path / "signature.json")
        assert read_signature(tmp_path / "signature.json") == case.exported.signature


def test_prediction_table_names_each_class(table):
    found = prediction_table(_graph_says(table), table.exported.signature)
    assert list(found) == ["prediction", "probability_no", "probability_yes"]


def test_above_tolerance_is_an_error_that_names_the_row(single):
    scorer = Scorer(single.network, names=("numeric",))
    wrong = dataclasses.replace(single.exported.signature)
    with torch.no_grad():
        single.network.body[-1].bias.add_(0.5)
    try:
        with pytest.raises(ExportError, match=r"differs from the network by 0\.5 .* row \d+"):
            measure_parity(
                single.exported.model,
                scorer,
                spec=single.spec,
                signature=wrong,
                valid=single.valid,
                tolerance=1e-4,
            )
    finally:
        with torch.no_grad():
            single.network.body[-1].bias.sub_(0.5)


def test_a_graph_that_gives_nan_is_an_error(single):
    scorer = Scorer(single.network, names=("numeric",))
    with torch.no_grad():
        kept = single.network.body[-1].bias.clone()
        single.network.body[-1].bias.fill_(float("nan"))
    try:
        with pytest.raises(ExportError, match="differs from the network by nan"):
            measure_parity(
                single.exported.model,
                scorer,
                spec=single.spec,
                signature=single.exported.signature,
                valid=single.valid,
                tolerance=1e-4,
            )
    finally:
        with torch.no_grad():
            single.network.body[-1].bias.copy_(kept)


def test_a_column_named_like_an_output_is_refused(single):
    spec = dataclasses.replace(single.spec, columns=(Column(name="prediction", type="numeric"),))
    with pytest.raises(ExportError, match=r"column 'prediction' .* rename"):
        whole_graph(onnx.ModelProto(), spec=spec, signature=signature_of(spec))


def test_an_operation_without_counterpart_is_named_and_quiet(single, capfd):
    class Odd(torch.nn.Module):
        answer = staticmethod(lambda outputs: outputs)

        def forward(self, *, numeric):
            return torch.special.bessel_j0(numeric)

    scorer = Scorer(Odd(), names=("numeric",))
    with pytest.raises(ExportError, match="cannot be written as an ONNX graph"):
        core_graph(scorer, example={"numeric": torch.ones(3, 1)}, opset=20)
    assert capfd.readouterr().out == ""


def test_raw_rows_of_a_frame_give_what_the_split_gave(table):
    feeds = frame_feeds(table.valid.rows(), table.exported.signature)
    found = Session(table.exported.model).run(feeds)["probability"]
    np.testing.assert_array_equal(found, _graph_says(table)["probability"])
