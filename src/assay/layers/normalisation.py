"""Normalisation layers by name."""

from __future__ import annotations

from typing import Literal

from torch import nn

from assay.layers.shape import InputKind

Normalisation = Literal["none", "batch", "layer"]


def normalisation(name: Normalisation, *, width: int, kind: InputKind) -> nn.Module:
    """Return a normalisation of ``width`` features or channels.

    ``batch``: Ioffe and Szegedy 2015, arXiv:1502.03167. ``layer``: one group over all features of
    a row (Ba et al. 2016, arXiv:1607.06450; for images Wu and He 2018, arXiv:1803.08494).
    """
    if name == "none":
        return nn.Identity()
    if name == "layer":
        return nn.GroupNorm(1, width)
    return nn.BatchNorm2d(width) if kind == "image" else nn.BatchNorm1d(width)
