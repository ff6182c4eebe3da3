"""The model card made short, for a registry that holds only so many characters."""

from __future__ import annotations

_HEAD = "\n## "
_LEFT_OUT = (
    "Groups of people",
    "By column",
    "To make it again",
    "To use it",
    "Training",
    "Explanations",
    "Calibration",
    "Data",
    "Metrics",
)
"""Sections that can be read elsewhere, in the order in which they go; the gate and the limits stay."""


def brief(card: str, *, length: int) -> str:
    """Return a card of at most ``length`` characters: whole sections are left out, and named.

    What is left may be longer where the sections that stay are.
    """
    head, *sections = card.split(_HEAD)
    gone: list[str] = []
    for name in _LEFT_OUT:
        if len(_joined(head, sections, gone)) <= length:
            break
        found = [section for section in sections if section.startswith(name)]
        gone += [name for _ in found]
        sections = [section for section in sections if section not in found]
    return _joined(head, sections, gone)


def _joined(head: str, sections: list[str], gone: list[str]) -> str:
    text = _HEAD.join([head, *sections])
    if not gone:
        return text
    return f"{text.rstrip()}\n\nIn card.md, among the run's artifacts, also: {', '.join(gone)}.\n"
