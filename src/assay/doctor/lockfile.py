"""``dvc.lock``, which DVC writes in place: whether DVC can read it."""

from __future__ import annotations

from functools import partial

from assay.doctor.commands import git
from assay.doctor.entries import read_lock
from assay.doctor.finding import Account, Finding, Place
from assay.doctor.project import stage_commands
from assay.doctor.rebuild import LOCK, rebuild

NAME = LOCK
_REMEDY = (
    "keeps it as dvc.lock.damaged and puts together what DVC confirms of the rest of it, "
    "of the run cache and of git"
)


def find(place: Place) -> Account:
    """Look at whether DVC can read it, and whether it is there if git has it."""
    path, names = place.root / NAME, stage_commands(place.root)
    if not path.is_file():
        if git(place.root, "cat-file", "-e", f"HEAD:./{NAME}") is None:
            return Account(looked_at="not there yet: 'dvc repro' makes it")
        what, remedy = "is missing, though git has one", _REMEDY.partition(" and ")[2]
        mend = partial(rebuild, place)
        return Account(looked_at="", findings=[Finding(what=what, remedy=remedy, mend=mend)])
    found = read_lock(path.read_bytes().decode(errors="replace"))
    if found.problem:
        what = f"{found.problem}; {len(found.whole)} of {len(names)} stages can be read"
        mend = partial(rebuild, place)
        return Account(looked_at="", findings=[Finding(what=what, remedy=_REMEDY, mend=mend)])
    return Account(looked_at=f"{len(found.whole)} of {len(names)} stages recorded")
