"""Norms of gradients by layer, and what is said of them."""

import re

import pytest
import torch
from torch import nn

from assay.layers.network import Network
from assay.model.mlp import Mlp
from assay.training.fit import fit
from assay.training.gradients import Gradients, judge_gradients
from assay.training.knobs import Training


def test_norms_are_those_of_each_layer_and_of_recurrent_layers_apart():
    module = nn.ModuleDict({"network": nn.Sequential(nn.Linear(3, 2), nn.GRU(2, 4, 2))})
    module["network"](torch.ones(5, 1, 3))[0].sum().backward()
    found = Gradients(module)
    found.measure(module.parameters())
    first = module["network"][0]
    expected = (first.weight.grad.square().sum() + first.bias.grad.square().sum()) ** 0.5
    row = found.row()
    assert set(row) == {"gradient_0", "gradient_1.l0", "gradient_1.l1"}
    assert row["gradient_0"] == pytest.approx(float(expected))
    assert found.row() == {}


def test_many_layers_are_taken_together():
    module = nn.ModuleDict({f"part{i}": nn.Sequential(nn.Linear(2, 2)) for i in range(40)})
    deep = nn.ModuleDict({"a": module, "b": nn.Linear(2, 2)})
    for parameter in deep.parameters():
        parameter.grad = torch.ones_like(parameter)
    found = Gradients(deep)
    found.measure(deep.parameters())
    assert found.norms == {"a": pytest.approx((40 * 6) ** 0.5), "b": pytest.approx(6**0.5)}


@pytest.mark.parametrize(
    ("norms", "words"),
    [
        ([(1.0, 0.1), (0.9, 0.2)], "neither vanish nor explode"),
        ([(1.0, 1e-6), (1.0, 1e-6)], "gradients vanish .*early 1e-06"),
        ([(1.0, 0.1), (1.0, 5e3)], "gradients explode in early: .* from 0.1 to 5e\\+03"),
    ],
)
def test_they_are_judged_in_words(norms, words):
    history = [{"gradient_late": late, "gradient_early": early} for late, early in norms]
    assert re.search(words, judge_gradients(history))


def test_nothing_is_said_of_what_was_not_measured():
    assert judge_gradients([{"train_loss": 1.0}]) == judge_gradients([]) == ""


def test_every_epoch_of_a_fit_has_the_norms_before_clipping(numbers):
    torch.manual_seed(0)
    network = Network(spec=numbers.spec, model=Mlp(width=8, depth=1, dropout=0.0))
    outcome = fit(
        network,
        train=numbers.train,
        valid=numbers.valid,
        spec=numbers.spec,
        knobs=Training(max_epochs=2, batch_size=16, gradient_clip=1e-3),
        seed=0,
        on_epoch=lambda epoch, row: None,
        progress=False,
    )
    for row in outcome.history:
        norms = [value for name, value in row.items() if name.startswith("gradient_")]
        assert len(norms) >= 2 and max(norms) > 1e-2
