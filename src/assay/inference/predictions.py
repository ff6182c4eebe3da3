"""What the graph's outputs say: scores for the metrics, and a table for people."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from operator import itemgetter
from typing import TypeAlias

import numpy as np
import pandas as pd

from assay.data.labels import joined
from assay.data.prepared import ID
from assay.data.spec import OF_STEPS, Task, required
from assay.data.tokenizer import decode
from assay.errors import ArtifactError
from assay.inference.signature import (
    ANOMALY,
    IMAGE,
    LIKELIHOOD,
    PREDICTION,
    PROBABILITY,
    SCORE,
    Signature,
)

TARGET = "target"
Outputs: TypeAlias = Mapping[str, np.ndarray]


def scores_of(outputs: Outputs, signature: Signature) -> np.ndarray:
    """Return what the metrics take, float64.

    Probabilities (N, K), or (N, K, 2) with 1 behind the class that costs decide; for labels (N, L, 2)
    the probability and 1 where the label is given; values (N,) for regression, (N, horizon, series)
    for forecasts; for a reconstruction (N, 2) the score and 1 where it is flagged.
    """
    found = np.asarray(_SCORES[signature.task](outputs), np.float64)
    return _with_decisions(found, outputs, signature) if signature.weights else found


def explained_of(outputs: Outputs, signature: Signature) -> np.ndarray:
    """Return what explanations explain, float64 (N, outputs): probabilities, a value, or a score.

    For steps it is how sure the model is: the probability of the most probable next token, or the
    mean over steps of that of the most probable tag.
    Of forecasts it is the mean over the horizon of the first series.
    """
    if signature.task in OF_STEPS:
        sureness = np.asarray(outputs[PROBABILITY], np.float64).max(axis=-1)
        return np.asarray(sureness.reshape(len(sureness), -1).mean(axis=1, keepdims=True))
    found = np.asarray(outputs[explained_output(signature)], np.float64)
    if signature.task == "forecasting":
        return np.asarray(found[:, :, :1].mean(axis=1))
    return found.reshape(len(found), -1)


def explained_output(signature: Signature) -> str:
    """Return the one output of the graph that explanations need."""
    return _EXPLAINED.get(signature.task, PROBABILITY)


def prediction_table(outputs: Outputs, signature: Signature) -> pd.DataFrame:
    """Return a line a row: what is predicted, as ``_TABLES`` has it for the task.

    For classes ``prediction`` and one column ``probability_<class>`` each; for a reconstruction
    ``score`` and ``anomaly``; for forecasts a column for each series and step. Raises ArtifactError
    where the graph has other classes than its signature.
    """
    return _TABLES[signature.task](outputs, signature)


def _with_decisions(probability: np.ndarray, outputs: Outputs, signature: Signature) -> np.ndarray:
    given = [np.asarray(outputs[PREDICTION] == label) for label in signature.classes]
    return np.stack([probability, np.stack(given, axis=1)], axis=-1)


def _flags(outputs: Outputs) -> np.ndarray:
    return np.stack([outputs[SCORE], outputs[ANOMALY]], axis=1)


def _decided(outputs: Outputs) -> np.ndarray:
    return np.stack([outputs[PROBABILITY], outputs[PREDICTION]], axis=-1)


def _label_table(outputs: Outputs, signature: Signature) -> pd.DataFrame:
    names = [str(label) for label in signature.classes]
    given = pd.Series(joined(outputs[PREDICTION], names), name=PREDICTION)
    return _table({**outputs, PREDICTION: given.to_numpy()}, signature)


def _flag_table(outputs: Outputs, signature: Signature) -> pd.DataFrame:
    return pd.DataFrame({name: outputs[name] for name in (SCORE, ANOMALY)})


def _forecast_table(outputs: Outputs, signature: Signature) -> pd.DataFrame:
    steps = outputs[PREDICTION]
    return pd.DataFrame(steps.reshape(len(steps), -1), columns=forecast_columns(signature))


def steps_ahead(outputs: Outputs, signature: Signature) -> pd.DataFrame:
    """Return forecasts a line for each step ahead of each row, a column a series."""
    of = required(signature.forecast)
    return pd.DataFrame(outputs[PREDICTION].reshape(-1, len(of.series)), columns=list(of.series))


def forecast_columns(signature: Signature) -> list[str]:
    """Return what a line of forecasts holds, step by step: ``co2 +1`` is one step ahead."""
    of = required(signature.forecast)
    return [f"{name} +{step}" for step in range(1, of.horizon + 1) for name in of.series]


def _table(outputs: Outputs, signature: Signature) -> pd.DataFrame:
    columns = {PREDICTION: outputs[PREDICTION]}
    if signature.classes and outputs[PROBABILITY].shape[1] != len(signature.classes):
        raise ArtifactError(
            f"the graph gives {outputs[PROBABILITY].shape[1]} probabilities a row, but its signature "
            f"names {len(signature.classes)} classes"
        )
    for code, label in enumerate(signature.classes):
        columns[f"{PROBABILITY}_{label}"] = outputs[PROBABILITY][:, code]
    return pd.DataFrame(columns)


def _next_token(outputs: Outputs, signature: Signature) -> pd.DataFrame:
    """The most probable next token in words, how probable it is, and the text's log-likelihood."""
    tokenizer = required(signature.text).tokenizer
    likely = outputs[PROBABILITY].max(axis=1)
    words = [decode(tokenizer, [int(token)]) for token in outputs[PREDICTION]]
    return pd.DataFrame({"next": words, PROBABILITY: likely, LIKELIHOOD: outputs[LIKELIHOOD]})


def _tags(outputs: Outputs, signature: Signature) -> pd.DataFrame:
    """Each row's tags in one cell, parted by blanks; those after its end are not to be read."""
    return pd.DataFrame({PREDICTION: [" ".join(map(str, row)) for row in outputs[PREDICTION]]})


def _pixel_table(outputs: Outputs, signature: Signature) -> pd.DataFrame:
    images = outputs[IMAGE].reshape(len(outputs[IMAGE]), -1)
    return pd.DataFrame(images, columns=[f"pixel_{i}" for i in range(images.shape[1])])


_SCORES: Mapping[Task, Callable[[Outputs], np.ndarray]] = {
    "language_modelling": itemgetter(LIKELIHOOD),
    "tagging": itemgetter(PROBABILITY),
    "classification": itemgetter(PROBABILITY),
    "multilabel": _decided,
    "regression": itemgetter(PREDICTION),
    "forecasting": itemgetter(PREDICTION),
    "reconstruction": _flags,
}
_EXPLAINED: Mapping[Task, str] = {
    "regression": PREDICTION,
    "forecasting": PREDICTION,
    "reconstruction": SCORE,
}
_TABLES: Mapping[Task, Callable[[Outputs, Signature], pd.DataFrame]] = {
    "language_modelling": _next_token,
    "tagging": _tags,
    "classification": _table,
    "multilabel": _label_table,
    "regression": _table,
    "forecasting": _forecast_table,
    "reconstruction": _flag_table,
    "generation": _pixel_table,
}


def with_targets(table: pd.DataFrame, *, ids: pd.Series, target: pd.Series) -> pd.DataFrame:
    """Return the table with the rows' ``__id__`` and the true ``target`` in front."""
    table = table.copy()
    table.insert(0, ID, ids.to_numpy())
    table.insert(1, TARGET, target.to_numpy())
    return table
