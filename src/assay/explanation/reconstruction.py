"""The score of a reconstruction taken apart: how much of it each feature adds."""

from __future__ import annotations

import numpy as np


def error_by_feature(
    given: np.ndarray, returned: np.ndarray, *, feature: np.ndarray, features: int
) -> np.ndarray:
    """Return each feature's part (rows, features) of the mean square error: rows add up to the score.

    ``given`` and ``returned`` are (rows, numbers), and ``feature`` (numbers,) says which feature each
    number belongs to. The score is the outlier factor of Hawkins, He, Williams and Baxter 2002
    (doi:10.1007/3-540-46145-0_17).
    """
    square = np.square(np.asarray(given, np.float64) - returned) / given.shape[1]
    return np.asarray(square @ np.eye(features)[feature])
