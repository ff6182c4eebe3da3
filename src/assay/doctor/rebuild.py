"""Put ``dvc.lock`` together again from entries that were recorded once, each confirmed by DVC.

Nothing is guessed: an entry comes from the damaged file, from the run cache or from git's HEAD,
and stays only if ``dvc status`` finds it true of the files that are here. A stage without one is
left to ``dvc repro``, which asks the run cache by itself before it runs anything.
"""

from __future__ import annotations

import hashlib
import io
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from assay.artifacts.files import write_text
from assay.doctor.commands import dvc_cache, dvc_status, git
from assay.doctor.entries import is_entry, load, read_lock
from assay.doctor.finding import Place
from assay.doctor.project import stage_commands

LOCK = "dvc.lock"
_FILE, _CACHE, _GIT = "the damaged file", "the run cache", "git"
_ROUNDS = 8
_BLOCK_BYTES = 1 << 20


@dataclass(frozen=True, kw_only=True)
class _Candidate:
    source: str
    entry: Any


def rebuild(place: Place) -> str:
    """Rebuild the lock file and say from what. Raises ArtifactError, with the file as it was."""
    path, commands = place.root / LOCK, stage_commands(place.root)
    damaged = path.read_bytes() if path.exists() else None
    aside = _kept_aside(path, damaged)
    try:
        kept = _confirmed(place, _candidates(place, commands, damaged or b""))
    except BaseException:
        _put_back(path, damaged, aside)
        raise
    return _told(kept, commands, aside)


def _kept_aside(path: Path, damaged: bytes | None) -> Path | None:
    if damaged is None:
        return None
    names = (path.with_name(f"{LOCK}.damaged{f'-{i}' if i else ''}") for i in range(1000))
    aside = next(name for name in names if not name.exists())
    try:
        aside.write_bytes(damaged)
    except OSError:
        aside.unlink(missing_ok=True)
        raise
    return aside


def _put_back(path: Path, damaged: bytes | None, aside: Path | None) -> None:
    if damaged is None or aside is None:
        path.unlink(missing_ok=True)
    else:
        aside.replace(path)


def _candidates(
    place: Place, commands: Mapping[str, str], damaged: bytes
) -> dict[str, list[_Candidate]]:
    """Return what each stage's entry may be, the likeliest first."""
    ours = read_lock(damaged.decode(errors="replace")).whole
    theirs = read_lock(git(place.root, "show", f"HEAD:./{LOCK}") or "").whole
    cached = _cached(place)
    found: dict[str, list[_Candidate]] = {}
    for name, command in commands.items():
        entries = [_Candidate(source=_FILE, entry=ours[name])] if name in ours else []
        entries += [
            _Candidate(source=_CACHE, entry=entry)
            for entry in cached.get(command, [])
            if _is_of(entry, place.root)
        ]
        entries += [_Candidate(source=_GIT, entry=theirs[name])] if name in theirs else []
        found[name] = [c for c in entries if c.entry["cmd"] == command]
    return found


def _cached(place: Place) -> dict[str, list[Any]]:
    """Return the entries of DVC's run cache by their command, the newest first."""
    files = list((dvc_cache(place.root) / "runs").glob("*/*/*"))
    found: dict[str, list[Any]] = {}
    for file in sorted(files, key=lambda path: path.stat().st_mtime, reverse=True):
        entry = _entry(file)
        if entry is not None:
            found.setdefault(entry["cmd"], []).append(entry)
    return found


def _entry(file: Path) -> Any:
    try:
        entry = load(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, YAMLError):
        return None
    return entry if is_entry(entry) else None


def _is_of(entry: Mapping[str, Any], root: Path) -> bool:
    """Tell whether the outputs that lie here are those of an entry, as far as single files tell."""
    return all(
        path.is_dir() if out["md5"].endswith(".dir") else md5(path) == out["md5"]
        for out in entry["outs"]
        for path in [root / out["path"]]
    )


def md5(path: Path) -> str:
    """Return a file's MD5 in hex, by which DVC knows it; "" where it cannot be read."""
    total = hashlib.md5(usedforsecurity=False)
    try:
        with path.open("rb") as file:
            while block := file.read(_BLOCK_BYTES):
                total.update(block)
    except OSError:
        return ""
    return total.hexdigest()


def _confirmed(place: Place, candidates: Mapping[str, list[_Candidate]]) -> dict[str, _Candidate]:
    """Write entries, ask DVC which do not fit, and try the next ones in their place."""
    rest = {name: iter(found) for name, found in candidates.items()}
    chosen: dict[str, _Candidate] = {}
    wrong = set(rest)
    for last in range(_ROUNDS, -1, -1):
        for name in wrong:
            chosen.pop(name, None)
            if last and (following := next(rest[name], None)):
                chosen[name] = following
        ordered = {name: chosen[name] for name in candidates if name in chosen}
        _write(place.root / LOCK, ordered)
        if not (wrong & chosen.keys()):
            return ordered
        status = dvc_status(place.root)
        wrong = {name for name, found in chosen.items() if _is_unfit(status.get(name, []), found)}
        if not wrong:
            return ordered
    return {}


def _is_unfit(changes: list[Any], candidate: _Candidate) -> bool:
    """Tell whether DVC found more wrong than that files are not there.

    What the file itself recorded stays true of outputs that were changed since.
    """
    for change in changes:
        is_about_outputs = isinstance(change, Mapping) and set(change) == {"changed outs"}
        is_recorded = is_about_outputs and candidate.source == _FILE
        if set(_leaves(change)) - ({"deleted", "modified"} if is_recorded else {"deleted"}):
            return True
    return False


def _leaves(changes: Any) -> Iterator[str]:
    if isinstance(changes, Mapping):
        for value in changes.values():
            yield from _leaves(value)
    else:
        yield str(changes)


def _write(path: Path, chosen: Mapping[str, _Candidate]) -> None:
    yaml, text = YAML(), io.StringIO()
    yaml.default_flow_style = False
    stages = {name: candidate.entry for name, candidate in chosen.items()}
    yaml.dump({"schema": "2.0", "stages": stages}, text)
    write_text(path, text.getvalue())


def _told(kept: Mapping[str, _Candidate], commands: Mapping[str, str], aside: Path | None) -> str:
    counts = Counter(candidate.source for candidate in kept.values())
    sources = ", ".join(f"{counts[s]} from {s}" for s in (_FILE, _CACHE, _GIT) if counts[s])
    words = [f"kept as {aside.name}"] if aside else []
    words += [f"{len(kept)} of {len(commands)} stages rebuilt{f' ({sources})' if kept else ''}"]
    if left := [name for name in commands if name not in kept]:
        words += [f"'dvc repro' looks in the run cache for {', '.join(left)}, or runs them"]
    return "; ".join(words)
