"""Which class a row is given: the most probable one, or the one that costs decide."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def probabilities(output: np.ndarray) -> np.ndarray:
    """Return probabilities (N, K) of ``output``, (N, K) or (N, K, 2) with decisions behind."""
    return np.asarray(output[..., 0] if output.ndim == 3 else output)


def chosen(output: np.ndarray) -> np.ndarray:
    """Return the code (N,) of the class that each row is given; ``output`` as for ``probabilities``.

    Behind each probability stands 1 where its class is the one that the row is given, else 0.
    """
    return np.asarray((output[..., 1] if output.ndim == 3 else output).argmax(1))


def weighed(output: np.ndarray, costs: Sequence[float]) -> np.ndarray:
    """Return probabilities (N, K) with the decision of least expected cost behind, (N, K, 2).

    ``costs`` by class are of taking a row of it for another; without any, ``output`` as it is.
    """
    if not costs:
        return output
    found = (output * np.asarray(costs)).argmax(1)
    return np.stack([output, np.eye(output.shape[1])[found]], axis=-1)
