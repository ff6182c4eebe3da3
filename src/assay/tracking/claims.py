"""Of several who are about to move an alias at the same moment, on any machine, one at most does.

MLflow moves an alias without asking where it was. So whoever is about to move it first says so in
a tag of the version, then looks for others who said the same, and at last whether the alias is still
where it was when the decision was made. Of two that overlap at least one sees the other, or that
the alias has moved, and gives way: it decides again. Within one project a lock keeps them apart
already (``registry.alone_with``); this holds for several projects on one server too.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from assay.tracking.registry import Version, champion_of, tag, untag, versions_of

CLAIM = "claims_champion"
_FORGOTTEN_SECONDS = 600.0
"""A claim of this age was left by one who was killed."""


@contextmanager
def claimed(version: Version, *, than: Version | None) -> Iterator[bool]:
    """Tell whether the champion's alias may be moved on behalf of ``version``.

    ``than`` is the champion with which the decision was made, None where there was none.
    """
    tag(version, {CLAIM: f"{time.time():.3f}"})
    try:
        yield not _others(version) and _number(champion_of(version.name)) == _number(than)
    finally:
        untag(version, CLAIM)


def _others(version: Version) -> list[str]:
    """Return who else has a claim."""
    every = [v for v in versions_of(version.name) if v.number != version.number]
    return [v.number for v in every if _is_live(v.tags.get(CLAIM, ""))]


def _is_live(claim: str) -> bool:
    try:
        return abs(time.time() - float(claim)) < _FORGOTTEN_SECONDS
    except ValueError:
        return False


def _number(version: Version | None) -> str:
    return version.number if version else ""
