"""The git commit that a run was made from, and whether the work tree differs from it."""

from __future__ import annotations

import subprocess

from assay.artifacts.paths import project_root


def revision_tags() -> dict[str, str]:
    """Return commit, branch and dirtiness as MLflow tags; nothing outside a repository."""
    commit = _git("rev-parse", "HEAD")
    if not commit:
        return {}
    changes = _git("status", "--porcelain", "--untracked-files=no")
    tags = {"mlflow.source.git.commit": commit, "git.dirty": str(bool(changes)).lower()}
    branch = _git("rev-parse", "--abbrev-ref", "HEAD")
    return {**tags, "mlflow.source.git.branch": branch} if branch not in ("", "HEAD") else tags


def _git(*words: str) -> str:
    try:
        done = subprocess.run(
            ["git", *words], cwd=project_root(), capture_output=True, text=True, timeout=20
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
