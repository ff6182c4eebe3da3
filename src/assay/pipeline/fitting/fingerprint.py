"""A name for all that a result depends on: settings, data, code, libraries and the machine."""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Iterable, Mapping
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

import assay
from assay.artifacts.files import digest

_LIBRARIES = ("numpy", "pytorch-lightning", "torch")
_FITTING = ("augmentation", "data", "layers", "metrics", "pipeline", "training")
_CHANGES_NOTHING = "checkpoint"


def code_digest(rooms: Iterable[str], *, target: str = "") -> str:
    """Return one digest of the Python files of some rooms, and of the module of a ``_target_``."""
    package = Path(assay.__file__).parent
    chosen = package.parent.joinpath(*target.split(".")[:-1]).with_suffix(".py")
    files = {file for room in rooms for file in (package / room).rglob("*.py")}
    files |= {chosen} if target and chosen.is_file() else set()
    lines = [f"{file.relative_to(package)} {digest(file)}\n" for file in sorted(files)]
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def library_versions(*more: str) -> list[str]:
    """Return the versions of the libraries that a fit runs in, and of others."""
    return [f"{name} {version(name)}" for name in (*_LIBRARIES, *more)]


def of_results(training: Mapping[str, Any]) -> dict[str, Any]:
    """Return the training node without what changes no result."""
    return {key: value for key, value in training.items() if key != _CHANGES_NOTHING}


def name_of(facts: Mapping[str, Any], *, length: int) -> str:
    """Return so many hex digits of the SHA-256 of facts that JSON can say."""
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:length]


def fit_fingerprint(
    purpose: str, *, model: Mapping[str, Any], training: Mapping[str, Any], seed: int, data: Any
) -> str:
    """Return 20 hex digits that name one fit on one kind of machine; ``data`` are its digests."""
    facts = {
        "purpose": purpose,
        "model": model,
        "training": of_results(training),
        "seed": seed,
        "data": data,
        "code": _fitting_code(str(model.get("_target_", ""))),
        "libraries": library_versions(),
        "machine": _machine(training.get("threads")),
    }
    return name_of(facts, length=20)


@lru_cache
def _fitting_code(target: str) -> str:
    """Hash once what a process has imported: a search asks at every trial."""
    return code_digest(_FITTING, target=target)


def _machine(threads: object) -> list[Any]:
    gpu = torch.cuda.get_device_name() if torch.cuda.is_available() else ""
    cpu = torch.backends.cpu.get_cpu_capability()
    return [platform.machine(), cpu, gpu, threads or torch.get_num_threads()]
