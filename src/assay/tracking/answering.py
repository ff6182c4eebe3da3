"""What MLflow's scoring server asks in ``assay serve``: a graph that takes rows in the user's words.

The graph itself takes tensors: ids of tokens, steps filled up to one length, no missing category.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from assay.errors import ArtifactError, DataError
from assay.inference.requests import request_feeds
from assay.inference.session import Session
from assay.inference.signature import read_signature
from assay.tracking.environment import INVALID_PARAMETER_VALUE, MlflowException, mlflow
from assay.tracking.registry import GRAPH, SIGNATURE


class Answering:
    """A graph and its signature, asked as MLflow's ``pyfunc`` asks a model.

    Raises ArtifactError where the graph is damaged or not the signature's.
    """

    def __init__(self, folder: Path) -> None:
        self._signature = read_signature(folder / SIGNATURE)
        self._session = Session(folder / GRAPH)
        self._session.require(self._signature)

    def predict(
        self, given: pd.DataFrame | Mapping[str, Any] | Sequence[Any] | np.ndarray
    ) -> dict[str, np.ndarray]:
        """Return the graph's outputs; MlflowException, which the server tells with status 400."""
        try:
            return self._session.run(request_feeds(given, self._signature))
        except (DataError, ArtifactError) as error:
            raise MlflowException(str(error), error_code=INVALID_PARAMETER_VALUE) from error


def write_answering(version: Path, folder: Path) -> None:
    """Make ``folder`` a model of MLflow's that answers with a version's graph as ``Answering``."""
    folder.mkdir()
    for name in (GRAPH, SIGNATURE):
        shutil.copyfile(version / name, folder / name)
    model = mlflow.models.Model()
    mlflow.pyfunc.add_to_model(model, loader_module=__name__)
    model.save(folder / "MLmodel")


def _load_pyfunc(path: str) -> Answering:
    """Return the model in a folder: MLflow calls this by its name."""
    return Answering(Path(path))
