"""Raw rows of a file of the user's own, as a registered graph takes them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from assay.data.csv import read_table
from assay.data.prepared import UNREADABLE
from assay.errors import DataError
from assay.inference.feeds import frame_feeds
from assay.inference.requests import array_feeds
from assay.inference.signature import IMAGE, Signature

_ARRAYS = (".npy", ".npz")


def read_rows(
    path: Path, signature: Signature, *, encoding: str, separator: str
) -> tuple[pd.DataFrame, dict[str, np.ndarray]]:
    """Return a file's rows as a table, without columns for an array of images, and the graph's inputs.

    Raises DataError where the file cannot be read, or does not fit the graph.
    """
    if path.suffix in _ARRAYS and signature.kind == "image":
        feeds = _images(path, signature)
        return pd.DataFrame(index=range(len(feeds[IMAGE]))), feeds
    frame = read_table(path, encoding=encoding, separator=separator)
    return frame, frame_feeds(frame, signature)


def _images(path: Path, signature: Signature) -> dict[str, np.ndarray]:
    array = _array(path)
    try:
        return array_feeds({IMAGE: array}, signature)
    except DataError as error:
        raise DataError(f"{path}: {error}") from error


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
