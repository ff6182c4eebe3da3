"""Whether a registered version still is what it was measured as: files, data and metrics."""

from __future__ import annotations

import hashlib
import json
import math
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from dvc_data.hashfile.build import build as build_object
from dvc_data.hashfile.db import HashFileDB
from dvc_objects.fs.local import LocalFileSystem

from assay.artifacts.files import digest, read_json, read_yaml
from assay.artifacts.paths import stage_folder
from assay.config.load import build
from assay.data.prepared import Split
from assay.errors import ArtifactError, AssayError
from assay.inference.signature import read_signature
from assay.metrics.scores import score
from assay.pipeline.registering.champion import graph_answers
from assay.split.prepare import prepare
from assay.tracking.registry import GRAPH, SIGNATURE, Version

VOLATILE = ("run.json", "manifest")
_SAME = 1e-6
_BLOCK_BYTES = 1 << 20


@dataclass(frozen=True, kw_only=True)
class Checked:
    """One thing that was verified: ``same``, ``differs``, or ``missing``: it cannot be told."""

    what: str
    state: Literal["same", "within", "differs", "missing"]
    found: str

    @property
    def is_well(self) -> bool:
        """Tell whether it is what was registered, or what chance allows on another machine."""
        return self.state in ("same", "within")


def of_tags(version: Version, folder: Path) -> Iterator[Checked]:
    """Compare a fetched version's files with the digests in the registry."""
    origin = folder / "origin"
    for what, file in (
        ("graph", folder / GRAPH),
        ("config", origin / "config.yaml"),
        ("dvc_lock", origin / "dvc.lock"),
    ):
        wanted = version.tags.get(f"{what}_digest", "none")
        if wanted == "none" or not file.is_file():
            yield Checked(what=what, state="missing", found="was not recorded")
            continue
        found = digest(file)
        state: Literal["same", "differs"] = "same" if found == wanted else "differs"
        yield Checked(what=what, state=state, found=f"{found[:12]}, registered {wanted[:12]}")


def recorded_outputs(lock: Path) -> dict[str, dict[str, str]]:
    """Return path and MD5 of what each stage wrote, without what changes from run to run."""
    stages = (read_yaml(lock) or {}).get("stages", {}) if lock.is_file() else {}
    return {
        name: {
            out["path"]: out["md5"]
            for out in entry.get("outs", [])
            if Path(out["path"]).name not in VOLATILE
        }
        for name, entry in stages.items()
    }


def recorded_data(lock: Path) -> dict[str, str]:
    """Return path and MD5 of the raw data that the recorded ``prepare`` read."""
    stages = (read_yaml(lock) or {}).get("stages", {}) if lock.is_file() else {}
    deps = stages.get("prepare", {}).get("deps", [])
    return {d["path"]: d["md5"] for d in deps if d["path"].startswith("data/")}


def of_cache(outputs: Mapping[str, str], *, cache: Path, root: Path) -> Checked | None:
    """Look for outputs in DVC's cache and hash what lies there; None where all is well.

    What DVC only read is not in its cache: it is well where it lies in the project as it was.
    """
    for path, md5 in outputs.items():
        entry = cache / "files" / "md5" / md5[:2] / md5[2:]
        if not entry.is_file() and _md5_of_dvc(root / path) == md5:
            continue
        if not entry.is_file():
            return Checked(what=path, state="missing", found=f"{md5} is not in {cache}")
        for file, wanted in _files(entry, md5, cache):
            if not file.is_file():
                return Checked(what=path, state="missing", found=f"{wanted} is not in {cache}")
            if _md5(file) != wanted:
                return Checked(what=path, state="differs", found=f"{file} was changed")
    return None


def _files(entry: Path, md5: str, cache: Path) -> Iterator[tuple[Path, str]]:
    if not md5.endswith(".dir"):
        yield entry, md5
        return
    yield entry, md5.removesuffix(".dir")
    for item in json.loads(entry.read_text(encoding="utf-8")):
        yield cache / "files" / "md5" / item["md5"][:2] / item["md5"][2:], item["md5"]


def _md5_of_dvc(path: Path) -> str | None:
    """Return what DVC calls a file or folder; None where there is none."""
    if not path.exists():
        return None
    local = LocalFileSystem()  # type: ignore[no-untyped-call]  # fsspec
    with tempfile.TemporaryDirectory() as scratch:
        *_, found = build_object(HashFileDB(local, scratch), str(path), local, "md5", dry_run=True)
    return found.hash_info.value


