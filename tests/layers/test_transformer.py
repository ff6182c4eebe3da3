import itertools

import numpy as np
import onnxruntime
import pytest
import torch

from assay.layers.shape import Shape
from assay.model.transformer import Transformer

TOKENS = Shape("tokens", (12, 40))
SEQUENCE = Shape("sequence", (12, 3))
SHAPES = {"tokens": TOKENS, "sequence": SEQUENCE, "image": Shape("image", (2, 9, 10))}


def _given(shape, rows, steps=7):
    torch.manual_seed(rows + steps)
    if shape.kind == "image":
        return (torch.randn(rows, *shape.sizes),)
    lengths = torch.randint(1, steps + 1, (rows,))
    lengths[0] = steps
    is_inside = torch.arange(steps) < lengths[:, None]
    if shape.kind == "tokens":
        return torch.randint(2, 40, (rows, steps)) * is_inside, lengths
    return torch.randn(rows, steps, 3) * is_inside.unsqueeze(2), lengths


def _body(shape, **knobs):
    torch.manual_seed(0)
    return Transformer(width=8, heads=2, inner=16, patch=4, **knobs).build(shape, 3).eval()


@pytest.mark.parametrize("positions", ["learned", "sinusoidal"])
@pytest.mark.parametrize("kind", SHAPES)
def test_the_graph_gives_the_same_at_every_size(kind, positions, tmp_path):
    shape = SHAPES[kind]
    body = _body(shape, positions=positions)
    rows = torch.export.Dim("rows")
    free = [{0: rows}] if kind == "image" else [{0: rows, 1: torch.export.Dim("steps")}, {0: rows}]
    program = torch.onnx.export(
        body, _given(shape, 3), dynamo=True, dynamic_shapes=(tuple(free),), verbose=False
    )
    program.save(tmp_path / "model.onnx")
    session = onnxruntime.InferenceSession(tmp_path / "model.onnx")
    names = [node.name for node in session.get_inputs()]
    for count, steps in itertools.product((1, 7), (1, 5, 23)):
        given = _given(shape, count, steps)
        (found,) = session.run(None, {n: g.numpy() for n, g in zip(names, given, strict=True)})
        np.testing.assert_allclose(found, body(*given).detach().numpy(), atol=1e-5)


def test_each_row_is_read_as_if_it_were_alone():
    body = _body(SEQUENCE)
    steps, lengths = _given(SEQUENCE, 6)
    together = body(steps, lengths)
    for row, length in enumerate(lengths.tolist()):
        alone = body(steps[row : row + 1, :length], lengths[row : row + 1])
        torch.testing.assert_close(alone[0], together[row], atol=1e-6, rtol=1e-5)


def test_no_step_sees_a_later_one_where_it_must_not():
    shape = Shape("tokens", (12, 40), gives="step", is_causal=True)
    body = _body(shape)
    tokens, lengths = torch.randint(2, 40, (2, 8)), torch.tensor([8, 8])
    changed = tokens.clone()
    changed[:, 5:] = 3
    torch.testing.assert_close(body(tokens, lengths)[:, :5], body(changed, lengths)[:, :5])


def test_without_positions_order_would_not_matter():
    body = _body(TOKENS)
    tokens, lengths = torch.tensor([[3, 9, 27]]), torch.tensor([3])
    assert not torch.allclose(body(tokens, lengths), body(tokens.flip(1), lengths))


def test_attention_is_a_distribution_over_a_row_s_own_steps():
    body = _body(SEQUENCE)
    steps, lengths = _given(SEQUENCE, 4)
    maps = body.attention(steps, lengths)
    assert maps.shape == (2, 4, 7, 7)
    torch.testing.assert_close(maps.sum(-1), torch.ones(2, 4, 7))
    for row, length in enumerate(lengths.tolist()):
        assert maps[:, row, :, length:].abs().max().item() == 0 if length < 7 else True


@pytest.mark.parametrize("knobs", [{"width": 10, "heads": 4}, {"width": 9, "heads": 3}])
def test_a_width_that_heads_do_not_share_is_refused(knobs):
    with pytest.raises(ValueError, match="must be even and a multiple of heads"):
        Transformer(**knobs)
