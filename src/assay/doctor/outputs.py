"""The pipeline's outputs, each compared with its manifest."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path

from assay.artifacts.manifest import MANIFEST, artifact
from assay.artifacts.paths import ARTIFACTS
from assay.doctor.commands import dvc, dvc_status
from assay.doctor.finding import Account, Finding, Place
from assay.errors import ArtifactError

NAME = "artifacts"
_IN_CACHE = {"deleted", "modified"}


def find(place: Place) -> Account:
    """Look at every file that a manifest lists. What is not there yet is no finding."""
    if place.at_work:
        return Account(looked_at=f"not compared while {place.at_work[0]} may be writing them")
    broken: dict[str, str] = {}
    manifests = sorted((place.root / ARTIFACTS).glob(f"*/{MANIFEST}/*.json"))
    for manifest in manifests:
        stage = manifest.parent.parent.name
        try:
            artifact(stage, manifest.stem)
        except ArtifactError as error:
            broken.setdefault(stage, str(error).partition(": run 'dvc repro")[0])
    status = _status(place) if broken else {}
    findings = [_finding(place, stage, what, status) for stage, what in broken.items()]
    outputs = "1 output" if len(manifests) == 1 else f"{len(manifests)} outputs"
    return Account(looked_at=f"{outputs}, each as its manifest says", findings=findings)


def _status(place: Place) -> Mapping[str, list[object]] | None:
    try:
        return dvc_status(place.root)
    except ArtifactError:
        return None


def _finding(
    place: Place, stage: str, what: str, status: Mapping[str, list[object]] | None
) -> Finding:
    """Say what mends a stage's outputs: all of them together, for they were made together."""
    if status is None:
        return Finding(what=what, remedy="look again once DVC can read its files")
    changed = _changed_outputs(status.get(stage, []))
    if not changed:
        remedy = f"DVC records it so: run 'dvc repro -f -s {stage}'"
        return Finding(what=what, remedy=remedy)
    if set(changed.values()) - _IN_CACHE:
        remedy = f"DVC's cache has no copy: 'dvc repro' makes what {stage} writes anew"
        return Finding(what=what, remedy=remedy, is_note=True)
    remedy = f"takes what {stage} wrote from DVC's cache"
    return Finding(what=what, remedy=remedy, mend=partial(_check_out, place.root, stage))


def _changed_outputs(changes: list[object]) -> dict[str, str]:
    found: dict[str, str] = {}
    for change in changes:
        if isinstance(change, Mapping) and isinstance(outs := change.get("changed outs"), Mapping):
            found |= outs
    return found


def _check_out(root: Path, stage: str) -> str:
    dvc(root, "checkout", "--force", stage)
    return "taken from DVC's cache"
