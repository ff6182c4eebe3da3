"""Reads the raw data; writes train/, valid/, test/, spec.json, checks.json and digests.json."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path

from assay.artifacts.files import digest, write_json
from assay.artifacts.staging import staged
from assay.data.place import require_own_data
from assay.data.raw import DataSet
from assay.split.prepare import prepare
from assay.tracking.run import Tracked, stage_run

log = logging.getLogger(__name__)
CONTEXTS = {"train": "training", "valid": "validation", "test": "testing"}


@dataclass(frozen=True, kw_only=True)
class Params:
    """The data set and how it is divided."""

    data: DataSet


def run(params: Params) -> None:
    """Read, check and divide the data; learn the specification from the training rows."""
    with staged("prepare") as folder, stage_run("prepare", folder=folder) as tracked:
        require_own_data(getattr(params.data, "path", None))
        prepared = prepare(params.data, folder=folder)
        digests = {"data": prepared.digest, **{name: digest(folder / name) for name in CONTEXTS}}
        write_json(folder / "digests.json", digests)
        for line in prepared.summary:
            log.info(line)
        _track(tracked, folder, source=prepared.source, rows=prepared.rows, digests=digests)


def _track(
    tracked: Tracked, folder: Path, *, source: str, rows: dict[str, int], digests: dict[str, str]
) -> None:
    for name, context in CONTEXTS.items():
        tracked.log_dataset(
            name=f"{source} {name}",
            digest=digests[name],
            source=source,
            context=context,
            rows=rows[name],
        )
        tracked.log_metrics({f"rows_{name}": rows[name]})
    tracked.log_artifact(folder / "checks.json")
    tracked.log_artifact(folder / "spec.json")
    tracked.log_parent(tags={"data_digest": digests["data"]})
