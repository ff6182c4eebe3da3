"""Which test rows depend on each other, by how the data was divided."""

from __future__ import annotations

import numpy as np
import pandas as pd

from assay.artifacts.files import read_json
from assay.artifacts.manifest import artifact
from assay.data.prepared import GROUP, TIME
from assay.metrics.dependence import ONE_BY_ONE, Dependence


def prepared_dependence(rows: pd.DataFrame) -> Dependence:
    """Return the dependence of prepared rows: by group or time where the split was by those.

    A column that says the split says nothing of why: a group is taken for one then.
    """
    way = read_json(artifact("prepare", "checks.json"))["split"]["by"]
    return dependence_of(rows, way=way)


def dependence_of(rows: pd.DataFrame, *, way: str) -> Dependence:
    """Return the dependence of rows that were divided in this ``way``."""
    if way in ("group", "column") and GROUP in rows:
        return Dependence(way="group", code=np.asarray(pd.factorize(rows[GROUP])[0]))
    if way == "time" and TIME in rows:
        return Dependence(way="time", code=_ranks(rows[TIME]))
    return ONE_BY_ONE


def _ranks(times: pd.Series) -> np.ndarray:
    if not pd.api.types.is_numeric_dtype(times):
        times = pd.to_datetime(times, format="mixed", utc=True)
    return times.rank(method="first").to_numpy() - 1
