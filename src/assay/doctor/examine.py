"""Go through the checks, mend where asked, and look again: a mend counts when the finding is gone."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, cast

from assay.artifacts.paths import home
from assay.doctor.activity import at_work, wait_for_orphans
from assay.doctor.finding import Account, Check, Finding, Place
from assay.errors import AssayError

CHECKS = (
    "project",
    "dvc_locks",
    "data",  # before the lock file: DVC confirms an entry only where the data are here
    "lockfile",
    "experiments",
    "outputs",
    "store",
    "trials",
    "receipt",
    "disk",
    "packages",
)
State = Literal["ok", "note", "found", "mended", "left", "failed"]
HEALTHY = ("ok", "note", "mended")


@dataclass(frozen=True, kw_only=True)
class Line:
    """One line of the report."""

    check: str
    state: State
    text: str

    @property
    def is_healthy(self) -> bool:
        """Whether nothing is left to be done about it."""
        return self.state in HEALTHY


def examine(root: Path, *, fix: bool, checks: Sequence[str] = CHECKS) -> Iterator[Line]:
    """Yield a line for each finding, and for each check that found none.

    Without ``fix`` nothing is changed. A check is imported when its turn comes.
    """
    for stage in wait_for_orphans(root) if fix else ():
        text = f"waited for {stage} to end: its DVC was killed"
        yield Line(check="processes", state="note", text=text)
    for name in checks:
        check = cast(Check, importlib.import_module(f"assay.doctor.{name}"))
        yield from _examined(check, root, fix=fix)


def _examined(check: Check, root: Path, *, fix: bool) -> Iterator[Line]:
    tried: dict[str, Line] = {}
    account, place = _look(check, root)
    while fix and (due := [f for f in account.findings if f.what not in tried and _may(f, place)]):
        for finding in due:
            tried[finding.what] = line = _mended(check, finding)
            yield line
        account, place = _look(check, root)
    left = [f for f in account.findings if f.what not in tried or tried[f.what].is_healthy]
    for finding in left:
        yield _line(check, finding, place, fix=fix)
    if not (left or tried):
        yield Line(check=check.NAME, state="ok", text=account.looked_at)


def _look(check: Check, root: Path) -> tuple[Account, Place]:
    place = Place(root=root, home=home(), at_work=at_work(root))
    try:
        return check.find(place), place
    except AssayError as error:
        what = f"cannot be looked at: {_one_line(error)}"
        return Account(looked_at="", findings=[Finding(what=what, remedy="")]), place


def _may(finding: Finding, place: Place) -> bool:
    return finding.mend is not None and (finding.is_guarded or not place.at_work)


def _mended(check: Check, finding: Finding) -> Line:
    if finding.mend is None:
        raise ValueError(f"expected a finding that can be mended, but got {finding=}")
    try:
        done = finding.mend()
    except (AssayError, OSError) as error:
        text = f"{finding.what}; not mended: {_one_line(error)}"
        return Line(check=check.NAME, state="failed", text=text)
    return Line(check=check.NAME, state="mended", text=f"{finding.what}: {done}")


def _line(check: Check, finding: Finding, place: Place, *, fix: bool) -> Line:
    is_withheld = finding.mend is not None and not _may(finding, place)
    if is_withheld:
        who = ", ".join(place.at_work[:3])
        remedy = f"left alone while {who} works here: look again when that has ended"
    elif finding.mend and not fix:
        remedy = f"--fix {finding.remedy}"
    elif finding.mend:
        remedy = f"still there after: {finding.remedy}"
    else:
        remedy = finding.remedy
    text = f"{finding.what}; {remedy}" if remedy else finding.what
    state: State = "note" if finding.is_note else "left" if is_withheld else "found"
    return Line(check=check.NAME, state=state, text=text)


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())
