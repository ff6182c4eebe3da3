"""What is known of generated samples row by row: which real rows they come near."""

from __future__ import annotations

import numpy as np

from assay.metrics.ranking import Metrics, ratio


def coverage_metric(target: np.ndarray, output: np.ndarray, bins: int) -> Metrics:
    """Return the coverage over weights (B, N); ``output`` (N,) is 1 where a real row is covered.

    All else that ``metrics.generation`` measures is of two whole sets.
    """

    def values(weights: np.ndarray) -> dict[str, np.ndarray]:
        return {"coverage": ratio(weights @ output, weights.sum(1))}

    return values
