"""The metrics of each task, over rows that carry weights.

Every metric is written once, for a matrix of weights: (1, rows) of ones gives its value, and the
counts of a bootstrap give all its resamples at a time. An undefined value is NaN.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from assay.data.spec import Task
from assay.metrics.anomaly import anomaly_metrics
from assay.metrics.confusion import from_confusion
from assay.metrics.coverage import coverage_metric
from assay.metrics.decisions import chosen, probabilities
from assay.metrics.forecasts import forecast_metrics
from assay.metrics.multilabel import label_metrics
from assay.metrics.ranking import Metric, Metrics, one_against_rest, ratio
from assay.metrics.spans import is_bio, span_metrics
from assay.metrics.steps import language_metrics, tagging_metrics

DEFAULT_BINS = 15
_SMALLEST_PROBABILITY = float(np.finfo(np.float32).eps)
_NOISE = 1e-12


def score(
    task: Task,
    *,
    target: np.ndarray,
    output: np.ndarray,
    bins: int = DEFAULT_BINS,
    classes: Sequence[object] = (),
    naive: Sequence[float] = (),
    costs: Sequence[float] = (),
) -> dict[str, float]:
    """Return every metric of the task by name; NaN where it is undefined for these rows.

    Classification: ``target`` (N,) codes, ``output`` (N, K) probabilities, or (N, K, 2) with the
    decision behind each (``metrics.decisions``); with ``costs``, of taking a row of that class for
    another, ``cost`` is their mean over the rows. With two classes,
    precision, recall and F1 are those of the second class; with more, means over the classes
    that occur in target or prediction. ROC AUC of more than two classes is the mean of one class
    against the rest (Hand and Till 2001 discuss the choices, doi:10.1023/A:1010920819831).
    Regression: ``target`` and ``output`` (N,) in the target's own unit. Reconstruction: as in
    ``metrics.anomaly.anomaly_metrics``; several labels: as in ``metrics.multilabel.label_metrics``;
    tagging: as in ``metrics.steps.tagging_metrics``, and where ``classes``, the tags in the order of
    their codes, mark spans, as in ``metrics.spans.span_metrics`` too; forecasting: as in
    ``metrics.forecasts.forecast_metrics``, which takes the ``naive`` error of each series.
    """
    metrics = weighted(
        task,
        target=target,
        output=output,
        bins=bins,
        classes=classes,
        naive=naive,
        costs=costs,
    )
    values = metrics(np.ones((1, len(target))))
    return {name: float(value[0]) for name, value in values.items()}


def weighted(
    task: Task,
    *,
    target: np.ndarray,
    output: np.ndarray,
    bins: int = DEFAULT_BINS,
    classes: Sequence[object] = (),
    naive: Sequence[float] = (),
    costs: Sequence[float] = (),
) -> Metrics:
    """Return a function from weights (B, N) to every metric's values (B,), by name."""
    target, output = np.asarray(target), np.asarray(output, np.float64)
    if task == "forecasting":
        return forecast_metrics(target, output, naive)
    if task == "classification":
        return _classification(target, output, bins, costs)
    metrics = _TASKS[task](target, output, bins)
    if task != "tagging" or not is_bio(classes):
        return metrics
    of_spans = span_metrics(target, output, classes=classes)
    return lambda weights: {**metrics(weights), **of_spans(weights)}


def _regression(target: np.ndarray, output: np.ndarray, bins: int) -> Metrics:
    target, output = target.astype(np.float64), output.reshape(-1)
    error = output - target
    centred = target - (target.mean() if len(target) else 0.0)

    def values(weights: np.ndarray) -> dict[str, np.ndarray]:
        total = weights.sum(1)
        squared = weights @ error**2
        mse = ratio(squared, total)
        about_zero = weights @ centred**2
        spread = about_zero - ratio((weights @ centred) ** 2, total)
        spread = np.where(spread > _NOISE * about_zero, spread, 0.0)
        return {
            "mse": mse,
            "mae": ratio(weights @ np.abs(error), total),
            "rmse": np.sqrt(mse),
            "r2": 1.0 - ratio(squared, spread),
        }

    return values


def _classification(
    target: np.ndarray, output: np.ndarray, bins: int, costs: Sequence[float]
) -> Metrics:
    target, rows, classes = target.astype(np.int64), np.arange(len(target)), output.shape[1]
    predicted, output = chosen(output), probabilities(output)
    paid = np.array(costs or [0.0] * classes)[target] * (predicted != target)
    cells = _sums(target * classes + predicted, classes**2)
    likelihood = np.clip(output[rows, target], _SMALLEST_PROBABILITY, 1.0)
    brier = (output**2).sum(1) - 2 * output[rows, target] + 1.0
    gap = _calibration_gap(target, output, bins)
    area = _roc_auc(target, output)

    def values(weights: np.ndarray) -> dict[str, np.ndarray]:
        total = weights.sum(1)
        confusion = cells(weights).reshape(-1, classes, classes)
        return {
            **from_confusion(confusion),
            "roc_auc": area(weights),
            "log_loss": ratio(weights @ -np.log(likelihood), total),
            "ece": ratio(gap(weights), total),
            "brier": ratio(weights @ brier, total),
            **({"cost": ratio(weights @ paid, total)} if costs else {}),
        }

    return values


def _calibration_gap(target: np.ndarray, output: np.ndarray, bins: int) -> Metric:
    """Expected calibration error of the top label, times the number of rows.

    Equal-width bins of the winning probability, half open but for the last; in each the absolute
    difference of mean probability and accuracy (Naeini et al. 2015, doi:10.1609/aaai.v29i1.9602;
    Guo et al. 2017, arXiv:1706.04599).
    """
    confidence = output.max(1)
    excess = confidence - (output.argmax(1) == target)
    by_bin = _sums(calibration_bin(confidence, bins), bins)

    def gap(weights: np.ndarray) -> np.ndarray:
        return np.asarray(np.abs(by_bin(weights * excess)).sum(1))

    return gap


def calibration_bin(confidence: np.ndarray, bins: int) -> np.ndarray:
    """Return the number, from 0, of the equal-width bin that each confidence falls into."""
    edges = np.linspace(0.0, 1.0, bins + 1)
    return np.clip(np.searchsorted(edges, confidence, side="right") - 1, 0, bins - 1)


def _roc_auc(target: np.ndarray, output: np.ndarray) -> Metric:
    classes = range(1, 2) if output.shape[1] == 2 else range(output.shape[1])
    areas = [one_against_rest(target == k, output[:, k]) for k in classes]

    def mean(weights: np.ndarray) -> np.ndarray:
        return np.asarray(np.mean([area(weights) for area in areas], axis=0))

    return mean


def _sums(group: np.ndarray, groups: int) -> Metric:
    """Return a function from weights (B, N) to their sums by group (B, groups)."""
    order = np.argsort(group, kind="stable")
    found, starts = np.unique(group[order], return_index=True)

    def sums(weights: np.ndarray) -> np.ndarray:
        result = np.zeros((len(weights), groups))
        if len(found):
            result[:, found] = np.add.reduceat(weights[:, order], starts, axis=1)
        return result

    return sums


_TASKS: Mapping[Task, Callable[[np.ndarray, np.ndarray, int], Metrics]] = {
    "multilabel": label_metrics,
    "regression": _regression,
    "language_modelling": language_metrics,
    "tagging": tagging_metrics,
    "reconstruction": anomaly_metrics,
    "generation": coverage_metric,
}
