"""What the work tree adds to its commit, as a patch that ``git apply`` takes."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from assay.artifacts.paths import project_root

_LARGEST_NEW_FILE_BYTES = 1 << 20


def difference() -> str:
    """Return the difference of the work tree to HEAD, new files included; "" where there is none.

    Files that git ignores are left out, and so are new files above 1 MiB, which are named at the
    head of the patch. Outside a repository, or before its first commit, there is nothing to tell.
    """
    root = project_root()
    index = _git(root, "rev-parse", "--git-path", "index").strip()
    if not index or not _git(root, "rev-parse", "--verify", "HEAD"):
        return ""
    with tempfile.TemporaryDirectory() as scratch:
        copy = Path(scratch, "index")
        if (root / index).is_file():
            shutil.copyfile(root / index, copy)
        new, large = _new_files(root)
        for start in range(0, len(new), 500):
            _git(root, "add", "--intent-to-add", "--", *new[start : start + 500], index=copy)
        patch = _git(root, "diff", "--binary", "--no-ext-diff", "--no-color", "HEAD", index=copy)
    notes = [f"# left out, a new file above 1 MiB: {name}\n" for name in large]
    return "".join([*notes, patch])


def _new_files(root: Path) -> tuple[list[str], list[str]]:
    listed = _git(root, "ls-files", "--others", "--exclude-standard", "-z")
    names = [name for name in listed.split("\0") if name]
    large = [n for n in names if (root / n).lstat().st_size > _LARGEST_NEW_FILE_BYTES]
    return [name for name in names if name not in large], large


def _git(root: Path, *words: str, index: Path | None = None) -> str:
    environment = {**os.environ, **({"GIT_INDEX_FILE": str(index)} if index else {})}
    try:
        done = subprocess.run(
            ["git", *words], cwd=root, env=environment, capture_output=True, timeout=60
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.decode("utf-8", "surrogateescape") if done.returncode == 0 else ""
