"""The user's data: the files that DVC tracks, and those that ``conf/data`` names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from assay.artifacts.files import read_yaml
from assay.doctor.commands import dvc, dvc_cache
from assay.doctor.finding import Account, Finding, Place
from assay.doctor.rebuild import md5
from assay.errors import ArtifactError

NAME = "data"
_UNSAID = "???"


@dataclass(frozen=True, kw_only=True)
class _Tracked:
    """A file or folder that a ``.dvc`` file describes."""

    pointer: Path
    path: Path
    md5: str
    size: int | None

    @property
    def is_folder(self) -> bool:
        return self.md5.endswith(".dir")


def find(place: Place) -> Account:
    """Look at each file that DVC tracks under ``data/``, and at the paths in ``conf/data``."""
    tracked, findings = [], []
    for pointer in sorted((place.root / "data").rglob("*.dvc")):
        try:
            tracked += list(_described(pointer))
        except ArtifactError as error:
            remedy = (
                f"take it back from git: git checkout HEAD -- {pointer.relative_to(place.root)}"
            )
            findings.append(Finding(what=" ".join(str(error).split()), remedy=remedy))
    findings += [f for each in tracked for f in _compared(place, each)]
    findings += _configured(place, known={each.path for each in tracked})
    files = "1 tracked file" if len(tracked) == 1 else f"{len(tracked)} tracked files"
    return Account(looked_at=f"{files} and the paths in conf/data", findings=findings)


def _described(pointer: Path) -> Iterator[_Tracked]:
    content = read_yaml(pointer)
    outs = content.get("outs") if isinstance(content, Mapping) else None
    if not isinstance(outs, list) or not all(map(_is_out, outs)):
        raise ArtifactError(f"{pointer} is damaged: it describes no file")
    for out in outs:
        size = out.get("size")
        yield _Tracked(
            pointer=pointer,
            path=pointer.parent / out["path"],
            md5=str(out["md5"]),
            size=size if isinstance(size, int) else None,
        )


def _is_out(out: Any) -> bool:
    return isinstance(out, Mapping) and isinstance(out.get("path"), str) and "md5" in out


def _compared(place: Place, tracked: _Tracked) -> Iterator[Finding]:
    name = tracked.path.relative_to(place.root)
    if not tracked.path.exists():
        yield _missing(place, tracked, f"{name} is missing")
    elif not tracked.is_folder and _is_other(tracked):
        remedy = (
            f"'dvc repro' takes the change, 'dvc checkout {_pointer(place, tracked)}' undoes it"
        )
        size = tracked.path.stat().st_size
        told = f" ({size} bytes, were {tracked.size})" if tracked.size not in (None, size) else ""
        yield Finding(what=f"{name} was changed{told}", remedy=remedy, is_note=True)


def _is_other(tracked: _Tracked) -> bool:
    size = tracked.path.stat().st_size
    return (tracked.size is not None and size != tracked.size) or md5(tracked.path) != tracked.md5


def _missing(place: Place, tracked: _Tracked, what: str) -> Finding:
    if is_cached(place.root, tracked.md5):
        pointer = _pointer(place, tracked)
        mend = partial(_check_out, place.root, pointer)
        return Finding(what=what, remedy="takes it from DVC's cache", mend=mend)
    remedy = (
        "DVC's cache has no whole copy: 'dvc pull' where there is a remote, or put the file back "
        f"(MD5 {tracked.md5})"
    )
    return Finding(what=what, remedy=remedy)


def _pointer(place: Place, tracked: _Tracked) -> str:
    return str(tracked.pointer.relative_to(place.root))


def _check_out(root: Path, pointer: str) -> str:
    dvc(root, "checkout", pointer)
    return "taken from DVC's cache"


def is_cached(root: Path, digest: str) -> bool:
    """Tell whether DVC's cache has a whole copy; of a folder, whether it has its list."""
    cache = dvc_cache(root)
    places = (cache / "files" / "md5" / digest[:2] / digest[2:], cache / digest[:2] / digest[2:])
    return any(md5(place) == digest.removesuffix(".dir") for place in places)


def _configured(place: Place, *, known: set[Path]) -> Iterator[Finding]:
    """Yield a finding for each path in ``conf/data`` where nothing is, and no ``.dvc`` tells why."""
    chosen = _chosen(place.root)
    for file in sorted((place.root / "conf/data").glob("*.yaml")):
        try:
            node = read_yaml(file)
        except ArtifactError as error:
            yield Finding(what=" ".join(str(error).split()), remedy="correct it")
            continue
        path = node.get("path") if isinstance(node, Mapping) else None
        if not isinstance(path, str) or path == _UNSAID or "${" in path:
            continue
        full = place.root / path
        if not full.exists() and full not in known:
            name = file.relative_to(place.root)
            what = f"{name} names {path}, where there is no file"
            remedy = "put it back, or correct the path"
            yield Finding(what=what, remedy=remedy, is_note=file.stem != chosen)


def _chosen(root: Path) -> Any:
    try:
        params = read_yaml(root / "params.yaml")
    except ArtifactError:
        return None
    return params.get("data") if isinstance(params, Mapping) else None
