"""Models from elsewhere that a configuration builds on: copied once into the home, named by digest.

A folder holds the files of one model and nothing else. It is compared with its name before it is
used, so a configuration that says the digest says the weights.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable
from pathlib import Path

from assay.artifacts.files import digest, flush_tree
from assay.artifacts.paths import home
from assay.errors import ArtifactError

_LENGTH = 32


def keep(files: Iterable[Path]) -> str:
    """Copy files of different names into a folder of their own, and return its digest."""
    place = home() / "cache" / "models"
    draft = place / f".{os.getpid()}"
    shutil.rmtree(draft, ignore_errors=True)
    try:
        draft.mkdir(parents=True)
        for file in files:
            shutil.copyfile(file, draft / file.name)
        flush_tree(draft)
        name = digest(draft)[:_LENGTH]
        if not (place / name).is_dir():
            draft.replace(place / name)
        return name
    except OSError as error:
        raise ArtifactError(f"{place} cannot be written: {error.strerror or error}") from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def borrowed(name: str | None, *, of: str) -> Path:
    """Return the folder of a digest; ``of`` is the model's address, for messages.

    Raises ArtifactError where it is not here, or is not what was kept.
    """
    if name is None:
        raise ArtifactError(f"{of} has no digest: it is pinned when the configuration is composed")
    folder = home() / "cache" / "models" / name
    if not folder.is_dir():
        raise ArtifactError(f"{of} is not on this machine: fetch it with 'dvc repro -f compose'")
    if digest(folder)[:_LENGTH] != name:
        raise ArtifactError(f"{folder} was changed: delete it, and run 'dvc repro -f compose'")
    return folder
