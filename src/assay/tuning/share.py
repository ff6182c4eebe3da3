"""A worker's share of the machine: one GPU where there are several, else some of the cores."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from assay.tuning.knobs import Search

_THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")


@dataclass(frozen=True, kw_only=True)
class Share:
    """What the worker ``index`` of ``count`` may use; None for ``threads`` or ``gpu`` is all."""

    index: int = 0
    count: int = 1
    threads: int | None = None
    gpu: str | None = None

    @property
    def environment(self) -> dict[str, str]:
        """The environment variables that libraries read at their import."""
        threads = {} if self.threads is None else dict.fromkeys(_THREADS, str(self.threads))
        return threads if self.gpu is None else {**threads, "CUDA_VISIBLE_DEVICES": self.gpu}


def share_of(index: int, knobs: Search) -> Share:
    """Return the share of one worker on this machine."""
    if knobs.workers == 1:
        return Share(threads=knobs.worker_threads)
    seen = gpus()
    gpu = seen[index % len(seen)] if knobs.gpu_each and len(seen) > 1 else None
    threads = knobs.worker_threads or max(1, cores() // knobs.workers)
    return Share(index=index, count=knobs.workers, threads=threads, gpu=gpu)


def cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def gpus() -> list[str]:
    """Return the GPUs that this process may use, as ``CUDA_VISIBLE_DEVICES`` names them."""
    chosen = os.environ.get("CUDA_VISIBLE_DEVICES")
    if chosen is not None:
        return [name.strip() for name in chosen.split(",") if name.strip() not in ("", "-1")]
    devices = Path("/dev").glob("nvidia[0-9]*")
    return sorted((d.name.removeprefix("nvidia") for d in devices), key=int)
