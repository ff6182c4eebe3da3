"""The whole network: the fixed first layer, an adapter where one is needed, and a model's body."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from assay.data.spec import Spec
from assay.layers.adapters import adapter
from assay.layers.preprocess import preprocess
from assay.layers.shape import Model


class Network(nn.Module):
    """From a batch as ``Split.batch`` gives it to outputs.

    Inputs are given by name: ``numeric`` float32 (batch, columns) with NaN for a missing value,
    ``categorical`` int64 codes (batch, columns), ``image`` uint8 (batch, channels, height, width).
    Raises ConfigError when the model cannot take this kind of data.
    """

    target_mean: Tensor
    target_std: Tensor

    def __init__(self, *, spec: Spec, model: Model) -> None:
        super().__init__()
        self.is_classifier = spec.task == "classification"
        self.preprocess = preprocess(spec)
        name = type(model).__name__.lower()
        self.adapter, shape = adapter(self.preprocess.shape, takes=model.takes, name=name)
        self.body = model.build(shape, spec.outputs)
        scale = spec.target_std if spec.target_std > 0 else 1.0
        self.register_buffer("target_mean", torch.tensor(spec.target_mean), persistent=False)
        self.register_buffer("target_std", torch.tensor(scale), persistent=False)

    def forward(self, **inputs: Tensor) -> Tensor:
        """Return float32 logits (batch, classes), or the scaled target (batch, 1)."""
        outputs: Tensor = self.body(self.adapter(self.preprocess(**inputs)))
        return outputs

    def predict(self, **inputs: Tensor) -> Tensor:
        """Return probabilities (batch, classes), or values (batch,) in the target's own unit."""
        return self.answer(self(**inputs))

    def answer(self, outputs: Tensor) -> Tensor:
        """Return what ``predict`` does, from what ``forward`` gave."""
        if self.is_classifier:
            return torch.softmax(outputs.float(), dim=1)
        return outputs.float().squeeze(1) * self.target_std + self.target_mean
