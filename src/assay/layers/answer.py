"""From a network's outputs to its answer, by task."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn

from assay.data.spec import Spec, Task, required
from assay.layers.preprocess import level_range, mask


def answer_of(spec: Spec) -> nn.Module:
    """Return the module from outputs, as ``Network.forward`` gives them, to the task's answer."""
    return _ANSWERS[spec.task](spec)


class Probabilities(nn.Module):
    """Logits (..., classes) to probabilities: of a row's class, or of each step's."""

    def forward(self, outputs: Tensor) -> Tensor:
        """Return float32 that sums to 1 over the last axis."""
        return torch.softmax(outputs.float(), dim=-1)


class LabelProbabilities(nn.Module):
    """Logits (batch, labels) to the probability of each label by itself."""

    def forward(self, outputs: Tensor) -> Tensor:
        """Return float32 from 0 to 1."""
        return torch.sigmoid(outputs.float())


class Value(nn.Module):
    """The scaled target (batch, 1) to values (batch,) in the target's own unit."""

    mean: Tensor
    std: Tensor

    def __init__(self, spec: Spec) -> None:
        super().__init__()
        scale = spec.target_std if spec.target_std > 0 else 1.0
        self.register_buffer("mean", torch.tensor(spec.target_mean), persistent=False)
        self.register_buffer("std", torch.tensor(scale), persistent=False)

    def forward(self, outputs: Tensor) -> Tensor:
        """Return float32 (batch,)."""
        return outputs.float().squeeze(1) * self.std + self.mean


class Forecasts(nn.Module):
    """Scaled steps of all series (batch, horizon x series) to (batch, horizon, series), in own units."""

    mean: Tensor
    std: Tensor

    def __init__(self, spec: Spec) -> None:
        super().__init__()
        forecast = required(spec.forecast)
        self.register_buffer("mean", torch.tensor(forecast.mean), persistent=False)
        self.register_buffer("std", torch.tensor(forecast.std), persistent=False)

    def forward(self, outputs: Tensor) -> Tensor:
        """Return float32 (batch, horizon, series)."""
        steps = outputs.float().reshape(outputs.shape[0], -1, len(self.mean))
        return steps * self.std + self.mean


class LogProbabilities(nn.Module):
    """Logits (batch, steps, vocabulary) to the logarithms of the next token's probabilities."""

    def forward(self, outputs: Tensor) -> Tensor:
        """Return float32 of the same shape."""
        return torch.log_softmax(outputs.float(), dim=-1)


def text_log_likelihood(log_probabilities: Tensor, tokens: Tensor, lengths: Tensor) -> Tensor:
    """Return the logarithm of the probability of each text's tokens but the first, (batch,).

    ``log_probabilities`` (batch, steps, vocabulary) are those of the token after each step.
    """
    is_inside = mask(lengths - 1, steps=tokens.shape[1] - 1)
    known = tokens[:, 1:] * is_inside  # what lies after a text's end need not even be a token
    following = log_probabilities[:, :-1].gather(2, known.unsqueeze(2)).squeeze(2)
    return (following * is_inside).sum(dim=1)


class ReconstructionError(nn.Module):
    """The pair (batch, 2, features) to the mean square of their difference (batch,)."""

    def forward(self, outputs: Tensor) -> Tensor:
        """Return float32 (batch,), in variances of the features."""
        return (outputs[:, 0].float() - outputs[:, 1].float()).square().mean(dim=1)


class Pixels(nn.Module):
    """Images of -1 to 1 (batch, channels, height, width) to the levels that training rows have."""

    lowest: Tensor
    span: Tensor

    def __init__(self, spec: Spec) -> None:
        super().__init__()
        lowest, span = level_range(required(spec.image))
        self.register_buffer("lowest", lowest, persistent=False)
        self.register_buffer("span", span, persistent=False)

    def forward(self, outputs: Tensor) -> Tensor:
        """Return uint8 of the same shape."""
        levels = self.lowest + (outputs.float() + 1) / 2 * self.span
        return levels.round().clamp(0, 255).to(torch.uint8)


_ANSWERS: Mapping[Task, Callable[[Spec], nn.Module]] = {
    "classification": lambda spec: Probabilities(),
    "multilabel": lambda spec: LabelProbabilities(),
    "regression": Value,
    "forecasting": Forecasts,
    "language_modelling": lambda spec: LogProbabilities(),
    "tagging": lambda spec: Probabilities(),
    "reconstruction": lambda spec: ReconstructionError(),
    "generation": Pixels,
}
