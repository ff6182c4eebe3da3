"""The project itself: a git and DVC repository whose hand-written files can be read."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from assay.artifacts.files import read_yaml
from assay.doctor.commands import git
from assay.doctor.finding import Account, Finding, Place
from assay.errors import ArtifactError

NAME = "project"
_WRITTEN_BY_HAND = ("dvc.yaml", "params.yaml")


def find(place: Place) -> Account:
    """Look at git, DVC, ``dvc.yaml``, ``params.yaml`` and whether the home can be written."""
    findings = [*_repositories(place), *_files(place), *_home(place)]
    return Account(looked_at="git, DVC, dvc.yaml, params.yaml and the home", findings=findings)


def _repositories(place: Place) -> Iterator[Finding]:
    top = git(place.root, "rev-parse", "--absolute-git-dir")
    if top is None:
        yield Finding(what=f"{place.root} is in no git repository", remedy="run 'git init'")
    elif (lock := Path(top.strip(), "index.lock")).exists() and not place.at_work:
        remedy = f"git refuses to write while it is there: if no git is at work, remove {lock}"
        yield Finding(what=".git/index.lock was left by a git that was cut off", remedy=remedy)
    if not (place.root / ".dvc").is_dir():
        yield Finding(what=f"{place.root} is no DVC repository", remedy="run 'dvc init'")


def _files(place: Place) -> Iterator[Finding]:
    for name in _WRITTEN_BY_HAND:
        path = place.root / name
        try:
            content = read_yaml(path)
        except ArtifactError as error:
            yield Finding(what=_readable(error, path), remedy=_mend_by_hand(place, name))
        else:
            if not isinstance(content, Mapping):
                what = f"{name} holds no keys, but {'nothing' if content is None else content!r}"
                yield Finding(what=what, remedy=_mend_by_hand(place, name))


def _readable(error: ArtifactError, path: Path) -> str:
    text = " ".join(str(error).split()).replace(str(path), path.name)
    return text.removesuffix(": run 'dvc repro' to make it")


def _mend_by_hand(place: Place, name: str) -> str:
    if git(place.root, "cat-file", "-e", f"HEAD:./{name}") is None:
        return "correct it"
    return f"correct it, or take back what was committed: git checkout HEAD -- {name}"


def _home(place: Place) -> Iterator[Finding]:
    folder = next(p for p in (place.home, *place.home.parents) if p.exists())
    if not (folder.is_dir() and os.access(folder, os.W_OK | os.X_OK)):
        what = f"the home {place.home} cannot be written: {folder} does not allow it"
        remedy = "make it writable, or name another place in ASSAY_HOME"
        yield Finding(what=what, remedy=remedy)


def stage_commands(root: Path) -> dict[str, str]:
    """Return the command of each stage of ``dvc.yaml``; ArtifactError where it cannot be read."""
    stages: Any = read_yaml(root / "dvc.yaml")
    stages = stages.get("stages") if isinstance(stages, Mapping) else None
    if not isinstance(stages, Mapping):
        raise ArtifactError("dvc.yaml has no stages")
    return {
        str(name): str(stage["cmd"])
        for name, stage in stages.items()
        if isinstance(stage, Mapping) and "cmd" in stage
    }
