"""What a network is rebuilt from: the configuration merged with what the search found."""

from __future__ import annotations

from dataclasses import dataclass

from assay.layers.shape import Model
from assay.training.knobs import Training


@dataclass(frozen=True, kw_only=True)
class Effective:
    """The content of ``effective.yaml``; read it with ``load(Effective, path)``."""

    model: Model
    training: Training
    seed: int
