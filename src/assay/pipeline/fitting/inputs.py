"""The prepared splits that fitting may see; the test split is none of them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from assay.artifacts.manifest import artifact
from assay.data.prepared import Split
from assay.data.spec import Spec, read_spec


@dataclass(frozen=True, kw_only=True)
class Inputs:
    """Training and validation rows, and what the training rows say."""

    train: Split
    valid: Split
    spec: Spec


def read_inputs(folder: Path) -> Inputs:
    """Read what ``prepare`` wrote to ``folder``; ArtifactError where something is missing."""
    return Inputs(
        train=Split(folder / "train"),
        valid=Split(folder / "valid"),
        spec=read_spec(folder / "spec.json"),
    )


def prepared_inputs() -> Inputs:
    """Read the output of the stage ``prepare``; ArtifactError where it is not what was written."""
    return Inputs(
        train=Split(artifact("prepare", "train")),
        valid=Split(artifact("prepare", "valid")),
        spec=read_spec(artifact("prepare", "spec.json")),
    )
