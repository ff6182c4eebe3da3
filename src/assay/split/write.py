"""Learn the specification from training rows, and write every split as arrays."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from assay.data.prepared import GROUP, ID, TARGET, TIME, write_pieces
from assay.data.raw import Raw
from assay.data.spec import Column, Image, Spec, Task
from assay.data.table import (
    as_numbers,
    as_text,
    categorical_array,
    class_values,
    column_type,
    features,
    learn_column,
    numeric_array,
)
from assay.errors import DataError
from assay.split.checks import constant_columns, id_columns

_LEVELS = 256


def learn(raw: Raw, *, train: np.ndarray, task: Task) -> Spec:
    """Return the specification that the training rows give; ``train`` holds their positions."""
    rows = raw.frame.iloc[train]
    target = rows[raw.roles.target]
    columns = _columns(raw, rows)
    image = _image(raw.images[train]) if raw.images is not None else None
    classes: list[str | int | bool] = []
    counts: list[int] = []
    mean, std = 0.0, 1.0
    if task == "classification":
        found = class_values(target).value_counts()
        classes = sorted(found.index.tolist())
        counts = [int(found[label]) for label in classes]
    else:
        mean, std = float(target.astype(float).mean()), float(target.astype(float).std(ddof=0))
    return Spec(
        task=task,
        kind="table" if raw.images is None else "image",
        target=raw.roles.target,
        train_rows=len(train),
        columns=columns,
        sensitive=raw.roles.sensitive,
        image=image,
        classes=tuple(classes),
        class_counts=tuple(counts),
        target_mean=mean,
        target_std=std or 1.0,
    )


def _columns(raw: Raw, rows: pd.DataFrame) -> tuple[Column, ...]:
    if raw.images is not None:
        return ()
    names = features(raw)
    left_out = {*constant_columns(rows, names), *id_columns(rows, names, raw=raw)}
    columns = tuple(learn_column(rows[name], raw=raw) for name in names if name not in left_out)
    if not columns:
        raise DataError(
            f"no feature column is left: of {len(names)}, {len(left_out)} are constant or id-like"
        )
    return columns


def _image(images: np.ndarray) -> Image:
    """Mean and standard deviation by channel from counts of the 256 levels: exact, flat in memory."""
    _, channels, height, width = images.shape
    levels = np.arange(_LEVELS)
    means, stds = [], []
    for channel in range(channels):
        histogram = np.bincount(images[:, channel].ravel(), minlength=_LEVELS)
        mean = float(histogram @ levels / histogram.sum())
        variance = float(histogram @ (levels - mean) ** 2 / histogram.sum())
        means.append(mean)
        stds.append(variance**0.5 or 1.0)
    return Image(channels=channels, height=height, width=width, mean=tuple(means), std=tuple(stds))


def write_split(raw: Raw, *, rows: np.ndarray, spec: Spec, folder: Path) -> None:
    """Write one split's tensors, target and readable rows; ``rows`` are positions in ``raw``."""
    folder.mkdir()
    frame = raw.frame.iloc[rows]
    if raw.images is not None:
        write_pieces(folder, "image", raw.images[rows])
    if spec.numeric:
        np.save(folder / "numeric.npy", numeric_array(frame, spec.numeric))
    if spec.categorical:
        np.save(folder / "categorical.npy", categorical_array(frame, spec.categorical))
    np.save(folder / "target.npy", _target_array(frame[raw.roles.target], spec))
    _readable(raw, frame, rows, spec).to_parquet(folder / "rows.parquet", index=False)


def _target_array(target: pd.Series, spec: Spec) -> np.ndarray:
    if spec.task == "regression":
        return target.to_numpy(np.float32)
    codes = {label: code for code, label in enumerate(spec.classes)}
    return pd.Series(_classes(target, spec)).map(codes).to_numpy(np.int64)


def _classes(target: pd.Series, spec: Spec) -> np.ndarray:
    """The target as the classes are written, text among them where one class anywhere is text."""
    values = class_values(target)
    return (values.astype(str) if isinstance(spec.classes[0], str) else values).to_numpy()


def _readable(raw: Raw, frame: pd.DataFrame, rows: np.ndarray, spec: Spec) -> pd.DataFrame:
    roles = raw.roles
    target = frame[roles.target]
    special = {
        ID: frame[roles.id].to_numpy() if roles.id else rows,
        TARGET: target.to_numpy(float) if spec.task == "regression" else _classes(target, spec),
    }
    for name, role in ((GROUP, roles.group), (TIME, roles.time)):
        if role is not None:
            special[name] = frame[role].to_numpy()
    shown = [c.name for c in spec.columns] + [
        s for s in roles.sensitive if s not in {c.name for c in spec.columns}
    ]
    return pd.DataFrame({**special, **{name: _shown(frame[name], raw) for name in shown}})


def _shown(series: pd.Series, raw: Raw) -> np.ndarray:
    kind = column_type(series, raw=raw)
    if kind == "categorical":
        return as_text(series).to_numpy()
    numbers = as_numbers(series)
    if kind == "boolean":
        return numbers.astype(object).where(numbers.notna(), None).map(_boolean).to_numpy()
    return numbers.to_numpy()


def _boolean(value: float | None) -> bool | None:
    return None if value is None else bool(value)
