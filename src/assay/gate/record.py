"""What the gate was told, kept beside a registered version so that it can be asked again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from assay.artifacts.files import read_json, write_json
from assay.errors import ArtifactError
from assay.gate.decide import Evidence

FILE = "evidence.json"


def write_evidence(path: Path, evidence: Evidence, *, columns: Sequence[str]) -> None:
    """Write evidence, and the columns by which the test rows were sliced."""
    write_json(path, {**asdict(evidence), "columns": list(columns)})


def read_evidence(path: Path) -> tuple[Evidence, list[str]]:
    """Return evidence and columns; ArtifactError where the file is missing or damaged."""
    if not path.is_file():
        raise ArtifactError(
            f"the version was registered without {FILE}, so the gate cannot be asked: register "
            "the model again ('dvc repro -f -s register')"
        )
    values: Any = read_json(path)
    if not isinstance(values, Mapping) or "columns" not in values:
        raise ArtifactError(f"{path} is damaged: it is no evidence")
    knobs = {key: value for key, value in values.items() if key != "columns"}
    try:
        return Evidence(**knobs), [str(name) for name in values["columns"]]
    except TypeError as error:
        raise ArtifactError(f"{path} is damaged, no evidence: {error}") from error
