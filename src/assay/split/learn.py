"""The specification from training rows: nothing in it depends on any other row."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import numpy as np
import pandas as pd

from assay.data.ragged import Ragged
from assay.data.raw import Raw
from assay.data.spec import Column, Forecast, Image, Kind, Series, Spec, Task, Text, required
from assay.data.table import class_values, features, learn_column
from assay.data.tokenizer import encode, learn_tokenizer, vocabulary_of
from assay.errors import DataError
from assay.split.checks import constant_columns, id_columns

_LEVELS = 256
_READ_BYTES = 4 << 20
Learned: TypeAlias = dict[str, Any]
"""Values of fields of ``Spec``."""


def learn(raw: Raw, *, train: np.ndarray, task: Task) -> Spec:
    """Return the specification that the training rows give; ``train`` holds their positions."""
    return Spec(
        task=task,
        kind=raw.kind,
        target=raw.roles.target,
        train_rows=len(train),
        sensitive=raw.roles.sensitive,
        **_INPUTS[raw.kind](raw, train),
        **_TARGETS[task](raw, train),
    )


def _columns(raw: Raw, train: np.ndarray) -> Learned:
    names, rows = features(raw), raw.frame.iloc[train]
    left_out = {*constant_columns(rows, names), *id_columns(rows, names, raw=raw)}
    columns: tuple[Column, ...] = tuple(
        learn_column(rows[name], raw=raw) for name in names if name not in left_out
    )
    if not columns:
        raise DataError(
            f"no feature column is left: of {len(names)}, {len(left_out)} are constant or id-like"
        )
    return {"columns": columns}


def _image(raw: Raw, train: np.ndarray) -> Learned:
    """Mean and standard deviation by channel from counts of the 256 levels: exact, flat in memory."""
    images = required(raw.images)
    _, channels, height, width = images.shape
    levels = np.arange(_LEVELS)
    means, stds, ends = [], [], []
    for histogram in _histograms(images, train):
        mean = float(histogram @ levels / histogram.sum())
        variance = float(histogram @ (levels - mean) ** 2 / histogram.sum())
        means.append(mean)
        stds.append(variance**0.5 or 1.0)
        ends.append(np.flatnonzero(histogram)[[0, -1]].tolist())
    size = {"channels": channels, "height": height, "width": width}
    lowest, highest = zip(*ends, strict=True)
    found = Image(**size, mean=tuple(means), std=tuple(stds), lowest=lowest, highest=highest)
    return {"image": found}


def _histograms(images: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Return how often each level occurs in each channel: int64 (channels, 256)."""
    channels = images.shape[1]
    counts = np.zeros((channels, _LEVELS), np.int64)
    step = max(1, _READ_BYTES // max(1, images[:1].nbytes))
    for start in range(0, len(rows), step):
        some = images[rows[start : start + step]]
        for channel in range(channels):
            counts[channel] += np.bincount(some[:, channel].ravel(), minlength=_LEVELS)
    return counts


def _series(raw: Raw, train: np.ndarray) -> Learned:
    rows = required(raw.series).take(train)
    values = rows.values.gather(np.arange(rows.values.shape[0])).astype(np.float64)
    known = ~np.isnan(values)
    if not known.any(axis=0).all():
        empty = [raw.channels[i] for i in np.flatnonzero(~known.any(axis=0))]
        raise DataError(f"no training row has any value of: {', '.join(empty)}; leave it out")
    std = np.nanstd(values, axis=0)
    found = Series(
        channels=raw.channels,
        steps=int(rows.lengths.max()),
        shortest=int(rows.lengths.min()),
        mean=tuple(np.nanmean(values, axis=0).tolist()),
        std=tuple(np.where(std > 0, std, 1.0).tolist()),
    )
    return {"series": found}


def _text(raw: Raw, train: np.ndarray) -> Learned:
    column, knobs = required(raw.text), raw.tokens
    texts = raw.frame[column].iloc[train].tolist()
    tokenizer = learn_tokenizer(texts, knobs)
    longest = int(encode(tokenizer, texts, steps=knobs.steps).lengths.max())
    found = Text(
        column=column,
        tokenizer=tokenizer,
        vocabulary=vocabulary_of(tokenizer),
        steps=longest,
    )
    return {"text": found}


def _classes(raw: Raw, train: np.ndarray) -> Learned:
    found = class_values(_target(raw, train)).value_counts()
    classes = sorted(found.index.tolist())
    return {"classes": tuple(classes), "class_counts": tuple(int(found[c]) for c in classes)}


def _labels(raw: Raw, train: np.ndarray) -> Learned:
    counts = np.asarray(raw.targets)[train].sum(0, dtype=np.int64)
    return {"classes": raw.labels, "class_counts": tuple(counts.tolist())}


def _nothing(raw: Raw, train: np.ndarray) -> Learned:
    """The target of a text is the text."""
    return {}


def _tags(raw: Raw, train: np.ndarray) -> Learned:
    rows = tags_of(raw).take(train)
    found, counts = np.unique(
        rows.values.gather(np.arange(rows.values.shape[0])).astype(str), return_counts=True
    )
    return {"classes": tuple(found.tolist()), "class_counts": tuple(counts.tolist())}


def tags_of(raw: Raw) -> Ragged:
    """Return the tags of steps; DataError where the reader left them out."""
    if not isinstance(raw.targets, Ragged):
        raise DataError("the reader of this kind of data hands over no tag for each token")
    return raw.targets


def _judged_classes(raw: Raw, train: np.ndarray) -> Learned:
    """The classes by which a judge learns to look at samples."""
    if raw.kind != "image" or not raw.roles.target:
        raise DataError(
            "data.task: generation needs images with classes, by which a classifier learns the "
            "features that samples are measured in"
        )
    return _classes(raw, train)


def _number(raw: Raw, train: np.ndarray) -> Learned:
    numbers = _target(raw, train).astype(float)
    return {"target_mean": float(numbers.mean()), "target_std": float(numbers.std(ddof=0)) or 1.0}


def _forecast(raw: Raw, train: np.ndarray) -> Learned:
    of, past = required(raw.forecast), required(raw.series).take(train)
    values = past.values.gather(np.arange(past.values.shape[0])).astype(np.float64)
    seen = values.reshape(len(train), of.window, -1)[:, :, : len(of.series)]
    ahead = np.asarray(raw.targets)[train].astype(np.float64)
    whole = np.concatenate([seen, ahead], axis=1)
    naive = np.nanmean(np.abs(whole[:, of.season :] - whole[:, : -of.season]), axis=(0, 1))
    std = np.nanstd(seen, axis=(0, 1))
    found = Forecast(
        horizon=ahead.shape[1],
        window=of.window,
        series=of.series,
        level=of.level,
        mean=tuple(np.nanmean(seen, axis=(0, 1)).tolist()),
        std=tuple(np.where(std > 0, std, 1.0).tolist()),
        season=of.season,
        naive=tuple(np.where(naive > 0, naive, 1.0).tolist()),
        time=of.time,
    )
    return {"forecast": found}


def _target(raw: Raw, train: np.ndarray) -> pd.Series:
    return raw.frame[raw.roles.target].iloc[train]


_INPUTS: Mapping[Kind, Callable[[Raw, np.ndarray], Learned]] = {
    "table": _columns,
    "image": _image,
    "sequence": _series,
    "text": _text,
}
_TARGETS: Mapping[Task, Callable[[Raw, np.ndarray], Learned]] = {
    "language_modelling": _nothing,
    "tagging": _tags,
    "classification": _classes,
    "multilabel": _labels,
    "regression": _number,
    "forecasting": _forecast,
    "reconstruction": lambda raw, train: {},
    "generation": _judged_classes,
}
