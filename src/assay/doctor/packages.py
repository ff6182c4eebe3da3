"""Installed packages, compared with ``constraints.txt``: what is forbidden, what is another version.

A line ``# forbidden: NAME VERSION[, VERSION]: REASON`` there forbids releases by name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from importlib.metadata import PackageNotFoundError, version

from assay.doctor.finding import Account, Finding, Place
from assay.errors import ArtifactError

NAME = "packages"
_FILE = "constraints.txt"
_PINNED = re.compile(r"([\w.-]+)==([^\s;#]+)")
_FORBIDDEN = re.compile(r"#\s*forbidden:\s*([\w.-]+)\s+([^:]+):\s*(.+)")
_SHOWN = 8


def find(place: Place) -> Account:
    """Look at each package of ``constraints.txt`` that is installed."""
    path = place.root / _FILE
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ArtifactError(f"{_FILE} cannot be read: {error}") from error
    pinned = {m[1]: m[2] for line in lines if (m := _PINNED.match(line))}
    installed = {name: found for name in pinned if (found := _installed(name))}
    findings = [*_forbidden(lines), *_different(pinned, installed)]
    looked_at = f"{len(installed)} installed as {_FILE} pins them"
    return Account(looked_at=looked_at, findings=findings)


def _installed(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def _forbidden(lines: list[str]) -> Iterator[Finding]:
    for match in filter(None, map(_FORBIDDEN.match, lines)):
        name, releases, reason = match[1], match[2].replace(",", " ").split(), match[3]
        if (found := _installed(name)) in releases:
            remedy = "trust nothing that ran with it; install again: make setup"
            yield Finding(what=f"{name} {found} is forbidden: {reason}", remedy=remedy)


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