def _md5(path: Path) -> str:
    total = hashlib.md5(usedforsecurity=False)
    with path.open("rb") as file:
        while block := file.read(_BLOCK_BYTES):
            total.update(block)
    return total.hexdigest()


def restored_test(version: Version, origin: Path, *, cache: Path, scratch: Path) -> Path:
    """Return a folder that holds the version's test split, found by its digest.

    Looked for in ``artifacts/``, then in DVC's cache, then made of the raw data again. Raises
    ArtifactError where none of these has it.
    """
    wanted = version.tags.get("test_digest", "")
    here = stage_folder("prepare") / "test"
    if here.is_dir() and digest(here) == wanted:
        return here
    cached = _from_cache(origin, cache=cache, scratch=scratch)
    if cached is not None and digest(cached) == wanted:
        return cached
    made = _from_raw(origin, scratch=scratch)
    if isinstance(made, Path) and digest(made) == wanted:
        return made
    why = made if isinstance(made, str) else "the raw data give another test split now"
    raise ArtifactError(
        f"the test split of {version.uri} (digest {wanted[:12]}) is neither in {here} nor in "
        f"{cache}, and cannot be made again: {why}; go to the project where it was made and bring the "
        "data back there ('dvc pull'), or 'assay verify --level hashes', which needs no rows"
    )


def restored_train(test: Path, origin: Path, *, cache: Path, scratch: Path) -> Path:
    """Return the training split that lies beside a restored test split, or the one in DVC's cache."""
    beside = test.parent / "train"
    found = (
        beside
        if beside.is_dir()
        else _from_cache(origin, cache=cache, scratch=scratch, split="train")
    )
    if found is None:
        raise ArtifactError(
            f"the training split is neither beside {test} nor in {cache}: bring it back ('dvc pull')"
        )
    return found


def _from_cache(origin: Path, *, cache: Path, scratch: Path, split: str = "test") -> Path | None:
    outputs = recorded_outputs(origin / "dvc.lock").get("prepare", {})
    md5 = outputs.get(f"artifacts/prepare/{split}", "")
    entry = cache / "files" / "md5" / md5[:2] / md5[2:]
    if not md5.endswith(".dir") or not entry.is_file():
        return None
    folder = scratch / split
    for item in json.loads(entry.read_text(encoding="utf-8")):
        source = cache / "files" / "md5" / item["md5"][:2] / item["md5"][2:]
        target = folder / Path(item["relpath"]).name
        if not source.is_file():
            return None
        folder.mkdir(exist_ok=True)
        shutil.copyfile(source, target)
    return folder


def _from_raw(origin: Path, *, scratch: Path) -> Path | str:
    folder = scratch / "prepared"
    folder.mkdir()
    try:
        config: Any = read_yaml(origin / "config.yaml")
        prepare(build(config["data"], where="data"), folder=folder)
    except AssayError as error:
        return " ".join(str(error).split())
    except (KeyError, TypeError):
        return "the recorded configuration names no data"
    return folder / "test"


def of_metrics(folder: Path, test: Path) -> Iterator[Checked]:
    """Score a fetched version on its test split, and compare with what was recorded."""
    signature, split = read_signature(folder / SIGNATURE), Split(test)
    output = graph_answers(folder / GRAPH, split, signature=signature)
    found = score(
        signature.task,
        target=split.target,
        output=output,
        classes=signature.classes,
        naive=signature.naive,
        costs=signature.costs,
    )
    recorded = folder / "origin" / "evidence.json"
    if not recorded.is_file():
        yield Checked(what="metrics", state="missing", found="were not recorded beside the version")
        return
    yield from compared(found, read_json(recorded)["metrics"])


def compared(
    found: Mapping[str, float], recorded: Mapping[str, Mapping[str, Any]]
) -> Iterator[Checked]:
    """Compare metrics with recorded ones: the same, within their interval, or different."""
    for name, wanted in recorded.items():
        value = found.get(name, math.nan)
        before = wanted["value"]
        if before is None and not math.isfinite(value):
            continue
        yield _one(name, value, wanted)


def _one(name: str, value: float, wanted: Mapping[str, Any]) -> Checked:
    before, low, high = (wanted.get(end) for end in ("value", "low", "high"))
    said = f"{value:.6g}, recorded {'nothing' if before is None else f'{before:.6g}'}"
    if before is not None and math.isclose(value, before, rel_tol=_SAME, abs_tol=_SAME):
        return Checked(what=name, state="same", found=said)
    if low is not None and high is not None and low <= value <= high:
        return Checked(what=name, state="within", found=f"{said} ({low:.4g} to {high:.4g})")
    return Checked(what=name, state="differs", found=said)
