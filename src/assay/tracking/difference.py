"""What the work tree adds to its commit, as a patch that ``git apply`` takes."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from assay.artifacts.paths import project_root

_LARGEST_NEW_FILE_BYTES = 1 << 20
_SECRET = re.compile(
    r"(?i)^\.env|^\.netrc|^id_(rsa|dsa|ecdsa|ed25519)|\.(pem|key|p12|pfx|jks)$"
    r"|^\.?(secret|password|credential)s?(\.(?!py)|$)"
)


def difference() -> str:
    """Return the difference of the work tree to HEAD, new files included; "" where there is none.

    Files that git ignores are left out, and so are new files above 1 MiB, which are named at the
    head of the patch, as are new files that by their names hold secrets. Outside a repository, or
    before its first commit, there is nothing to tell.
    """
    root = project_root()
    index = _git(root, "rev-parse", "--git-path", "index").strip()
    if not index or not _git(root, "rev-parse", "--verify", "HEAD"):
        return ""
    with tempfile.TemporaryDirectory() as scratch:
        copy = Path(scratch, "index")
        if (root / index).is_file():
            shutil.copyfile(root / index, copy)
        new, left_out = _new_files(root)
        for start in range(0, len(new), 500):
            _git(root, "add", "--intent-to-add", "--", *new[start : start + 500], index=copy)
        patch = _git(root, "diff", "--binary", "--no-ext-diff", "--no-color", "HEAD", index=copy)
    notes = [f"# left out, {reason}: {name}\n" for name, reason in left_out.items()]
    return "".join([*notes, patch])


def _new_files(root: Path) -> tuple[list[str], dict[str, str]]:
    """Return the new files to show, and why the others are not."""
    listed = _git(root, "ls-files", "--others", "--exclude-standard", "-z")
    names = [name for name in listed.split("\0") if name]
    reasons = {name: _reason(root / name) for name in names}
    return [n for n in names if not reasons[n]], {n: r for n, r in reasons.items() if r}


def _reason(file: Path) -> str:
    if _SECRET.search(file.name):
        return "a new file that may hold secrets"
    is_large = file.lstat().st_size > _LARGEST_NEW_FILE_BYTES
    return "a new file above 1 MiB" if is_large else ""


def _git(root: Path, *words: str, index: Path | None = None) -> str:
    environment = {**os.environ, **({"GIT_INDEX_FILE": str(index)} if index else {})}
    try:
        done = subprocess.run(
            ["git", *words], cwd=root, env=environment, capture_output=True, timeout=60
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.decode("utf-8", "surrogateescape") if done.returncode == 0 else ""
