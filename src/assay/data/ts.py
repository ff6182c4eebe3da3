"""The .ts files in which the package aeon carries sequences: a line a row, channels parted by colons."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from assay.errors import DataError


def read_ts(path: Path) -> tuple[list[np.ndarray], list[str]]:
    """Return float32 rows (steps, channels) and their labels; DataError where a line is none."""
    lines = path.read_text(encoding="utf-8").splitlines()
    start = next((i for i, line in enumerate(lines) if line.strip().lower() == "@data"), None)
    if start is None:
        raise DataError(f"{path}: expected a line '@data' before the rows of a .ts file")
    rows, labels = [], []
    for number, line in enumerate(lines[start + 1 :], start + 2):
        if not line.strip():
            continue
        *channels, label = line.strip().split(":")
        rows.append(_row(channels, f"{path}, line {number}"))
        labels.append(label)
    return rows, labels


def _row(channels: list[str], where: str) -> np.ndarray:
    try:
        columns = [[float(v.replace("?", "nan")) for v in c.split(",")] for c in channels]
        return np.array(columns, np.float32).T
    except ValueError as error:
        raise DataError(f"{where}: expected numbers, of one length in each channel") from error
