"""The commit of the code that is at work."""

from __future__ import annotations

import subprocess
from typing import Any

from assay.artifacts.paths import project_root

_SECONDS = 20


def code_commit() -> dict[str, Any]:
    """Return git's HEAD, and whether the code differs from it; "none" outside a repository."""
    commit = _git("rev-parse", "--verify", "--quiet", "HEAD")
    if not commit:
        return {"commit": "none", "is_dirty": None}
    return {"commit": commit, "is_dirty": _git("status", "--porcelain", "--", "src") != ""}


def _git(*words: str) -> str:
    command = ["git", "--no-optional-locks", *words]  # takes no lock from a git of the user's
    try:
        done = subprocess.run(
            command, cwd=project_root(), capture_output=True, text=True, timeout=_SECONDS
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
