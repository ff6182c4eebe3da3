"""``assay predict``: score a file of raw rows with a registered model."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

import click
import numpy as np
import pandas as pd

from assay.data.csv import read_table
from assay.data.prepared import UNREADABLE
from assay.errors import ArtifactError, DataError
from assay.inference.feeds import ROW, frame_feeds, unseen_categories
from assay.inference.predictions import prediction_table, steps_ahead
from assay.inference.session import Session
from assay.inference.signature import IMAGE, Signature, read_signature
from assay.tracking.registry import GRAPH, SIGNATURE, fetch, resolve

_ARRAYS, _TABLES, _CSV = (".npy", ".npz"), (".parquet", ".pq"), ".csv"
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
        given, feeds = _read(rows, signature, encoding=encoding, separator=separator)
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


def _read(
    path: Path, signature: Signature, *, encoding: str, separator: str
) -> tuple[pd.DataFrame, dict[str, np.ndarray]]:
    """Return the rows as a table, empty for an array of images, and the graph's inputs."""
    if path.suffix in _ARRAYS and signature.kind == "image":
        images = _images(path, signature)
        return pd.DataFrame(index=range(len(images))), {IMAGE: images}
    frame = read_table(path, encoding=encoding, separator=separator)
    feeds = frame_feeds(frame, signature)
    if signature.kind == "sequence":
        return _names_of_rows(frame, signature), feeds
    if signature.kind == "table":
        _tell_unused([str(c) for c in frame.columns if str(c) not in feeds])
        _tell_unseen(unseen_categories(feeds, signature))
    return frame, feeds


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


def _images(path: Path, signature: Signature) -> np.ndarray:
    array, shape = _array(path), signature.inputs[0].shape[1:]
    wanted = " x ".join(map(str, ("rows", *shape)))
    if array.ndim == len(shape) and shape[0] == 1:
        array = array[:, None]
    if array.shape[1:] != shape:
        found = " x ".join(map(str, array.shape))
        raise DataError(f"{path}: expected an array of {wanted}, but got {found}")
    is_level = np.issubdtype(array.dtype, np.number) and bool(
        np.all((array >= 0) & (array <= 255) & (np.mod(array, 1) == 0))
    )
    if not is_level:
        raise DataError(f"{path}: expected pixels as whole numbers from 0 to 255")
    return array.astype(np.uint8)


def _array(path: Path) -> np.ndarray:
    try:
        with path.open("rb") as file:
            loaded = np.load(file, allow_pickle=False)
            if isinstance(loaded, np.ndarray):
                return loaded
            names = loaded.files
            if len(names) != 1 and IMAGE not in names:
                raise DataError(f"{path}: expected one array or one named '{IMAGE}', got {names}")
            return np.asarray(loaded[IMAGE if IMAGE in names else names[0]])
    except FileNotFoundError as error:
        raise DataError(f"{path}: there is no such file") from error
    except UNREADABLE as error:
        raise DataError(f"{path} cannot be read as a NumPy array: {error}") from error


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
        draft.unlink(missing_ok=True)
