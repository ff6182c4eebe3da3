"""What evaluating a reconstruction means: detectors beside it, points behind plots, pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from assay.baselines.detectors import fit_detectors
from assay.baselines.fit import Answer
from assay.data.prepared import TARGET, Split
from assay.data.spec import Spec, required
from assay.figures.classification import precision_recall_curve, roc_curve
from assay.figures.reconstruction import feature_rows, image_rows, line_rows, score_histogram
from assay.figures.style import Figure
from assay.inference.feeds import split_feeds
from assay.inference.session import Session
from assay.inference.signature import GIVEN, RECONSTRUCTION, Signature, feature_names
from assay.metrics import curves
from assay.metrics.knobs import Evaluate

_SHOWN = 8
_BATCH = 1024
_CLASSES = ("normal", "anomaly")


@dataclass(frozen=True, kw_only=True)
class Reconstructed:
    """What the graph says of the test rows: ``given`` and ``returned`` (N, features), and scores.

    ``output`` (N, 2) is score and flag; ``target`` (N,) is 1 for an anomaly, 0 for a normal row and
    -1 where that is not known; ``labels`` are the classes as people read them.
    """

    given: np.ndarray
    returned: np.ndarray
    output: np.ndarray
    target: np.ndarray
    labels: Sequence[str]


def reconstructed(
    outputs: Mapping[str, np.ndarray], *, output: np.ndarray, split: Split
) -> Reconstructed:
    """Return what the graph said of a split's rows."""
    rows = split.rows()
    labels = rows[TARGET].astype(str).tolist() if TARGET in rows else [""] * len(rows)
    return Reconstructed(
        given=outputs[GIVEN],
        returned=outputs[RECONSTRUCTION],
        output=output,
        target=np.asarray(split.target),
        labels=labels,
    )


def detector_answers(
    session: Session,
    signature: Signature,
    *,
    train: Split,
    valid: Split,
    asked: Reconstructed,
    knobs: Evaluate,
) -> dict[str, Answer]:
    """Return simple detectors' answers for the test rows, fitted on what the network is given."""

    def given(split: Split) -> np.ndarray:
        feeds = split_feeds(split, signature, batch_size=_BATCH)
        return session.stream(feeds)[GIVEN]

    return fit_detectors(
        given(train),
        chosen=given(valid),
        labels=np.asarray(valid.target),
        asked=asked.given,
        most_rows=knobs.baseline_rows,
        false_alarms=knobs.false_alarms,
        seed=knobs.seed,
        threads=knobs.threads,
    )


def detection_tables(found: Reconstructed) -> dict[str, pd.DataFrame]:
    """Return the points behind the curves of anomalies against normal rows."""
    is_known = found.target >= 0
    score = found.output[is_known, 0]
    output = np.stack([-score, score], axis=1)
    target = found.target[is_known]
    return {
        "roc": curves.roc(target=target, output=output, classes=_CLASSES),
        "pr": curves.precision_recall(target=target, output=output, classes=_CLASSES),
    }


def detection_pictures(
    found: Reconstructed,
    tables: Mapping[str, pd.DataFrame],
    *,
    spec: Spec,
    signature: Signature,
    area: float | None,
) -> dict[str, Figure]:
    """Return curves where anomalies are known, the scores, and the rows that came back worst."""
    threshold = required(signature.threshold)
    pictures = {
        "scores": score_histogram(found.output[:, 0], target=found.target, threshold=threshold)
    }
    if not tables["roc"].empty:
        share = float((found.target[found.target >= 0] == 1).mean())
        pictures["roc"] = roc_curve(tables["roc"], area=area)
        pictures["precision_recall"] = precision_recall_curve(tables["pr"], share=share)
    told = {"normal": (found.target != 1, -1), "anomalies": (found.target == 1, 1)}
    headings = {
        "normal": "Normal rows that came back worst",
        "anomalies": "Anomalies that came back best: these are missed first",
    }
    for name, (is_one, sign) in told.items():
        if is_one.any():
            rows = np.flatnonzero(is_one)
            rows = rows[np.argsort(sign * found.output[rows, 0], kind="stable")][:_SHOWN]
            pictures[f"worst_{name}"] = _rows(found, rows, spec=spec, heading=headings[name])
    return pictures


def _rows(found: Reconstructed, rows: np.ndarray, *, spec: Spec, heading: str) -> Figure:
    captions = [f"{found.labels[row]}\n{found.output[row, 0]:.2f}" for row in rows]
    given, returned = found.given[rows], found.returned[rows]
    if spec.image:
        pixels = (_levels(part, spec) for part in (given, returned))
        shown, back = pixels
        return image_rows(shown, returned=back, captions=captions, heading=heading)
    captions = [caption.replace("\n", ", score ") for caption in captions]
    if spec.series:
        shape = (len(rows), -1, len(spec.series.channels))
        parts = given.reshape(shape), returned.reshape(shape)
        return line_rows(parts[0], returned=parts[1], captions=captions, heading=heading)
    errors = np.square(given - returned)
    return feature_rows(errors, names=feature_names(spec), captions=captions, heading=heading)


def _levels(features: np.ndarray, spec: Spec) -> np.ndarray:
    """Return standardised pixels (N, features) as images, the brightest training level being 1."""
    image = required(spec.image)
    mean, std = (np.array(v).reshape(-1, 1, 1) for v in (image.mean, image.std))
    levels = features.reshape(-1, image.channels, image.height, image.width) * std + mean
    return np.asarray(levels / max(float(np.quantile(levels, 0.999)), 1.0))
