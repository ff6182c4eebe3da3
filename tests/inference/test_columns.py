import numpy as np
import pytest
from onnx import TensorProto, helper

from assay.data.german_credit import GermanCredit
from assay.data.prepared import Split
from assay.data.spec import read_spec
from assay.export.export import export
from assay.export.knobs import Export
from assay.inference.columns import Columns, inner_of
from assay.inference.feeds import frame_feeds
from assay.inference.session import Session
from assay.model.mlp import Mlp
from assay.pipeline.fitting.network import build_network
from assay.split.prepare import prepare


@pytest.fixture(scope="module")
def credit(tmp_path_factory):
    """An exported graph on German credit, its signature, and known rows as the graph takes them."""
    folder = tmp_path_factory.mktemp("credit")
    prepare(GermanCredit(), folder=folder)
    spec = read_spec(folder / "spec.json")
    network = build_network(Mlp(width=8, depth=1), spec, seed=0).eval()
    made = export(network, spec=spec, valid=Split(folder / "valid"), knobs=Export())
    rows = Split(folder / "test").rows().iloc[:30]
    return made.model, frame_feeds(rows, made.signature)


def mixed(known):
    """Rows whose cells come from different known rows."""
    random = np.random.default_rng(0)
    return Columns(known, {name: random.integers(0, 30, 500) for name in known})


def test_rows_of_known_cells_get_the_whole_graphs_answers_to_the_bit(credit):
    model, known = credit
    inner = inner_of(model, columns=list(known), outputs=["probability"], batch_size=128)
    rows = mixed(known)
    wanted = Session(model, batch_size=128).run(rows, only=("probability",))["probability"]
    np.testing.assert_array_equal(inner.run(rows)["probability"], wanted)
    other = {name: values[::-1].copy() for name, values in known.items()}
    turned = Columns(other, {name: 29 - index for name, index in rows.index.items()})
    np.testing.assert_array_equal(inner.run(turned)["probability"], wanted)


def test_columns_of_different_numbers_of_known_cells_are_put_together(credit):
    model, known = credit
    inner = inner_of(model, columns=list(known), outputs=["probability"], batch_size=128)
    few = {name: values[: 3 + i % 5] for i, (name, values) in enumerate(known.items())}
    index = {name: np.arange(60) % len(values) for name, values in few.items()}
    rows = Columns(few, index)
    wanted = Session(model).run(rows, only=("probability",))["probability"]
    np.testing.assert_array_equal(inner.run(rows)["probability"], wanted)
    assert set(rows) == set(known)
    assert len(rows) == len(known)


def test_a_graph_of_another_making_is_asked_as_a_whole():
    node = helper.make_node("Identity", ["x"], ["y"])
    ends = [[helper.make_tensor_value_info(n, TensorProto.FLOAT, ["N"])] for n in "xy"]
    opsets = [helper.make_opsetid("", 18)]
    graph = helper.make_model(helper.make_graph([node], "g", *ends), opset_imports=opsets)
    content = graph.SerializeToString()
    assert inner_of(content, columns=["x"], outputs=["y"], batch_size=8) is None
