"""Where a fit runs and in which floats."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

import torch

from assay.errors import ConfigError
from assay.training.knobs import Training


@dataclass(frozen=True, kw_only=True)
class Hardware:
    """A device that is there, and Lightning's name for the precision."""

    device: Literal["cpu", "cuda", "mps"]
    precision: Literal["32-true", "bf16-mixed", "16-mixed"]

    @property
    def has_fused_steps(self) -> bool:
        """Whether torch's fused optimizers can be used: they do not go with loss scaling."""
        return self.precision != "16-mixed"


def find_hardware(knobs: Training) -> Hardware:
    """Return what the knobs ask for; ConfigError names the devices there are when it is missing."""
    there = [name for name, is_there in _devices().items() if is_there]
    device = there[0] if knobs.device == "auto" else knobs.device
    if device not in there:
        raise ConfigError(
            [f"training.device: {device} was asked for; this machine has {', '.join(there)}"]
        )
    if knobs.precision == "16-mixed" and device == "cpu":
        raise ConfigError(["training.precision: 16-mixed needs a GPU; use bf16-mixed or 32 here"])
    return Hardware(device=device, precision=_precision(knobs, device))  # type: ignore[arg-type]  # checked above


@contextmanager
def settings(knobs: Training) -> Iterator[None]:
    """Set the number of threads for the block; leave torch's global switches as they were."""
    threads = torch.get_num_threads()
    is_deterministic = torch.are_deterministic_algorithms_enabled()
    if knobs.threads is not None:
        torch.set_num_threads(knobs.threads)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
        torch.use_deterministic_algorithms(is_deterministic)


def _devices() -> dict[str, bool]:
    return {
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
        "cpu": True,
    }


def _precision(knobs: Training, device: str) -> Literal["32-true", "bf16-mixed", "16-mixed"]:
    if knobs.precision == "auto":
        is_worthwhile = device == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False)
        return "bf16-mixed" if is_worthwhile else "32-true"
    return "32-true" if knobs.precision == "32" else knobs.precision
