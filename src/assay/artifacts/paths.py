"""The pipeline's folders and the project's home.

Stages run in the folder of their ``dvc.yaml`` and address artifacts relative to it. What all
experiments share (tracking store, study, caches) lies in the home, addressed absolutely, since
DVC runs queued and temporary experiments in other folders.
"""

from __future__ import annotations

import os
from pathlib import Path

ARTIFACTS = Path("artifacts")
CONFIG = ARTIFACTS / "config.yaml"


def stage_folder(stage: str) -> Path:
    """Return the one folder that a stage writes."""
    return ARTIFACTS / stage


def output_folder(stage: str) -> Path:
    """Return where a stage's outputs lie: in its own folder, but ``config.yaml`` beside it."""
    return ARTIFACTS if stage == "compose" else stage_folder(stage)


def project_root() -> Path:
    """Return the root of the checkout that is at work (of the experiment's copy inside DVC)."""
    if root := os.environ.get("DVC_ROOT"):
        return Path(root).resolve()
    here = Path.cwd().resolve()
    return next((p for p in (here, *here.parents) if (p / "dvc.yaml").is_file()), here)


def real_root() -> Path:
    """Return the root of the user's repository, also from an experiment's copy or a worktree."""
    root = project_root()
    parts = root.parts
    for i in range(len(parts) - 2):
        if parts[i : i + 3] == (".dvc", "tmp", "exps"):
            return Path(*parts[:i])
    return _main_worktree(root)


def _main_worktree(root: Path) -> Path:
    """Return the same folder in the repository's main worktree; ``root`` where it is no worktree's."""
    top = next((p for p in (root, *root.parents) if (p / ".git").exists()), root)
    pointer = top / ".git"
    if not pointer.is_file():
        return root
    git_folder = (top / pointer.read_text().removeprefix("gitdir:").strip()).resolve()
    if git_folder.parent.name != "worktrees" or git_folder.parent.parent.name != ".git":
        return root
    return git_folder.parent.parent.parent / root.relative_to(top)


def home() -> Path:
    """Return the absolute folder that every run of the project shares; ``ASSAY_HOME`` moves it."""
    if folder := os.environ.get("ASSAY_HOME"):
        return Path(folder).expanduser().resolve()
    return real_root() / ".assay"
