"""Activation maximization: the image that a network holds most for a class (torch)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

_STEPS, _LEARNING_RATE = 150, 0.1
_COPIES, _NOISE = 8, 0.7
_FAR, _ROUGH = 0.02, 0.02


@dataclass(frozen=True, kw_only=True)
class Pixels:
    """What pixels of training rows are like: mean, standard deviation, lowest and highest values.

    Each is (1, channels, height, width), or can be spread to it.
    """

    mean: Tensor
    std: Tensor
    lowest: Tensor
    highest: Tensor


def most_typical(answer: Callable[[Tensor], Tensor], pixels: Pixels, *, seed: int) -> Tensor:
    """Return for each class the image (classes, channels, height, width) that is most surely of it.

    ``answer`` gives logits (n, classes). The ascent begins at the mean image; what is far from it, in
    standard deviations of each pixel, and what is rough is held back, and an image must hold under
    noise (Simonyan, Vedaldi and Zisserman 2014, arXiv:1312.6034; Mahendran and Vedaldi 2015,
    arXiv:1412.0035; Smilkov et al. 2017, arXiv:1706.03825).
    """
    random = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        classes = answer(pixels.mean).shape[1]
    away = torch.zeros((classes, *pixels.mean.shape[1:]), requires_grad=True)
    ascent = torch.optim.Adam([away], lr=_LEARNING_RATE)
    own = torch.arange(classes).repeat(_COPIES)
    for _ in range(_STEPS):
        shaken = away.repeat(_COPIES, 1, 1, 1)
        shaken = shaken + _NOISE * torch.randn(shaken.shape, generator=random)
        loss = functional.cross_entropy(answer(_image(shaken, pixels)), own, reduction="sum")
        loss = loss / _COPIES + _FAR * away.square().sum() + _ROUGH * _roughness(away)
        (away.grad,) = torch.autograd.grad(loss, [away])
        ascent.step()
    return _image(away.detach(), pixels)


def _image(away: Tensor, pixels: Pixels) -> Tensor:
    image = pixels.mean + pixels.std * away
    return torch.minimum(torch.maximum(image, pixels.lowest), pixels.highest)


def _roughness(away: Tensor) -> Tensor:
    return away.diff(dim=2).square().sum() + away.diff(dim=3).square().sum()
