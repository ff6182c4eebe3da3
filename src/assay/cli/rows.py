"""Raw rows of a file of the user's own, as a registered graph takes them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from assay.data.csv import read_table
from assay.data.prepared import UNREADABLE
from assay.errors import DataError
from assay.inference.feeds import frame_feeds
from assay.inference.signature import IMAGE, Signature

_ARRAYS = (".npy", ".npz")


def read_rows(
    path: Path, signature: Signature, *, encoding: str, separator: str
) -> tuple[pd.DataFrame, dict[str, np.ndarray]]:
    """Return a file's rows as a table, without columns for an array of images, and the graph's inputs.

    Raises DataError where the file cannot be read, or does not fit the graph.
    """
    if path.suffix in _ARRAYS and signature.kind == "image":
        images = _images(path, signature)
        return pd.DataFrame(index=range(len(images))), {IMAGE: images}
    frame = read_table(path, encoding=encoding, separator=separator)
    return frame, frame_feeds(frame, signature)


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
