"""Rows of unequal length: padding changes nothing, in torch and in the exported graph."""

import itertools

import numpy as np
import onnxruntime
import pytest
import torch

from assay.errors import ConfigError
from assay.layers.shape import Shape
from assay.model.cnn1d import Cnn1d
from assay.model.gru import Gru
from assay.model.lstm import Lstm
from assay.model.rnn import Rnn

SHAPE = Shape("sequence", (23, 3))
MODELS = (Rnn, Gru, Lstm)


def _given(rows, steps):
    torch.manual_seed(rows * 100 + steps)
    lengths = torch.randint(1, steps + 1, (rows,))
    lengths[0] = steps
    is_inside = (torch.arange(steps) < lengths[:, None]).unsqueeze(2)
    return torch.randn(rows, steps, 3) * is_inside, lengths


def _body(model, **knobs):
    torch.manual_seed(0)
    return model(units=5, **knobs).build(SHAPE, 2).eval()


@pytest.mark.parametrize("model", MODELS)
def test_each_row_is_read_as_if_it_were_alone(model):
    body = _body(model, layers=2, bidirectional=True, pooling="last")
    steps, lengths = _given(6, 9)
    together = body(steps, lengths)
    for row, length in enumerate(lengths.tolist()):
        alone = body(steps[row : row + 1, :length], lengths[row : row + 1])
        torch.testing.assert_close(alone[0], together[row], atol=1e-6, rtol=1e-5)


@pytest.mark.parametrize("model", MODELS)
def test_the_last_states_are_those_of_torch(model):
    body = _body(model, bidirectional=True, pooling="last")
    steps, _ = _given(1, 7)
    first = body.first(steps, torch.tensor([7]))
    _, ends = body.recurrence.recurrent(first)
    ends = ends[0] if isinstance(ends, tuple) else ends
    expected = body.head(torch.cat([ends[0], ends[1]], dim=1))
    torch.testing.assert_close(body(steps, torch.tensor([7])), expected)


@pytest.fixture(scope="module", params=list(itertools.product(MODELS, (False, True))))
def exported(request, tmp_path_factory):
    model, is_both = request.param
    body = _body(model, layers=2, bidirectional=is_both, pooling="mean" if is_both else "last")
    rows, steps = torch.export.Dim("rows"), torch.export.Dim("steps")
    program = torch.onnx.export(
        body,
        _given(3, 5),
        dynamo=True,
        dynamic_shapes=({0: rows, 1: steps}, {0: rows}),
        verbose=False,
    )
    file = tmp_path_factory.mktemp("graph") / "model.onnx"
    program.save(file)
    return body, onnxruntime.InferenceSession(file)


@pytest.mark.parametrize(("rows", "steps"), list(itertools.product((1, 4, 7), (1, 2, 9, 23))))
def test_the_graph_gives_the_same_at_every_size(exported, rows, steps):
    body, session = exported
    given = _given(rows, steps)
    names = [node.name for node in session.get_inputs()]
    (found,) = session.run(None, {n: g.numpy() for n, g in zip(names, given, strict=True)})
    np.testing.assert_allclose(found, body(*given).detach().numpy(), atol=1e-6)


@pytest.mark.parametrize("knobs", [Gru(units=5, layers=2), Cnn1d(width=5)], ids=type)
def test_states_of_steps_see_nothing_that_comes_later(knobs):
    shape = Shape("sequence", (23, 3), gives="step", is_causal=True)
    body = knobs.build(shape, 4).eval()
    steps, lengths = _given(2, 8)
    changed = steps.clone()
    changed[:, 5:] += 1.0
    before, after = body(steps, lengths), body(changed, lengths)
    assert before.shape == (2, 8, 4)
    torch.testing.assert_close(before[:, :5], after[:, :5])


def test_both_directions_are_refused_where_the_next_step_is_asked_for():
    shape = Shape("tokens", (9, 30), gives="step", is_causal=True)
    with pytest.raises(ConfigError, match="bidirectional"):
        Lstm(bidirectional=True).build(shape, 30)
