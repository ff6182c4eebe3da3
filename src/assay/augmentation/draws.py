"""Random numbers from a generator of their own, which leaves every other random state alone."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Generator, Tensor


def generator_for(seed: int, *, step: int, device: torch.device) -> Generator:
    """Return a generator whose state is a pure function of the training's seed and the step."""
    (word,) = np.random.SeedSequence([seed, step]).generate_state(1, np.uint64)
    return Generator(device).manual_seed(int(word))


def uniform(
    shape: Sequence[int], low: float, high: float, *, like: Tensor, of: Generator
) -> Tensor:
    """Return numbers between ``low`` and ``high``, of the type and on the device of ``like``."""
    drawn = torch.rand(tuple(shape), generator=of, device=like.device, dtype=like.dtype)
    return low + (high - low) * drawn


def normal(shape: Sequence[int], *, like: Tensor, of: Generator) -> Tensor:
    """Return numbers of mean 0 and variance 1, of the type and on the device of ``like``."""
    return torch.randn(tuple(shape), generator=of, device=like.device, dtype=like.dtype)
