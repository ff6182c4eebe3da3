"""What a check hands back: what it looked at, what it found, and how that is mended."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True, kw_only=True)
class Place:
    """The project that is examined; ``at_work`` names the processes that work in it right now."""

    root: Path
    home: Path
    at_work: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing that was found.

    ``remedy`` says what ``mend`` does, or where there is none what a person must do. ``mend``
    says what it did. A note is worth saying and spoils no health. What is guarded by locks of its
    own may be mended while a pipeline is at work.
    """

    what: str
    remedy: str
    mend: Callable[[], str] | None = None
    is_note: bool = False
    is_guarded: bool = False


@dataclass(frozen=True, kw_only=True)
class Account:
    """What a check looked at, in words, and what it found."""

    looked_at: str
    findings: Sequence[Finding] = ()


class Check(Protocol):
    """A module of this room: ``find`` looks and changes nothing."""

    NAME: str

    def find(self, place: Place) -> Account:
        """Return what there is; raises AssayError where it cannot be looked at."""
        ...
