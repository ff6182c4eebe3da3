"""Ask a registered version for predictions in a fresh process, as anyone else would get them.

Run as ``python -m assay.tracking.reload URI ROWS OUT``: ``ROWS`` is a Parquet file of a table's
raw inputs or an ``.npz`` of arrays by name, ``OUT`` a Parquet file of outputs.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd

import assay
from assay.errors import TrackingError, exit_plainly
from assay.tracking.registry import Rows, Version, predict

_SECONDS = 600
_NAME = "assay.tracking.reload"


def reloaded_outputs(version: Version, rows: Rows) -> dict[str, np.ndarray]:
    """Return the outputs for ``rows``, from a process that knows nothing but the version's address.

    Raises TrackingError when that process cannot load the version, or cannot run it.
    """
    with tempfile.TemporaryDirectory() as scratch:
        made = Path(scratch, "out")
        if isinstance(rows, pd.DataFrame):
            given = Path(scratch, "rows.parquet")
            rows.to_parquet(given)
        else:
            given = Path(scratch, "rows.npz")
            np.savez(given, allow_pickle=False, **rows)
        _run(version, given, made)
        return _unpacked(pd.read_parquet(made))


def _run(version: Version, given: Path, made: Path) -> None:
    paths = [str(Path(assay.__file__).parents[1]), os.environ.get("PYTHONPATH", "")]
    done = subprocess.run(
        [sys.executable, "-m", _NAME, version.uri, str(given), str(made)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))},
        capture_output=True,
        text=True,
        timeout=_SECONDS,
    )
    if done.returncode:
        raise TrackingError(
            f"{version.uri} was registered, but a fresh process cannot load and run it:\n"
            f"{done.stderr.strip()[-2000:]}"
        )


def _packed(outputs: dict[str, np.ndarray]) -> pd.DataFrame:
    columns = {
        f"{name}/{i}": column
        for name, array in outputs.items()
        for i, column in enumerate(np.asarray(array).reshape(len(array), -1).T)
    }
    return pd.DataFrame(columns)


def _unpacked(table: pd.DataFrame) -> dict[str, np.ndarray]:
    parts: dict[str, list[str]] = {}
    for column in map(str, table.columns):
        parts.setdefault(column.rpartition("/")[0], []).append(column)
    arrays = {name: table[columns].to_numpy() for name, columns in parts.items()}
    return {n: a[:, 0] if a.shape[1] == 1 else a for n, a in arrays.items()}


def main(uri: str, given: str, made: str) -> None:
    """Write the outputs of the version for the rows of a file."""
    _packed(predict(uri, _rows(given))).to_parquet(made)


def _rows(given: str) -> Rows:
    if given.endswith(".parquet"):
        return pd.read_parquet(given)
    with np.load(given, allow_pickle=False) as arrays:
        return dict(arrays)


if __name__ == "__main__":
    with exit_plainly(_NAME):
        main(*sys.argv[1:])
