"""Build a registered version again from its recorded source, in a temporary git worktree."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from assay.artifacts.files import read_json
from assay.artifacts.paths import project_root
from assay.doctor.commands import dvc_cache
from assay.errors import ArtifactError
from assay.pipeline.registering.verification import Checked, compared, recorded_outputs
from assay.tracking.registry import Version

_ORDER = ("compose", "prepare", "search", "train", "export", "evaluate")
_SECONDS = 24 * 3600


def retrained(version: Version, origin: Path, *, scratch: Path) -> Iterator[Checked]:
    """Run the recorded pipeline as far as ``evaluate``, and say which stage first differs.

    Where a stage does, the metrics decide: another kind of machine gives them within their
    interval. Raises ArtifactError where the source was not recorded, or does not run.
    """
    root, commit = project_root(), version.tags.get("git_commit", "none")
    if commit == "none":
        raise ArtifactError(
            f"{version.uri} was made outside any git repository: its source is not recorded, so it "
            "cannot be built again; verify with --level evaluate"
        )
    with _worktree(root, commit, scratch / "source") as tree:
        _restore(tree, origin, root)
        _run(["dvc", "repro", "--force", "--no-run-cache", "evaluate"], tree, scratch=scratch)
        before, after = (recorded_outputs(p / "dvc.lock") for p in (origin, tree))
        differing = [name for name in _ORDER if before.get(name) != after.get(name)]
        for name in _ORDER:
            state = "differs" if name in differing else "same"
            first = ", the first" if differing[:1] == [name] else ""
            yield Checked(what=f"stage {name}", state=state, found=f"its bytes{first}")  # type: ignore[arg-type]  # one of two words
        now = read_json(tree / "artifacts/evaluate/metrics.json")
        values = {n: m["value"] for n, m in now.items() if m["value"] is not None}
        yield from compared(values, read_json(origin / "evidence.json")["metrics"])


@contextmanager
def _worktree(root: Path, commit: str, place: Path) -> Iterator[Path]:
    _run(["git", "worktree", "add", "--detach", str(place), commit], root)
    try:
        top = Path(_run(["git", "rev-parse", "--show-toplevel"], root).strip())
        yield place / root.relative_to(top)
    finally:
        _run(["git", "worktree", "remove", "--force", str(place)], root)


def _restore(tree: Path, origin: Path, root: Path) -> None:
    patch = origin / "changes.diff"
    if patch.is_file() and any(not line.startswith("#") for line in patch.open(errors="replace")):
        _run(["git", "apply", "--whitespace=nowarn", str(patch)], tree)
    shutil.copyfile(origin / "params.yaml", tree / "params.yaml")
    _run(["dvc", "cache", "dir", "--local", str(dvc_cache(root))], tree)
    tracked = [str(p.relative_to(tree)) for p in tree.glob("data/**/*.dvc")]
    if tracked:
        _run(["dvc", "checkout", *tracked], tree)


def _run(command: list[str], where: Path, *, scratch: Path | None = None) -> str:
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("DVC_", "MLFLOW_"))}
    kept["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{kept.get('PATH', '')}"
    if scratch is not None:
        kept["ASSAY_HOME"] = str(scratch / "home")
    try:
        done = subprocess.run(
            command, cwd=where, env=kept, capture_output=True, text=True, timeout=_SECONDS
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ArtifactError(f"'{' '.join(command[:3])}' cannot be run: {error}") from error
    if done.returncode:
        said = (done.stderr.strip() or done.stdout.strip())[-800:]
        raise ArtifactError(
            f"the recorded source cannot be built: '{' '.join(command[:3])}': {said}"
        )
    return done.stdout
