"""What is watched of rows: a few quantities of each, from what a graph takes and from what it says.

Outputs are watched for every kind of data: a shift that matters moves them (black box shift
detection, Lipton et al. 2018, arXiv:1802.03916; Rabanser et al. 2019, arXiv:1810.11953).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from assay.data.prepared import LENGTHS
from assay.data.spec import OF_STEPS, Kind, required
from assay.data.tokenizer import unknown_id
from assay.errors import DataError
from assay.inference.predictions import explained_of
from assay.inference.signature import (
    ANOMALY,
    PREDICTION,
    PROBABILITY,
    SCORE,
    SEQUENCE,
    TOKENS,
    Signature,
    Tensor,
)

NEVER_SEEN, MISSING = "(never seen in training)", "(missing)"
_MOST_CLASSES = 20
_WORDS = {0.0: "false", 1.0: "true"}
Arrays = Mapping[str, np.ndarray]


@dataclass(frozen=True, kw_only=True)
class Watched:
    """A quantity of each row: ``values`` (rows,), float64 with NaN for missing, or texts."""

    name: str
    of: Literal["input", "output"]
    values: np.ndarray

    @property
    def is_number(self) -> bool:
        """Whether the values are numbers."""
        return bool(np.issubdtype(self.values.dtype, np.number))


def watch(feeds: Arrays, outputs: Arrays, signature: Signature) -> list[Watched]:
    """Return what is watched of rows: of what a graph was given, and of what it said."""
    given, said = _INPUTS[signature.kind](feeds, signature), _outputs(outputs, signature)
    return [
        *(Watched(name=name, of="input", values=values) for name, values in given.items()),
        *(Watched(name=name, of="output", values=values) for name, values in said.items()),
    ]


def joined(parts: Sequence[Sequence[Watched]]) -> list[Watched]:
    """Return what is watched of all rows, from that of each batch."""
    return [
        replace(same[0], values=np.concatenate([one.values for one in same]))
        for same in zip(*parts, strict=True)
    ]


def require_watchable(signature: Signature) -> None:
    """Raise DataError for a graph whose rows cannot be watched.

    A generator takes noise, and windows of a forecast overlap, so that no test on independent rows
    tells chance from drift.
    """
    if signature.task == "generation":
        raise DataError("a generator takes noise and predicts no row: there is nothing to drift")
    if signature.task == "forecasting":
        raise DataError(
            "windows of a forecast overlap, so chance cannot be told from drift by their rows: "
            "compare its errors over time instead"
        )


def _of_table(batch: Arrays, signature: Signature) -> dict[str, np.ndarray]:
    return {tensor.name: _column(batch[tensor.name], tensor) for tensor in signature.inputs}


def _column(values: np.ndarray, tensor: Tensor) -> np.ndarray:
    if tensor.holds == "numeric":
        return np.asarray(values, np.float64)
    if tensor.holds == "boolean":
        return np.array([_WORDS.get(float(v), MISSING) for v in values], object)
    known = set(tensor.categories)
    words = (str(v) if v else MISSING for v in values)
    return np.array([w if w in known or w == MISSING else NEVER_SEEN for w in words], object)


def _of_images(batch: Arrays, signature: Signature) -> dict[str, np.ndarray]:
    """Levels from 0 to 255; ``detail`` is the mean difference of pixels side by side."""
    images = np.asarray(batch[signature.inputs[0].name], np.float64)
    across = np.abs(np.diff(images, axis=3)).mean(axis=(1, 2, 3))
    down = np.abs(np.diff(images, axis=2)).mean(axis=(1, 2, 3))
    return {
        "brightness": images.mean(axis=(1, 2, 3)),
        "contrast": images.std(axis=(1, 2, 3)),
        "detail": (across + down) / 2,
    }


def _of_sequences(batch: Arrays, signature: Signature) -> dict[str, np.ndarray]:
    steps = np.asarray(batch[SEQUENCE], np.float64)
    lengths = np.asarray(batch.get(LENGTHS, np.full(len(steps), steps.shape[1])))
    inside = np.arange(steps.shape[1])[None, :] < lengths[:, None]
    values = np.where(inside[:, :, None], steps, np.nan)
    found: dict[str, np.ndarray] = {"length": lengths.astype(np.float64)}
    for place, channel in enumerate(signature.channels):
        found[f"mean of {channel}"] = _over_steps(np.nanmean, values[:, :, place])
        found[f"spread of {channel}"] = _over_steps(np.nanstd, values[:, :, place])
    return found


def _over_steps(statistic: Callable[..., np.ndarray], values: np.ndarray) -> np.ndarray:
    """Return a statistic of each row's steps, NaN where it has none."""
    found = np.full(len(values), np.nan)
    is_known = ~np.isnan(values).all(axis=1)
    found[is_known] = statistic(values[is_known], axis=1)
    return found


def _of_texts(batch: Arrays, signature: Signature) -> dict[str, np.ndarray]:
    lengths = np.asarray(batch[LENGTHS], np.float64)
    found = {"length in tokens": lengths}
    unknown = unknown_id(required(signature.text).tokenizer)
    if unknown is not None:
        tokens = np.asarray(batch[TOKENS])
        inside = np.arange(tokens.shape[1])[None, :] < lengths[:, None]
        found["share of unknown tokens"] = ((tokens == unknown) & inside).sum(axis=1) / lengths
    return found


_INPUTS: Mapping[Kind, Callable[[Arrays, Signature], dict[str, np.ndarray]]] = {
    "table": _of_table,
    "image": _of_images,
    "sequence": _of_sequences,
    "text": _of_texts,
}


def _outputs(outputs: Arrays, signature: Signature) -> dict[str, np.ndarray]:
    if signature.task in OF_STEPS:
        return {"how sure it is": explained_of(outputs, signature)[:, 0]}
    if signature.task == "reconstruction":
        flagged = [_WORDS[float(flag)] for flag in outputs[ANOMALY]]
        return {
            SCORE: np.asarray(outputs[SCORE], np.float64),
            ANOMALY: np.array(flagged, object),
        }
    if signature.task == "regression":
        return {PREDICTION: np.asarray(outputs[PREDICTION], np.float64)}
    probability = np.asarray(outputs[PROBABILITY], np.float64)
    found = {"highest probability": probability.max(axis=1)}
    if signature.task == "classification":
        found[PREDICTION] = np.asarray(outputs[PREDICTION]).astype(str).astype(object)
    if len(signature.classes) <= _MOST_CLASSES:
        found |= {
            f"{PROBABILITY} of {name}": probability[:, code]
            for code, name in enumerate(signature.classes)
        }
    if signature.task == "classification" and len(signature.classes) == 2:
        del found[f"{PROBABILITY} of {signature.classes[0]}"]  # the other one says it
    return found
