"""Windows over time divided into periods: the past to train on, the future to test."""

from __future__ import annotations

import numpy as np

from assay.data.raw import Forecasting
from assay.data.splitting import Splitting
from assay.split.anomalies import LEFT_OUT


def by_period(of: Forecasting, splitting: Splitting, *, horizon: int) -> np.ndarray:
    """Return each window's split: shares of ``splitting`` are shares of the steps of time.

    A window belongs to the period in which it lies whole, or, where it may look back, all that it
    forecasts; one that reaches over a boundary is left out.
    """
    test_from = of.steps - round(of.steps * splitting.test)
    valid_from = test_from - round(of.steps * splitting.valid)
    ahead = of.starts + of.window
    first, last = (ahead if of.look_back else of.starts), ahead + horizon
    labels = np.full(len(of.starts), LEFT_OUT, dtype="<U5")
    labels[last <= valid_from] = "train"
    labels[(first >= valid_from) & (last <= test_from)] = "valid"
    labels[first >= test_from] = "test"
    return labels
