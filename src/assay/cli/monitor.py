"""``assay monitor``: are rows that came in still like those a model was measured on?"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from contextlib import chdir
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import click
import pandas as pd

from assay.artifacts.files import digest
from assay.artifacts.paths import project_root
from assay.cli.monitored import Monitored, aligned, monitored
from assay.cli.rows import read_rows
from assay.data.prepared import Split
from assay.doctor.commands import dvc_cache
from assay.drift.compared import Compared, told_from
from assay.drift.watched import require_watchable
from assay.errors import EXIT_FAILED, DataError
from assay.figures.drift import drift
from assay.inference.signature import read_signature
from assay.pipeline.registering.verification import restored_test
from assay.tracking.explore import monitor_run
from assay.tracking.registry import SIGNATURE, Version, address, fetch, resolve

_SHOWN, _MOST = 8, 20
_WIDTH = 36


@click.command()
@click.argument("model", metavar="MODEL")
@click.argument("rows", metavar="IN", type=click.Path(path_type=Path))
@click.option(
    "--alpha",
    default=0.05,
    show_default=True,
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    help="The share of files without drift in which some is told all the same.",
)
@click.option(
    "--at-least",
    default=0.05,
    show_default=True,
    type=click.FloatRange(0, 1),
    help="The smallest distance of two distributions that counts, from 0 (the same) to 1.",
)
@click.option("--encoding", default="utf-8", show_default=True, help="Of a CSV file.")
@click.option("--separator", default=",", show_default=True, help="Of a CSV file.")
def command(
    model: str, rows: Path, alpha: float, at_least: float, encoding: str, separator: str
) -> None:
    """Say whether the rows of IN have drifted from the test rows on which MODEL was measured.

    MODEL is models:/NAME@champion, models:/NAME/VERSION or NAME, and IN a file as 'assay predict'
    reads it. Inputs and predictions are compared one by one; rows must not depend on each other.
    Where IN has the target too, its labelled rows are scored and compared with the test rows. The
    run is in MLflow. Status 0 means that nothing has drifted and no score is worse.
    """
    version, rows = resolve(address(model)), rows.absolute()
    with tempfile.TemporaryDirectory() as scratch, chdir(project_root()):
        folder = fetch(version, Path(scratch))
        signature = read_signature(folder / SIGNATURE)
        require_watchable(signature)
        frame, feeds = read_rows(rows, signature, encoding=encoding, separator=separator)
        test = Split(
            restored_test(
                version,
                folder / "origin",
                cache=dvc_cache(project_root()),
                scratch=Path(scratch),
            )
        )
        seen = monitored(folder, test, frame, feeds, signature=signature)
        found = Found(seen=seen, alpha=alpha, at_least=at_least)
        if found.told_from >= 1:
            raise DataError(
                f"{rows} holds too few rows ({seen.rows}): beside {seen.reference} test rows not even "
                "values that have nothing in common would be told from chance"
            )
        click.echo("\n".join(told(found, version=version, file=rows)))
        run_id = _track(found, version=version, file=rows, scratch=Path(scratch))
    click.echo(f"run {run_id} in MLflow")
    if not found.is_well:
        sys.exit(EXIT_FAILED)


@dataclass(frozen=True, kw_only=True)
class Found:
    """What was seen of new rows, and from where on a difference counts as drift."""

    seen: Monitored
    alpha: float
    at_least: float

    @property
    def drifted(self) -> list[Compared]:
        """The quantities that have drifted."""
        return [c for c in self.seen.compared if self.is_drift(c)]

    def is_drift(self, compared: Compared) -> bool:
        """Tell whether a quantity has drifted."""
        return compared.has_drifted(alpha=self.alpha, at_least=self.at_least)

    @property
    def told_from(self) -> float:
        """The distance from which on drift is told at so many rows."""
        seen = self.seen
        return told_from(
            before=seen.reference,
            now=seen.rows,
            quantities=len(seen.compared),
            alpha=self.alpha,
        )

    @property
    def is_well(self) -> bool:
        """Tell whether nothing has drifted and no score is worse."""
        scored = self.seen.scored
        return not self.drifted and not (scored is not None and scored.is_worse)

    @cached_property
    def table(self) -> pd.DataFrame:
        """A line for each quantity, the least likely by chance first."""
        columns = ("name", "of", "test", "distance", "p", "p_of_all", "before", "now")
        rows = [[getattr(c, name) for name in columns] for c in self.seen.compared]
        table = pd.DataFrame(rows, columns=columns)
        return table.assign(drifted=[self.is_drift(c) for c in self.seen.compared])


def told(found: Found, *, version: Version, file: Path) -> Iterator[str]:
    """Yield the lines that say it: what differs, whether that is drift, and the scores."""
    seen, table = found.seen, found.table
    yield f"{file.name}: {seen.rows} rows beside the {seen.reference} test rows of {version.uri}"
    shown = table.head(_MOST if found.drifted else _SHOWN)
    for line, drifted in zip(_lines(shown), [False, *shown["drifted"]], strict=True):
        yield click.style(line, fg="red") if drifted else line
    if left := len(table) - len(shown):
        yield f"and {left} more, {int(table['drifted'][len(shown) :].sum()) or 'none'} of them drifted"
    yield _verdict(found)
    if seen.scored is not None:
        yield from seen.scored.told()


def _lines(table: pd.DataFrame) -> list[str]:
    cells = table[["name", "distance", "p_of_all", "before", "now"]].assign(
        distance=table["distance"].map("{:.2f}".format),
        p_of_all=table["p_of_all"].map("{:.1g}".format),
        **{name: table[name].map(_shortened) for name in ("name", "before", "now")},
    )
    return aligned([["quantity", "distance", "p", "test rows", "new rows"], *cells.to_numpy()])


def _shortened(text: str) -> str:
    """Return at most so many characters, the end of the text among them: it has the share."""
    return text if len(text) <= _WIDTH else f"{text[: _WIDTH - 9]}... {text[-5:]}"


def _verdict(found: Found) -> str:
    names, count = [c.name for c in found.drifted], len(found.seen.compared)
    if names:
        chance = f"by chance in at most {found.alpha:.0%} of files"
        more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
        return f"{len(names)} of {count} drifted ({chance}): {', '.join(names[:_SHOWN])}{more}"
    least = max(found.told_from, found.at_least)
    return f"no drift in {count}; with so many rows, a distance from about {least:.2f} on is told"


def _track(found: Found, *, version: Version, file: Path, scratch: Path) -> str:
    """Keep the look in MLflow and return its run: figures, table and picture."""
    seen, table = found.seen, found.table
    tags = {
        "model": version.name,
        "model_version": version.number,
        "drifted": ", ".join(c.name for c in found.drifted) or "none",
    }
    name = f"monitor {version.name} {version.number} · {file.name}"
    with monitor_run(name=name, tags=tags) as tracked:
        tracked.log_params({"alpha": found.alpha, "at_least": found.at_least})
        tracked.log_dataset(
            name=file.name,
            digest=digest(file),
            source=str(file),
            context="monitoring",
            rows=seen.rows,
        )
        tracked.log_metrics({"rows": seen.rows, "drifted": len(found.drifted)})
        tracked.log_metrics({f"distance {c.name}": c.distance for c in seen.compared})
        if seen.scored is not None:
            tracked.log_metrics(seen.scored.values())
        table.to_csv(scratch / "drift.csv", index=False)
        drift(table, told_from=found.told_from).savefig(scratch / "drift.png")
        for made in ("drift.csv", "drift.png"):
            tracked.log_artifact(scratch / made)
        return tracked.run_id
