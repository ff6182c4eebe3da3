"""Images (batch, channels, height, width), float32: shifted, turned, mirrored, erased, noisy, mixed."""

from __future__ import annotations

import math

import torch
from torch import Generator, Tensor
from torch.nn.functional import affine_grid, grid_sample

from assay.augmentation.draws import normal, uniform
from assay.augmentation.knobs import OfImages

_ERASED_AREA = (0.02, 0.33)  # share of the image
_ERASED_RATIO = (0.3, 3.3)  # height to width; both as in Zhong et al. 2017


def augmented_images(
    images: Tensor, *, knobs: OfImages, std: Tensor, mean: Tensor, generator: Generator
) -> Tensor:
    """Return images changed as the knobs say; ``mean`` and ``std`` (1, channels, 1, 1) are pixels'."""
    if knobs.shift or knobs.rotation or knobs.flip:
        images = _moved(images, knobs, generator)
    if knobs.erase:
        images = torch.where(_erased(images, knobs.erase, generator), mean, images)
    if knobs.noise:
        images = images + knobs.noise * std * normal(images.shape, like=images, of=generator)
    return images


def _moved(images: Tensor, knobs: OfImages, generator: Generator) -> Tensor:
    """One affine map for each image; what comes from outside is the nearest edge."""
    rows, _, height, width = images.shape

    def drawn(largest: float) -> Tensor:
        return uniform((rows,), -largest, largest, like=images, of=generator)

    angle = drawn(math.radians(knobs.rotation))
    x, y = drawn(2 * knobs.shift), drawn(2 * knobs.shift)  # the grid runs from -1 to 1
    side = torch.where(uniform((rows,), 0, 1, like=images, of=generator) < knobs.flip, -1.0, 1.0)
    cos, sin = angle.cos(), angle.sin()
    across = torch.stack([side * cos, -side * sin * height / width, x], dim=1)
    down = torch.stack([sin * width / height, cos, y], dim=1)
    grid = affine_grid(torch.stack([across, down], dim=1), list(images.shape), align_corners=False)
    return grid_sample(images, grid, padding_mode="border", align_corners=False)


def _erased(images: Tensor, probability: float, generator: Generator) -> Tensor:
    """Return which pixels are lost: bool (rows, 1, height, width), a rectangle or nothing."""
    rows, _, height, width = images.shape

    def drawn(low: float, high: float) -> Tensor:
        return uniform((rows, 1), low, high, like=images, of=generator)

    is_chosen = drawn(0, 1) < probability
    area = drawn(*_ERASED_AREA) * height * width
    ratio = drawn(*map(math.log, _ERASED_RATIO)).exp()
    tall, wide = (area * ratio).sqrt().clamp(max=height), (area / ratio).sqrt().clamp(max=width)
    top, left = drawn(0, 1) * (height - tall), drawn(0, 1) * (width - wide)
    row, column = (torch.arange(n, device=images.device) + 0.5 for n in (height, width))
    in_rows = (row >= top) & (row < top + tall) & is_chosen
    in_columns = (column >= left) & (column < left + wide)
    return (in_rows[:, :, None] & in_columns[:, None, :])[:, None]
