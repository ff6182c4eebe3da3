"""What a network of images holds most typical of each class: found by gradients, asked of the graph."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from assay.data.prepared import Split
from assay.data.spec import required
from assay.explanation.maximization import Pixels, most_typical
from assay.explanation.sources import Predict
from assay.figures.samples import prototype_grid
from assay.inference.signature import IMAGE, Signature
from assay.layers.preprocess import level_range
from assay.pipeline.explaining.insight import Opened

_MOST_CLASSES = 20
_ROWS = 1000


def draw_prototypes(
    path: Path, found: Opened, *, of: Signature, train: Split, predict: Predict
) -> None:
    """Draw the most typical image of each class, with the probability that the graph gives it.

    Nothing is drawn for other tasks than classes of images.
    """
    if of.task != "classification" or found.spec.image is None:
        return
    images = _levels(found, train)
    probability = predict({IMAGE: images}).diagonal()
    captions = [f"{name}: {share:.0%}" for name, share in zip(of.classes, probability, strict=True)]
    prototype_grid(
        images[:_MOST_CLASSES] / max(1, *found.spec.image.highest),
        captions=captions[:_MOST_CLASSES],
        heading="What the network holds most typical of each class",
        below="made by gradients from the mean image; the probability is the graph's own",
    ).savefig(path, metadata={"Software": None})


def _levels(found: Opened, train: Split) -> np.ndarray:
    """Return the most typical image of each class as uint8 levels (classes, C, H, W)."""
    image = required(found.spec.image)
    lowest, span = level_range(image)
    mean = torch.tensor(image.mean).reshape(1, -1, 1, 1)
    std = torch.tensor(image.std).clamp(min=1e-6).reshape(1, -1, 1, 1)
    rows = np.linspace(0, len(train) - 1, min(_ROWS, len(train))).astype(int)
    seen = (torch.from_numpy(train.batch(rows)[IMAGE]).float() - mean) / std
    pixels = Pixels(
        mean=seen.mean(dim=0, keepdim=True),
        std=seen.std(dim=0, keepdim=True),
        lowest=(lowest - mean) / std,
        highest=(lowest + span - mean) / std,
    )
    scaled = most_typical(_logits(found), pixels, seed=0)
    levels: np.ndarray = (scaled * std + mean).round().clamp(0, 255).to(torch.uint8).numpy()
    return levels


def _logits(found: Opened) -> Callable[[Tensor], Tensor]:
    network = found.network

    def logits(images: Tensor) -> Tensor:
        outputs: Tensor = network.body(*network.adapter(images))
        return outputs

    return logits
