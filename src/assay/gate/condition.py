"""One thing that was demanded of a model, and what became of it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Condition:
    """A row of the gate's table: wanted, found, verdict and reason.

    ``verdict`` is a word, by default passed or failed.
    """

    name: str
    wanted: str
    found: str
    passed: bool
    verdict: str = ""
    reason: str = ""

    @property
    def word(self) -> str:
        """What is said of it in a word."""
        return self.verdict or ("passed" if self.passed else "failed")

    def __str__(self) -> str:
        why = f" ({self.reason})" if self.reason else ""
        end = "" if self.word in ("passed", "failed") else f", {self.word}"
        verdict = "passed" if self.passed else "failed"
        return f"{self.name}: wanted {self.wanted}, found {self.found}{why}{end}: {verdict}"
