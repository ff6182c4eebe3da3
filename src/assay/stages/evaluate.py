"""Reads model.onnx, test, train, history.csv; writes metrics, predictions, baselines, pictures."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from assay.artifacts.files import write_json, write_text
from assay.artifacts.manifest import artifact
from assay.artifacts.staging import staged
from assay.baselines.fit import Answer, fit_baselines
from assay.baselines.forecasts import forecast_baselines
from assay.baselines.language import count_language
from assay.baselines.tags import count_tags
from assay.baselines.verdict import compare
from assay.data.prepared import ID, IGNORED, TARGET, Split
from assay.data.spec import Spec, read_spec
from assay.figures.classification import (
    confusion_matrix,
    precision_recall_curve,
    reliability,
    roc_curve,
)
from assay.figures.comparison import forest
from assay.figures.regression import residual_plots
from assay.figures.style import Figure
from assay.inference.feeds import split_feeds
from assay.inference.predictions import prediction_table, scores_of, with_targets
from assay.inference.session import Session
from assay.inference.signature import Signature, read_signature
from assay.metrics import curves
from assay.metrics.fitting import judge_fitting
from assay.metrics.intervals import Interval, Resampled, resample
from assay.metrics.knobs import Evaluate
from assay.metrics.objective import direction
from assay.metrics.slices import score_slices
from assay.pipeline.detection import (
    Reconstructed,
    detection_pictures,
    detection_tables,
    detector_answers,
    reconstructed,
)
from assay.pipeline.forecasting import forecast_pictures, horizon_table, with_truth
from assay.pipeline.gallery import (
    baseline_sets,
    class_slices,
    gallery,
    generator_sets,
    measured,
    sample_table,
    sampling_pictures,
    sampling_words,
)
from assay.pipeline.labelled import label_pictures, label_tables
from assay.pipeline.sampling import sample_text
from assay.tracking.looks import note_look
from assay.tracking.run import Tracked, stage_run

log = logging.getLogger(__name__)
Tables = dict[str, pd.DataFrame]

_COMPARED = {
    "language_modelling": ("perplexity", "log_loss", "bits_per_token"),
    "tagging": ("accuracy", "f1", "span_f1", "log_loss"),
    "classification": ("accuracy", "f1", "roc_auc", "log_loss"),
    "multilabel": ("subset_accuracy", "f1_macro", "average_precision", "log_loss"),
    "regression": ("rmse", "mae", "r2"),
    "reconstruction": ("auroc", "average_precision", "f1", "reconstruction_mse"),
    "forecasting": ("mase", "mae", "rmse", "smape"),
    "generation": ("frechet", "coverage", "density"),
}
_EMPTY: dict[str, tuple[str, ...]] = {
    "confusion": ("actual", "predicted"),
    "roc": ("class", "false_positive_rate", "true_positive_rate", "threshold"),
    "pr": ("class", "recall", "precision", "threshold"),
    "calibration": ("confidence", "accuracy", "rows"),
    "residuals": ("actual", "predicted", "residual"),
    "labels": ("label", "precision", "recall", "f1", "rows"),
    "horizon": ("series", "step", "mase", "mae", "smape", "rmse"),
}


@dataclass(frozen=True, kw_only=True)
class Params:
    """How the test split is scored."""

    evaluate: Evaluate


@dataclass(frozen=True, kw_only=True)
class _Asked:
    """The test rows, and what the graph says about them."""

    spec: Spec
    split: Split
    target: np.ndarray
    output: np.ndarray
    predictions: pd.DataFrame
    session: Session
    signature: Signature
    reconstructed: Reconstructed | None

    @property
    def naive(self) -> tuple[float, ...]:
        """The scale of each series that is forecast."""
        return self.spec.forecast.naive if self.spec.forecast else ()


def run(params: Params) -> None:
    """Score the exported graph on the sealed test split, beside the baselines."""
    knobs = params.evaluate
    with staged("evaluate") as folder, stage_run("evaluate", folder=folder) as tracked:
        note_look(tracked)
        spec = read_spec(artifact("prepare", "spec.json"))
        if spec.task == "generation":
            _evaluate_generator(spec, knobs, folder=folder, tracked=tracked)
            return
        asked = _ask(knobs)
        asked.predictions.to_parquet(folder / "predictions.parquet", index=False)
        ours = _resampled(asked, asked.output, knobs)
        answers = _baselines(asked, knobs)
        theirs = {name: _resampled(asked, a.output, knobs) for name, a in answers.items()}
        metrics = ours.intervals()
        write_json(folder / "metrics.json", metrics)
        write_json(folder / "slices.json", _slices(asked, knobs))
        verdicts = _verdicts(asked.spec, ours, theirs)
        write_json(folder / "baselines.json", _baseline_report(answers, theirs, verdicts))
        fitting = judge_fitting(_history())
        write_json(folder / "verdict.json", {"baselines": verdicts, "fitting": fitting})
        tables = _plot_tables(asked, knobs)
        _write_tables(tables, folder / "plots")
        beside = {"model": metrics, **{name: r.intervals() for name, r in theirs.items()}}
        _draw(asked, tables, beside, folder / "pictures", answers=answers)
        _report(metrics, beside, [*verdicts.values(), fitting], folder=folder, tracked=tracked)


def _evaluate_generator(spec: Spec, knobs: Evaluate, *, folder: Path, tracked: Tracked) -> None:
    """Measure samples of the exported graph against the test rows, as its judge sees both."""
    signature = read_signature(artifact("export", "signature.json"))
    session = Session(artifact("export", "model.onnx"), threads=knobs.threads)
    seen = gallery(
        Session(artifact("export", "instruments") / "judge.onnx", threads=knobs.threads),
        train=Split(artifact("prepare", "train")),
        test=Split(artifact("prepare", "test")),
        classes=len(spec.classes),
        knobs=knobs,
    )
    sets = generator_sets(session, signature, knobs=knobs)
    ours, images = measured(sets, seen, knobs=knobs), sets(0)
    sample_table(images, seen, signature=signature, spec=spec).to_parquet(
        folder / "predictions.parquet", index=False
    )
    answers, theirs = {}, {}
    for name, about, others in baseline_sets(seen, knobs=knobs):
        answers[name] = Answer(output=np.empty(0), about=about, rows=len(seen.train))
        theirs[name] = measured(others, seen, knobs=knobs)
    verdicts = _verdicts(spec, ours, theirs)
    words = sampling_words(ours.values, seen=seen, spec=spec)
    metrics = ours.intervals()
    write_json(folder / "metrics.json", metrics)
    write_json(folder / "slices.json", class_slices(images, seen, spec=spec))
    write_json(folder / "baselines.json", _baseline_report(answers, theirs, verdicts))
    write_json(folder / "verdict.json", {"baselines": verdicts, "fitting": words})
    _write_tables({}, folder / "plots")
    beside = {"model": metrics, **{name: r.intervals() for name, r in theirs.items()}}
    (folder / "pictures").mkdir()
    pictures = sampling_pictures(images, seen, spec=spec)
    _save({"baselines": _forest(spec, beside), **pictures}, folder / "pictures")
    _report(metrics, beside, [*verdicts.values(), words], folder=folder, tracked=tracked)


def _ask(knobs: Evaluate) -> _Asked:
    """Return the graph's answers for the raw inputs of the test split."""
    signature = read_signature(artifact("export", "signature.json"))
    split = Split(artifact("prepare", "test"))
    graph = artifact("export", "model.onnx")
    session = Session(graph, threads=knobs.threads, batch_size=knobs.batch_size)
    outputs = session.stream(split_feeds(split, signature, batch_size=knobs.batch_size))
    output = scores_of(outputs, signature)
    is_paired = signature.task == "reconstruction"
    return _Asked(
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


def _baselines(asked: _Asked, knobs: Evaluate) -> dict[str, Answer]:
    train = Split(artifact("prepare", "train"))
    if asked.reconstructed:
        return detector_answers(
            asked.session,
            asked.signature,
            train=train,
            valid=Split(artifact("prepare", "valid")),
            asked=asked.reconstructed,
            knobs=knobs,
        )
    if asked.spec.task == "language_modelling":
        return count_language(train, asked.split, spec=asked.spec)
    if asked.spec.task == "tagging":
        return count_tags(train, asked.split, spec=asked.spec)
    if asked.spec.forecast:
        return forecast_baselines(
            train, asked.split, spec=asked.spec, most_rows=knobs.baseline_rows, seed=knobs.seed
        )
    return fit_baselines(
        train,
        asked.split,
        spec=asked.spec,
        most_rows=knobs.baseline_rows,
        seed=knobs.seed,
        threads=knobs.threads,
    )


def _resampled(asked: _Asked, output: np.ndarray, knobs: Evaluate) -> Resampled:
    spec = asked.spec
    return resample(
        spec.task,
        target=asked.target,
        output=output,
        knobs=knobs,
        classes=spec.classes,
        naive=asked.naive,
    )


def _slices(asked: _Asked, knobs: Evaluate) -> list[dict[str, Any]]:
    rows = asked.split.rows()
    classes: tuple[str, ...] = ()
    if asked.reconstructed and TARGET in rows:  # which kinds of anomaly are found, and which not
        rows, classes = rows.assign(**{asked.spec.target: rows[TARGET]}), (asked.spec.target,)
    columns = tuple(dict.fromkeys((*classes, *asked.spec.sensitive, *knobs.slices)))
    return score_slices(
        asked.spec.task,
        rows=rows,
        columns=columns,
        target=asked.target,
        output=asked.output,
        knobs=replace(knobs, slices=columns),
        naive=asked.naive,
    )


def _verdicts(spec: Spec, ours: Resampled, theirs: Mapping[str, Resampled]) -> dict[str, str]:
    return {
        name: compare(spec.task, model=ours, baseline=baseline, name=name)
        for name, baseline in theirs.items()
    }


def _baseline_report(
    answers: Mapping[str, Answer], scores: Mapping[str, Resampled], verdicts: Mapping[str, str]
) -> dict[str, Any]:
    return {
        name: {
            "about": answer.about,
            "fitted_rows": answer.rows,
            "note": answer.note,
            "metrics": scores[name].intervals(),
            "verdict": verdicts[name],
        }
        for name, answer in answers.items()
    }


def _history() -> pd.DataFrame:
    return pd.read_csv(artifact("train", "history.csv"))


def _plot_tables(asked: _Asked, knobs: Evaluate) -> Tables:
    """Return the points behind every plot of the task, by the plot's name."""
    if asked.reconstructed:
        return detection_tables(asked.reconstructed)
    target, output, classes = asked.target, asked.output, asked.spec.classes
    if asked.spec.forecast:
        return {"horizon": horizon_table(target, output, spec=asked.spec)}
    if asked.spec.task == "regression":
        return {"residuals": curves.residuals(target=target, output=output)}
    if asked.spec.task == "multilabel":
        bins = knobs.calibration_bins
        return label_tables(target, output, labels=classes, bins=bins)
    if asked.spec.task == "language_modelling":
        return {}
    if asked.spec.task == "tagging":
        is_step = target != IGNORED
        tags: Any = {"target": target[is_step], "output": output[is_step], "classes": classes}
        return {"confusion": curves.confusion(**tags)}
    known: Any = {"target": target, "output": output, "classes": classes}
    return {
        "confusion": curves.confusion(**known),
        "roc": curves.roc(**known),
        "pr": curves.precision_recall(**known),
        "calibration": curves.calibration(
            target=target, output=output, bins=knobs.calibration_bins
        ),
    }


def _write_tables(tables: Tables, folder: Path) -> None:
    """Write the same files for every task, since outputs of a stage are fixed; some are empty."""
    folder.mkdir()
    for name, columns in _EMPTY.items():
        table = tables.get(name, pd.DataFrame(columns=list(columns)))
        table.to_csv(folder / f"{name}.csv", index=False, float_format="%.6g")


def _draw(
    asked: _Asked,
    tables: Tables,
    beside: Mapping[str, Mapping[str, Interval]],
    folder: Path,
    *,
    answers: Mapping[str, Answer],
) -> None:
    folder.mkdir()
    pictures = _of_task(asked, tables, beside["model"], answers=answers)
    _save({"baselines": _forest(asked.spec, beside), **pictures}, folder)
    if asked.spec.task == "language_modelling":
        text = sample_text(asked.session, asked.signature, asked.split)
        write_text(folder / "sample.md", text)


def _forest(spec: Spec, beside: Mapping[str, Mapping[str, Interval]]) -> Figure:
    names = [name for name in _COMPARED[spec.task] if name in beside["model"]]
    better = {n: "less" if direction(n) == "minimize" else "more" for n in names}
    return forest(beside, metrics=better)


def _save(pictures: Mapping[str, Figure], folder: Path) -> None:
    for name, figure in pictures.items():
        figure.savefig(folder / f"{name}.png")


def _of_task(
    asked: _Asked,
    tables: Tables,
    metrics: Mapping[str, Interval],
    *,
    answers: Mapping[str, Answer],
) -> dict[str, Figure]:
    if asked.spec.forecast:
        return forecast_pictures(asked.split, asked.output, spec=asked.spec, answers=answers)
    if asked.reconstructed:
        return detection_pictures(
            asked.reconstructed,
            tables,
            spec=asked.spec,
            signature=asked.signature,
            area=_value(metrics, "auroc"),
        )
    if asked.spec.task == "classification":
        return _of_classes(asked.spec, tables, metrics)
    if asked.spec.task == "multilabel":
        return label_pictures(tables)
    if asked.spec.task == "language_modelling":
        return {}
    if asked.spec.task == "tagging":
        classes = [str(tag) for tag in asked.spec.classes]
        return {"confusion": confusion_matrix(tables["confusion"], classes=classes)}
    return {"residuals": residual_plots(tables["residuals"], target=asked.spec.target)}


def _of_classes(spec: Spec, tables: Tables, metrics: Mapping[str, Interval]) -> dict[str, Figure]:
    classes = [str(label) for label in spec.classes]
    actual = tables["confusion"]["actual"]
    share = float((actual == classes[1]).mean()) if len(classes) == 2 else None
    return {
        "confusion": confusion_matrix(tables["confusion"], classes=classes),
        "roc": roc_curve(tables["roc"], area=_value(metrics, "roc_auc")),
        "precision_recall": precision_recall_curve(tables["pr"], share=share),
        "calibration": reliability(tables["calibration"], error=_value(metrics, "ece")),
    }


def _value(metrics: Mapping[str, Interval], name: str) -> float | None:
    value = metrics[name]["value"]
    return value if isinstance(value, float) else None


def _report(
    metrics: Mapping[str, Interval],
    beside: Mapping[str, Mapping[str, Interval]],
    words: list[str],
    *,
    folder: Path,
    tracked: Tracked,
) -> None:
    tracked.log_metrics(_known(metrics))
    for name, intervals in beside.items():
        if name != "model":
            known = _known(intervals)
            tracked.log_metrics({f"{name}_{metric}": value for metric, value in known.items()})
    for picture in sorted((folder / "pictures").iterdir()):
        tracked.log_artifact(picture, "plots")
    for name in ("metrics.json", "baselines.json", "slices.json", "verdict.json"):
        tracked.log_artifact(folder / name)
    tracked.log_parent(metrics=_known(metrics))
    for line in (_headline(metrics), *words):
        log.info(line)


def _headline(metrics: Mapping[str, Interval]) -> str:
    told = [name for task in _COMPARED.values() for name in task if name in metrics]
    parts = [_told(name, metrics[name]) for name in dict.fromkeys(told)]
    return "on the sealed test split, with intervals: " + ", ".join(part for part in parts if part)


def _told(name: str, found: Interval) -> str:
    values = (found["value"], found["low"], found["high"])
    numbers = [value for value in values if isinstance(value, float)]
    return "" if len(numbers) < 3 else "{} {:.4g} ({:.4g} to {:.4g})".format(name, *numbers)


def _known(intervals: Mapping[str, Interval]) -> dict[str, float]:
    values = {name: _value(intervals, name) for name in intervals}
    return {name: value for name, value in values.items() if value is not None}
