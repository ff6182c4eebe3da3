"""What a ``dvc exp run`` that was cut off leaves: git without a branch, and copies of the project."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from assay.doctor.commands import git
from assay.doctor.finding import Account, Finding, Place
from assay.doctor.sizes import shown, size_of
from assay.errors import ArtifactError

NAME = "experiments"
_REFS = "refs/exps/exec"
_COPIES = (".dvc/tmp/exps", ".dvc/tmp/exps/standalone")
_MOVED = re.compile(r"checkout: moving from (\S+) to")


def find(place: Place) -> Account:
    """Look at git's HEAD, and at the folders in which DVC runs experiments."""
    looked_at = "no experiment was cut off"
    return Account(looked_at=looked_at, findings=[*_detached(place), *_copies(place)])


def _detached(place: Place) -> Iterator[Finding]:
    refs = (git(place.root, "for-each-ref", "--format=%(refname)", _REFS) or "").split()
    if place.at_work or not refs or git(place.root, "symbolic-ref", "-q", "HEAD"):
        return
    what = "git is on no branch since a 'dvc exp run' was cut off: commits would be lost"
    branch = _branch(place.root)
    if branch is None:
        remedy = "run 'git switch BRANCH' with the branch that you were on"
        yield Finding(what=what, remedy=remedy)
        return
    remedy = f"goes back to {branch}, with every file as it is"
    yield Finding(what=what, remedy=remedy, mend=partial(_attach, place.root, branch, refs))


def _branch(root: Path) -> str | None:
    """Return the branch at this very commit, by git's journal where there is more than one."""
    here = git(root, "for-each-ref", "--format=%(refname:short)", "--points-at=HEAD", "refs/heads")
    branches = (here or "").split()
    if len(branches) < 2:
        return branches[0] if branches else None
    journal = git(root, "reflog", "--format=%gs", "-n", "50") or ""
    return next((name for name in _MOVED.findall(journal) if name in branches), None)


def _attach(root: Path, branch: str, refs: list[str]) -> str:
    if git(root, "symbolic-ref", "HEAD", f"refs/heads/{branch}") is None:
        raise ArtifactError(f"git does not go back to {branch}: run 'git switch {branch}'")
    for ref in refs:
        git(root, "update-ref", "-d", ref)
    return (
        f"back on {branch}; params.yaml is as the experiment set it ('git diff HEAD params.yaml')"
    )


def _copies(place: Place) -> Iterator[Finding]:
    folders = [p for name in _COPIES for p in (place.root / name).glob("tmp*") if p.is_dir()]
    if folders and not place.at_work:
        size = shown(sum(map(size_of, folders)))
        count = f"{len(folders)} {'copy' if len(folders) == 1 else 'copies'} of the project"
        what = f"{count} of experiments that were cut off hold {size} in .dvc/tmp/exps"
        yield Finding(what=what, remedy="removes them", mend=partial(remove, folders))


def remove(paths: list[Path]) -> str:
    """Delete files and folders, and say so; OSError where that is not allowed."""
    for path in paths:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    return "removed"
