"""Disk that the dead hold: checkpoints, drafts, and large folders of runs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from filelock import FileLock, Timeout

from assay.artifacts.lock import is_held
from assay.artifacts.paths import ARTIFACTS
from assay.doctor.activity import is_gone
from assay.doctor.experiments import remove
from assay.doctor.finding import Account, Finding, Place
from assay.doctor.sizes import days_untouched, shown, size_of
from assay.errors import ArtifactError

NAME = "disk"
DEAD_DAYS = 7
LARGE_BYTES = 1_000_000_000
_HYDRA = ("outputs", "multirun")
_DRAFT = re.compile(r"\..+\.(\d+)")
_FOLDERS = ("", "conf/data", "artifacts", "artifacts/*")
_HOME_FOLDERS = ("", "cache/*", "checkpoints/*")


def find(place: Place) -> Account:
    """Look at checkpoints, drafts, and the folders that Hydra fills."""
    findings = [*_checkpoints(place), *_stage_drafts(place), *_drafts(place), *_hydra(place)]
    return Account(looked_at=f"{shown(size_of(place.home))} in {place.home}", findings=findings)


def _checkpoints(place: Place) -> Iterator[Finding]:
    for folder in sorted((place.home / "checkpoints").glob("*")):
        if not folder.is_dir() or is_held(folder / "lock"):
            continue
        days, size = days_untouched(folder), shown(size_of(folder))
        if days < DEAD_DAYS:
            what = f"a fit that was cut off keeps {size} of checkpoints ({folder.name})"
            yield Finding(what=what, remedy="the same command goes on from there", is_note=True)
            continue
        what = f"a fit that was cut off {days:.0f} days ago keeps {size} ({folder.name})"
        mend = partial(_remove_unheld, folder, folder / "lock")
        yield Finding(what=what, remedy="removes its checkpoints", mend=mend, is_guarded=True)


def _remove_unheld(path: Path, lock: Path) -> str:
    lock.parent.mkdir(exist_ok=True)
    try:
        with FileLock(lock, timeout=0):
            return remove([path])
    except Timeout as error:
        raise ArtifactError(f"a process has begun to work in {path}") from error


def _stage_drafts(place: Place) -> Iterator[Finding]:
    artifacts = place.root / ARTIFACTS
    for draft in sorted((artifacts / ".drafts").glob("*")):
        lock = artifacts / ".locks" / f"{draft.name}.lock"
        if draft.is_dir() and not is_held(lock):
            what = f"stage {draft.name} was cut off and left a draft of {shown(size_of(draft))}"
            mend = partial(_remove_unheld, draft, lock)
            yield Finding(what=what, remedy="removes it", mend=mend, is_guarded=True)


def _drafts(place: Place) -> Iterator[Finding]:
    """Yield drafts that their process did not live to rename."""
    found = [p for name in _FOLDERS for p in place.root.glob(f"{name}/.*.*" if name else ".*.*")]
    found += [
        p for name in _HOME_FOLDERS for p in place.home.glob(f"{name}/.*.*" if name else ".*.*")
    ]
    dead = [path for path in sorted(set(found)) if _is_dead_draft(path)]
    dead += sorted((place.root / "data").glob("*/.*.draft"))
    if dead:
        names = ", ".join(path.name for path in dead[:3])
        count = "1 draft was" if len(dead) == 1 else f"{len(dead)} drafts were"
        what = f"{count} never finished ({shown(sum(map(size_of, dead)))}): {names}"
        yield Finding(what=what, remedy="removes them", mend=partial(remove, dead))


def _is_dead_draft(path: Path) -> bool:
    match = _DRAFT.fullmatch(path.name)
    return match is not None and is_gone(int(match[1]))


def _hydra(place: Place) -> Iterator[Finding]:
    for name in _HYDRA:
        folder = place.root / name
        size = size_of(folder) if folder.is_dir() else 0
        if size > LARGE_BYTES:
            what = f"{name}/ holds {shown(size)} of folders that 'assay run' filled"
            remedy = "they are yours: remove what you do not need"
            yield Finding(what=what, remedy=remedy, is_note=True)
