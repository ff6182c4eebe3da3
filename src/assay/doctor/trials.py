"""The file of studies: trials that a dead process left RUNNING."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from assay.doctor.finding import Account, Finding, Place
from assay.errors import ArtifactError
from assay.tuning.storage import close_left_running, left_running

NAME = "trials"
_FILE = "study.db"


def find(place: Place) -> Account:
    """Look at the studies that no process works on."""
    path = place.home / _FILE
    if not path.is_file():
        return Account(looked_at="no search was run yet")
    try:
        left = left_running(path)
    except ArtifactError as error:
        what = f"{_FILE} cannot be read: {error}"
        remedy = "keeps it as study.db.damaged: the next search begins afresh"
        return Account(looked_at="", findings=[_found(what, remedy, partial(_move_away, path))])
    if not left:
        return Account(looked_at=f"{_FILE}, no trial of a dead process")
    count = sum(left.values())
    what = f"{'1 trial' if count == 1 else f'{count} trials'} of dead processes still RUNNING"
    mend = partial(_close, path)
    finding = Finding(what=what, remedy="closes them as failed", mend=mend, is_guarded=True)
    return Account(looked_at="", findings=[finding])


def _found(what: str, remedy: str, mend: partial[str]) -> Finding:
    return Finding(what=what, remedy=remedy, mend=mend)


def _close(path: Path) -> str:
    count = close_left_running(path)
    return f"{count} closed as failed: the next search draws their numbers again"


def _move_away(path: Path) -> str:
    """Move the file with its journals, or they would be played into the next one."""
    aside = f"{path.name}.damaged"
    for end in ("-journal", "-wal", "-shm", ""):
        old = path.with_name(path.name + end)
        if old.exists():
            old.replace(path.with_name(f"{aside}{end}"))
    return f"kept as {aside}"
