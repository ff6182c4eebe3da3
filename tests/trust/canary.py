"""Files that would leave a mark if anything in them ran."""

from __future__ import annotations

import os
import pickle
from pathlib import Path

MARK = "canary"


class Trap:
    """An object whose unpickling makes a file."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, (f"touch {self.mark}",)


def trap(mark: Path) -> bytes:
    """Return a pickle that makes the file ``mark`` when it is loaded."""
    return pickle.dumps(Trap(mark))


def sprung(mark: Path) -> bool:
    """Tell whether something in a trap ran."""
    return mark.exists()
