"""What evaluating means for each task: the answers asked for, baselines, points and pictures."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import pandas as pd

from assay.artifacts.manifest import artifact
from assay.baselines.beside import FROM_NOTHING, WITHOUT_SAMPLES
from assay.baselines.fit import Answer, fit_baselines
from assay.baselines.forecasts import forecast_baselines
from assay.baselines.language import count_language
from assay.baselines.tags import count_tags
from assay.data.prepared import ID, IGNORED, TARGET, Split
from assay.data.spec import Spec, Task, read_spec, required
from assay.figures.classification import (
    confusion_matrix,
    precision_recall_curve,
    reliability,
    roc_curve,
)
from assay.figures.regression import residual_plots
from assay.figures.style import Figure
from assay.inference.feeds import split_feeds
from assay.inference.predictions import prediction_table, scores_of, with_targets
from assay.inference.session import Session
from assay.inference.signature import Signature, read_signature
from assay.metrics import curves
from assay.metrics.dependence import ONE_BY_ONE, Dependence
from assay.metrics.intervals import Interval
from assay.metrics.knobs import Evaluate
from assay.pipeline.evaluating.dependence import prepared_dependence
from assay.pipeline.evaluating.detection import (
    Reconstructed,
    detection_pictures,
    detection_tables,
    detector_answers,
    reconstructed,
)
from assay.pipeline.evaluating.forecasting import forecast_pictures, horizon_table, with_truth
from assay.pipeline.evaluating.labelled import label_pictures, label_tables
from assay.pipeline.fitting.instruments import graph_of

Tables: TypeAlias = dict[str, pd.DataFrame]
Pictures: TypeAlias = dict[str, Figure]

COMPARED: Mapping[Task, tuple[str, ...]] = {
    "language_modelling": ("perplexity", "log_loss", "bits_per_token"),
    "tagging": ("accuracy", "f1", "span_f1", "log_loss"),
    "classification": ("accuracy", "f1", "roc_auc", "log_loss", "cost"),
    "multilabel": ("subset_accuracy", "f1_macro", "average_precision", "log_loss"),
    "regression": ("rmse", "mae", "r2"),
    "reconstruction": ("auroc", "average_precision", "f1", "reconstruction_mse"),
    "forecasting": ("mase", "mae", "rmse", "smape"),
    "generation": ("frechet", "coverage", "density"),
}
"""The metrics that are put beside the baselines', and told first."""


@dataclass(frozen=True, kw_only=True)
class Asked:
    """The test rows, and what the graph says about them."""

    spec: Spec
    split: Split
    target: np.ndarray
    output: np.ndarray
    predictions: pd.DataFrame
    session: Session
    signature: Signature
    reconstructed: Reconstructed | None
    dependence: Dependence = ONE_BY_ONE

    @property
    def naive(self) -> tuple[float, ...]:
        """The scale of each series that is forecast."""
        return self.spec.forecast.naive if self.spec.forecast else ()


def ask(knobs: Evaluate) -> Asked:
    """Return the graph's answers for the raw inputs of the test split."""
    signature = read_signature(artifact("export", "signature.json"))
    split = Split(artifact("prepare", "test"))
    graph = artifact("export", "model.onnx")
    session = Session(graph, threads=knobs.threads, batch_size=knobs.batch_size)
    outputs = session.stream(split_feeds(split, signature, batch_size=knobs.batch_size))
    output = scores_of(outputs, signature)
    is_paired = signature.task == "reconstruction"
    return Asked(
        spec=read_spec(artifact("prepare", "spec.json")),
        split=split,
        target=np.asarray(split.target),
        output=output,
        predictions=_predictions(
            outputs, signature, rows=split.rows(), target=np.asarray(split.target)
        ),
        session=session,
        signature=signature,
        reconstructed=reconstructed(outputs, output=output, split=split) if is_paired else None,
        dependence=prepared_dependence(split.rows()),
    )


def _predictions(
    outputs: Mapping[str, np.ndarray],
    signature: Signature,
    *,
    rows: pd.DataFrame,
    target: np.ndarray,
) -> pd.DataFrame:
    table = prediction_table(outputs, signature)
    if signature.forecast:
        truth = with_truth(table, target, signature)
        truth.insert(0, ID, rows[ID].to_numpy())
        return truth
    labels = rows[TARGET] if TARGET in rows else pd.Series([""] * len(rows))
    return with_targets(table, ids=rows[ID], target=labels)


@dataclass(frozen=True, kw_only=True)
class Drawn:
    """What pictures are drawn from, beside the answers: points, metrics and the baselines' answers."""

    tables: Tables
    metrics: Mapping[str, Interval]
    answers: Mapping[str, Answer]


def baselines(asked: Asked, knobs: Evaluate) -> dict[str, Answer]:
    """Return the simple models' answers for the test rows, by name."""
    found = _BASELINES.get(asked.spec.task, _fitted)(asked, knobs)
    return {**found, **_trained_beside(asked, knobs)}


def points(asked: Asked, knobs: Evaluate) -> Tables:
    """Return the points behind every plot of the task, by the plot's name."""
    return _POINTS[asked.spec.task](asked, knobs)


def pictures(asked: Asked, drawn: Drawn) -> Pictures:
    """Return the pictures of the task, by name."""
    return _PICTURES[asked.spec.task](asked, drawn)


def value_of(metrics: Mapping[str, Interval], name: str) -> float | None:
    """Return a metric's value; None where it is undefined."""
    value = metrics[name]["value"]
    return value if isinstance(value, float) else None


def ends_of(metrics: Mapping[str, Interval], name: str) -> tuple[float, float] | None:
    """Return the ends of a metric's interval; None where there is none."""
    low, high = metrics[name]["low"], metrics[name]["high"]
    return (low, high) if isinstance(low, float) and isinstance(high, float) else None


