"""Every option of every knob builds and learns."""

import itertools

import pytest
import torch

from assay.layers.shape import Shape
from assay.model.cnn import Cnn
from assay.model.mlp import Mlp

ACTIVATIONS = ("relu", "gelu", "silu", "tanh", "sigmoid")
NORMALISATIONS = ("none", "batch", "layer")


def _check(module, batch):
    outputs = module(batch)
    assert outputs.shape == (len(batch), 3)
    outputs.sum().backward()
    assert all(torch.isfinite(p.grad).all() for p in module.parameters())


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("normalisation", NORMALISATIONS)
@pytest.mark.parametrize("residual", [True, False])
def test_mlp(activation, normalisation, residual):
    knobs = Mlp(
        width=8, depth=3, activation=activation, normalisation=normalisation, residual=residual
    )
    _check(knobs.build(Shape("vector", (5,)), 3), torch.randn(4, 5))


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("normalisation", NORMALISATIONS)
@pytest.mark.parametrize("pooling", ["max", "average"])
def test_cnn(activation, normalisation, pooling):
    knobs = Cnn(width=4, activation=activation, normalisation=normalisation, pooling=pooling)
    _check(knobs.build(Shape("image", (1, 8, 8)), 3), torch.randn(4, 1, 8, 8))


@pytest.mark.parametrize(
    ("side", "stages"), list(itertools.product([1, 2, 7, 8, 28, 64, 224], [1, 3, 6]))
)
def test_cnn_fits_images_of_any_size(side, stages):
    module = Cnn(width=4, stages=stages, normalisation="layer").build(
        Shape("image", (3, side, side + 1)), 3
    )
    assert module(torch.randn(2, 3, side, side + 1)).shape == (2, 3)


COLUMNS = Shape("vector", (12,), one_hot=((3, 4), (7, 0), (7, 5)))


def test_mlp_with_embeddings_sees_numbers_and_categories():
    torch.manual_seed(0)
    module = Mlp(width=8, normalisation="none", dropout=0.0, embedding=2).build(COLUMNS, 3)
    first = next(
        m for m in module.modules() if isinstance(m, torch.nn.Linear) and m.bias is not None
    )
    assert first.in_features == 3 + 2 + 2
    _check(module, torch.randn(4, 12))
    numbers = torch.randn(1, 3).expand(6, 3)
    categories = torch.zeros(6, 9)
    categories[range(5), [0, 1, 3, 4, 8]] = 1
    answers = module(torch.cat([numbers, categories], dim=1))
    assert len({tuple(answer.tolist()) for answer in answers}) == 6


def test_mlp_without_categories_has_no_embeddings():
    sizes = [
        sum(p.numel() for p in Mlp(embedding=size).build(Shape("vector", (12,)), 3).parameters())
        for size in (0, 4)
    ]
    assert sizes[0] == sizes[1]


def test_mlp_of_the_published_figures_has_the_published_size():
    module = Mlp(width=128, depth=1, normalisation="none").build(Shape("vector", (64,)), 10)
    assert sum(p.numel() for p in module.parameters()) == 64 * 128 + 128 + 128 * 10 + 10
