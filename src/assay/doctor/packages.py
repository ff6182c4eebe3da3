"""Installed packages, compared with ``constraints.txt``: what is forbidden, what is another version.

A line there with a reason, such as ``name!=1.2  # why``, forbids; one such as ``name==1.2`` pins.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib.metadata import PackageNotFoundError, version

from packaging.requirements import InvalidRequirement, Requirement

from assay.doctor.finding import Account, Finding, Place
from assay.errors import ArtifactError

NAME = "packages"
_FILE = "constraints.txt"
_SHOWN = 8


def find(place: Place) -> Account:
    """Look at each package of ``constraints.txt`` that is installed."""
    path = place.root / _FILE
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ArtifactError(f"{_FILE} cannot be read: {error}") from error
    wanted = list(_requirements(lines))
    pinned = {each.name: pin for each, _ in wanted if (pin := _pin(each))}
    installed = {name: found for name in pinned if (found := _installed(name))}
    findings = [*_forbidden(wanted), *_different(pinned, installed)]
    looked_at = f"{len(installed)} installed as {_FILE} pins them"
    return Account(looked_at=looked_at, findings=findings)


def _installed(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def _requirements(lines: list[str]) -> Iterator[tuple[Requirement, str]]:
    """Yield each line's requirement with the reason that stands beside it, if one does."""
    for line in lines:
        text, _, reason = line.partition("#")
        if text.strip():
            try:
                yield Requirement(text.strip()), reason.strip()
            except InvalidRequirement as error:
                raise ArtifactError(f"{_FILE}: {text.strip()!r} is no requirement") from error


def _pin(requirement: Requirement) -> str:
    pins = [each.version for each in requirement.specifier if each.operator == "=="]
    return pins[0] if pins else ""


def _forbidden(wanted: list[tuple[Requirement, str]]) -> Iterator[Finding]:
    for requirement, reason in wanted:
        is_ban = bool(reason) and not _pin(requirement)
        found = _installed(requirement.name) if is_ban else ""
        if found and not requirement.specifier.contains(found, prereleases=True):
            what = f"{requirement.name} {found} is forbidden ({requirement.specifier}): {reason}"
            yield Finding(what=what, remedy=f"install what is pinned: pip install -c {_FILE} -e .")


def _different(pinned: Mapping[str, str], installed: Mapping[str, str]) -> Iterator[Finding]:
    """A version that is not pinned is no damage: results may differ from those of others."""
    others = [
        f"{name} {found} (pinned {pinned[name]})"
        for name, found in installed.items()
        if found.partition("+")[0] != pinned[name]  # a build of a version, such as +cu130, is one
    ]
    if others:
        more = f" and {len(others) - _SHOWN} more" if len(others) > _SHOWN else ""
        what = f"{len(others)} other than pinned: {', '.join(others[:_SHOWN])}{more}"
        remedy = f"'pip install -c {_FILE} -e .' installs what was tested"
        yield Finding(what=what, remedy=remedy, is_note=True)
