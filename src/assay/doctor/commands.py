"""DVC and git as commands: what they print, or one error with what they said."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from assay.errors import ArtifactError

_SECONDS = 3600


def dvc(root: Path, *words: str) -> str:
    """Return what ``dvc`` prints. Raises ArtifactError with its last words where it fails."""
    done = _run([sys.executable, "-m", "dvc", *words], root)
    if done.returncode:
        raise ArtifactError(f"'dvc {' '.join(words)}' failed: {_last_words(done)}")
    return done.stdout


def dvc_status(root: Path, *targets: str) -> dict[str, Any]:
    """Return what ``dvc status`` says of each stage and tracked file that is not up to date."""
    found: dict[str, Any] = json.loads(dvc(root, "status", "--json", *targets))
    return found


def dvc_cache(root: Path) -> Path:
    """Return DVC's cache folder; outside any DVC project the one that there would be, which is not there."""
    if not any((folder / ".dvc").is_dir() for folder in (root, *root.parents)):
        return root / ".dvc" / "cache"
    return Path(dvc(root, "cache", "dir").strip())


def git(root: Path, *words: str) -> str | None:
    """Return what ``git`` prints, None where it fails; git takes no lock for it."""
    done = _run(["git", "--no-optional-locks", *words], root)
    return None if done.returncode else done.stdout


def _run(command: list[str], root: Path) -> subprocess.CompletedProcess[str]:
    environment = {k: v for k, v in os.environ.items() if not k.startswith("DVC_")}
    try:
        return subprocess.run(
            command, cwd=root, env=environment, capture_output=True, text=True, timeout=_SECONDS
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ArtifactError(f"'{' '.join(command[-3:])}' cannot be run: {error}") from error


def _last_words(done: subprocess.CompletedProcess[str]) -> str:
    said = (done.stderr.strip() or done.stdout.strip()).splitlines()
    return " ".join(line.strip() for line in said[-3:]).removeprefix("ERROR: ")[:500]
