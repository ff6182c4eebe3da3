"""A network in which nothing is trained: measured once, as an epoch would."""

from __future__ import annotations

import torch
from torch import Tensor

from assay.data.prepared import Split
from assay.data.spec import Spec
from assay.layers.network import Network
from assay.training.loader import Passes, Rows, evaluation_size
from assay.training.losses import Loss
from assay.training.tally import Tally


def is_trained(network: Network) -> bool:
    """Whether a network has any weight that learns."""
    return any(parameter.requires_grad for parameter in network.parameters())


def measured_row(
    network: Network, *, train: Split, valid: Split, spec: Spec, loss: Loss
) -> dict[str, float]:
    """Return the row of an epoch in which nothing changed."""
    network.eval()
    row = {"train_loss": _tally(network, train, spec, loss)["loss"]}
    row |= {f"valid_{name}": v for name, v in _tally(network, valid, spec, loss).items()}
    return {**row, "lr": 0.0}


def _tally(network: Network, split: Split, spec: Spec, loss: Loss) -> dict[str, float]:
    tally = Tally(spec)
    with torch.inference_mode():
        for batch in Passes(Rows(split), size=evaluation_size(split, outputs=spec.outputs)):
            outputs: Tensor = network(**batch.inputs)
            answer: Tensor = network.answer(outputs)
            tally.add(answer, target=batch.target, loss=loss(outputs, batch.target))
    return tally.values()