def _fitted(asked: Asked, knobs: Evaluate) -> dict[str, Answer]:
    return fit_baselines(
        _train(),
        asked.split,
        spec=asked.spec,
        most_rows=knobs.baseline_rows,
        seed=knobs.seed,
        threads=knobs.threads,
    )


def _trained_beside(asked: Asked, knobs: Evaluate) -> dict[str, Answer]:
    """Return the answers of the same network, trained without what it is held against."""
    found = {}
    for name, about in _BESIDE.items():
        graph = artifact("export", "instruments") / graph_of(name)
        if graph.is_file():
            session = Session(graph, threads=knobs.threads, batch_size=knobs.batch_size)
            feeds = split_feeds(asked.split, asked.signature, batch_size=knobs.batch_size)
            output = scores_of(session.stream(feeds), asked.signature)
            found[name] = Answer(output=output, about=about, rows=len(_train()))
    return found


def _detectors(asked: Asked, knobs: Evaluate) -> dict[str, Answer]:
    return detector_answers(
        asked.session,
        asked.signature,
        train=_train(),
        valid=Split(artifact("prepare", "valid")),
        asked=required(asked.reconstructed),
        knobs=knobs,
    )


def _forecasts(asked: Asked, knobs: Evaluate) -> dict[str, Answer]:
    return forecast_baselines(
        _train(), asked.split, spec=asked.spec, most_rows=knobs.baseline_rows, seed=knobs.seed
    )


def _train() -> Split:
    return Split(artifact("prepare", "train"))


def _class_points(asked: Asked, knobs: Evaluate) -> Tables:
    target, output, classes = asked.target, asked.output, asked.spec.classes
    bins = knobs.calibration_bins
    return {
        "confusion": curves.confusion(target=target, output=output, classes=classes),
        "roc": curves.roc(target=target, output=output, classes=classes),
        "pr": curves.precision_recall(target=target, output=output, classes=classes),
        "calibration": curves.calibration(target=target, output=output, bins=bins),
    }


def _label_points(asked: Asked, knobs: Evaluate) -> Tables:
    bins = knobs.calibration_bins
    return label_tables(asked.target, asked.output, labels=asked.spec.classes, bins=bins)


def _tag_points(asked: Asked, knobs: Evaluate) -> Tables:
    is_step = asked.target != IGNORED
    target, output = asked.target[is_step], asked.output[is_step]
    return {"confusion": curves.confusion(target=target, output=output, classes=asked.spec.classes)}


def _class_pictures(asked: Asked, drawn: Drawn) -> Pictures:
    tables, classes = drawn.tables, [str(label) for label in asked.spec.classes]
    actual = tables["confusion"]["actual"]
    share = float((actual == classes[1]).mean()) if len(classes) == 2 else None
    return {
        "confusion": confusion_matrix(tables["confusion"], classes=classes),
        "roc": roc_curve(tables["roc"], area=value_of(drawn.metrics, "roc_auc")),
        "precision_recall": precision_recall_curve(tables["pr"], share=share),
        "calibration": reliability(
            tables["calibration"],
            error=value_of(drawn.metrics, "ece"),
            ends=ends_of(drawn.metrics, "ece"),
        ),
    }


def _tag_pictures(asked: Asked, drawn: Drawn) -> Pictures:
    classes = [str(tag) for tag in asked.spec.classes]
    return {"confusion": confusion_matrix(drawn.tables["confusion"], classes=classes)}


def _anomaly_pictures(asked: Asked, drawn: Drawn) -> Pictures:
    return detection_pictures(
        required(asked.reconstructed),
        drawn.tables,
        spec=asked.spec,
        signature=asked.signature,
        area=value_of(drawn.metrics, "auroc"),
    )


def _forecast_pictures(asked: Asked, drawn: Drawn) -> Pictures:
    return forecast_pictures(asked.split, asked.output, spec=asked.spec, answers=drawn.answers)


_BESIDE = {
    FROM_NOTHING: "the same network and training, from weights of its own: what transfer gains on",
    WITHOUT_SAMPLES: "the same network and training, without samples: what those gain on",
}
_BASELINES: Mapping[Task, Callable[[Asked, Evaluate], dict[str, Answer]]] = {
    "language_modelling": lambda asked, _: count_language(_train(), asked.split, spec=asked.spec),
    "tagging": lambda asked, _: count_tags(_train(), asked.split, spec=asked.spec),
    "forecasting": _forecasts,
    "reconstruction": _detectors,
}
_POINTS: Mapping[Task, Callable[[Asked, Evaluate], Tables]] = {
    "classification": _class_points,
    "multilabel": _label_points,
    "regression": lambda asked, _: {
        "residuals": curves.residuals(target=asked.target, output=asked.output)
    },
    "forecasting": lambda asked, _: {
        "horizon": horizon_table(asked.target, asked.output, spec=asked.spec)
    },
    "language_modelling": lambda asked, _: {},
    "tagging": _tag_points,
    "reconstruction": lambda asked, _: detection_tables(required(asked.reconstructed)),
}
_PICTURES: Mapping[Task, Callable[[Asked, Drawn], Pictures]] = {
    "classification": _class_pictures,
    "multilabel": lambda asked, drawn: label_pictures(drawn.tables),
    "regression": lambda asked, drawn: {
        "residuals": residual_plots(drawn.tables["residuals"], target=asked.spec.target)
    },
    "forecasting": _forecast_pictures,
    "language_modelling": lambda asked, drawn: {},
    "tagging": _tag_pictures,
    "reconstruction": _anomaly_pictures,
}
