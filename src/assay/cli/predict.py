"""``assay predict``: score a file of raw rows with a registered model."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import click
import numpy as np
import pandas as pd

from assay.cli.rows import read_rows
from assay.errors import ArtifactError, DataError
from assay.inference.feeds import ROW, unseen_categories
from assay.inference.predictions import prediction_table, steps_ahead
from assay.inference.session import Session
from assay.inference.signature import Signature, read_signature
from assay.tracking.registry import GRAPH, SIGNATURE, fetch, resolve

_TABLES, _CSV = (".parquet", ".pq"), ".csv"
_SHOWN = 8


@click.command()
@click.argument("model", metavar="MODEL_URI")
@click.argument("rows", metavar="IN", type=click.Path(path_type=Path))
@click.option(
    "-o",
    "--out",
    required=True,
    type=click.Path(path_type=Path),
    help="Where to write: CSV or Parquet.",
)
@click.option("--encoding", default="utf-8", show_default=True, help="Of a CSV file.")
@click.option("--separator", default=",", show_default=True, help="Of a CSV file.")
def command(model: str, rows: Path, out: Path, encoding: str, separator: str) -> None:
    """Score the raw rows of IN (CSV, Parquet; for images also .npy, .npz) with a registered model.

    For sequences IN holds a line a step, with the row's name in a column 'row'; for forecasts the
    last steps of each row, or of the only one, and OUT holds a line for each step that follows.

    MODEL_URI is models:/NAME@champion or models:/NAME/VERSION. The rows are written to OUT with
    the prediction and, for classes, their probabilities behind them.
    """
    _require_place(out)
    version = resolve(model)
    with tempfile.TemporaryDirectory() as scratch:
        folder = fetch(version, Path(scratch))
        signature = read_signature(folder / SIGNATURE)
        session = Session(folder / GRAPH)
        session.require(signature)
        frame, feeds = read_rows(rows, signature, encoding=encoding, separator=separator)
        given = _beside(frame, feeds, signature)
        scored = _scored(session.run(feeds), signature)
        count = len(next(iter(feeds.values())))
    _require_free_names(given, scored, rows)
    _write(pd.concat([given.reset_index(drop=True), scored], axis=1), out)
    click.echo(f"{count} rows scored by {version.uri}: {out}")


def _scored(outputs: Mapping[str, np.ndarray], signature: Signature) -> pd.DataFrame:
    """Return a line a row or, of forecasts, a line for each step ahead of each row."""
    if signature.forecast:
        return steps_ahead(outputs, signature)
    return prediction_table(outputs, signature)


def _require_place(out: Path) -> None:
    if out.suffix not in (_CSV, *_TABLES):
        endings = ", ".join((_CSV, *_TABLES))
        raise ArtifactError(f"{out} cannot be written: expected a name that ends in {endings}")
    if not out.absolute().parent.is_dir():
        raise ArtifactError(f"{out} cannot be written: there is no folder {out.absolute().parent}")


def _beside(
    frame: pd.DataFrame, feeds: Mapping[str, np.ndarray], signature: Signature
) -> pd.DataFrame:
    """Return what stands beside the answers, and tell what of a table the model does not know."""
    if signature.kind == "sequence":
        return _names_of_rows(frame, signature)
    if signature.kind == "table":
        _tell_unused([str(c) for c in frame.columns if str(c) not in feeds])
        _tell_unseen(unseen_categories(feeds, signature))
    return frame


def _names_of_rows(frame: pd.DataFrame, signature: Signature) -> pd.DataFrame:
    """Return what stands beside each line of the answer: the row's name, and the step ahead."""
    names = pd.DataFrame({ROW: pd.unique(frame[ROW]) if ROW in frame else [0]})
    if not signature.forecast:
        return names
    steps = signature.forecast.horizon
    again = names.loc[names.index.repeat(steps)].reset_index(drop=True)
    return again.assign(step=[*range(1, steps + 1)] * len(names))


def _tell_unused(names: list[str]) -> None:
    if names:
        more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
        click.echo(f"not used by the model: {', '.join(names[:_SHOWN])}{more}", err=True)


def _tell_unseen(unseen: Mapping[str, Mapping[str, int]]) -> None:
    for column, counts in unseen.items():
        shown = ", ".join(f"{value!r} ({count})" for value, count in [*counts.items()][:_SHOWN])
        more = f" and {len(counts) - _SHOWN} more" if len(counts) > _SHOWN else ""
        click.echo(
            f"column '{column}': {sum(counts.values())} rows hold categories that training did not "
            f"have, and count as none: {shown}{more}",
            err=True,
        )


def _require_free_names(given: pd.DataFrame, scored: pd.DataFrame, path: Path) -> None:
    taken = [name for name in scored.columns if name in given.columns]
    if taken:
        raise DataError(
            f"{path} has columns named like what is added to them: {', '.join(taken)}; rename them"
        )


def _write(table: pd.DataFrame, out: Path) -> None:
    draft = out.with_name(f".{out.name}.{os.getpid()}")
    try:
        if out.suffix in _TABLES:
            table.to_parquet(draft, index=False)
        else:
            table.to_csv(draft, index=False)
        draft.replace(out)
    except OSError as error:
        raise ArtifactError(f"{out} cannot be written: {error.strerror or error}") from error
    finally:
        with suppress(OSError):  # as where nothing may be written at all
            draft.unlink(missing_ok=True)
