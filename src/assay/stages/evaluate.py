"""Reads model.onnx, test, train, history.csv; writes metrics, predictions, baselines, pictures."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from assay.artifacts.files import read_yaml, write_json, write_text
from assay.artifacts.manifest import artifact
from assay.artifacts.staging import staged
from assay.baselines.beside import WITHOUT_SAMPLES
from assay.baselines.fit import Answer
from assay.baselines.verdict import gain_words
from assay.data.prepared import Split
from assay.data.spec import Spec, read_spec
from assay.figures.style import Figure
from assay.inference.session import Session
from assay.inference.signature import read_signature
from assay.metrics.data_size import repeat_words
from assay.metrics.decisions import weighed
from assay.metrics.fitting import Circumstances, judge_fitting
from assay.metrics.intervals import Interval, Resampled, resample
from assay.metrics.knobs import Evaluate
from assay.metrics.objective import Objective, objective
from assay.pipeline.evaluating.assessment import (
    Asked,
    Drawn,
    ask,
    baselines,
    pictures,
    points,
)
from assay.pipeline.evaluating.gallery import (
    baseline_sets,
    class_slices,
    gain_of_samples,
    gallery,
    generator_sets,
    measured,
    sample_table,
    sampling_pictures,
    sampling_words,
)
from assay.pipeline.evaluating.report import (
    baseline_report,
    beside_baselines,
    headline,
    known_values,
    save_pictures,
    verdicts_of,
    write_tables,
)
from assay.pipeline.evaluating.review import no_review, review
from assay.pipeline.evaluating.sampling import sample_text
from assay.pipeline.evaluating.slicing import (
    fairness_of,
    slices_of,
    slicing_pictures,
    slicing_words,
)
from assay.pipeline.fitting.instruments import WITH_SAMPLES, graph_of
from assay.tracking.looks import note_look, tell_looks
from assay.tracking.run import Tracked, stage_run

log = logging.getLogger(__name__)

_LOGGED = (
    "metrics.json",
    "baselines.json",
    "slices.json",
    "fairness.json",
    "verdict.json",
    "errors.html",
    "errors.csv",
)


@dataclass(frozen=True, kw_only=True)
class Params:
    """How the test split is scored."""

    evaluate: Evaluate


def run(params: Params) -> None:
    """Score the exported graph on the sealed test split, beside the baselines."""
    knobs = params.evaluate
    with staged("evaluate") as folder, stage_run("evaluate", folder=folder) as tracked:
        note_look(tracked)
        spec = read_spec(artifact("prepare", "spec.json"))
        if spec.task == "generation":
            _evaluate_generator(spec, knobs, folder=folder, tracked=tracked)
            return
        asked = ask(knobs)
        asked.predictions.to_parquet(folder / "predictions.parquet", index=False)
        ours = _resampled(asked, asked.output, knobs)
        answers = baselines(asked, knobs)
        theirs = {
            name: _resampled(asked, weighed(a.output, asked.signature.costs), knobs)
            for name, a in answers.items()
        }
        metrics = ours.intervals()
        write_json(folder / "metrics.json", metrics)
        slices, treated = slices_of(asked, knobs), fairness_of(asked, knobs)
        write_json(folder / "slices.json", slices)
        write_json(folder / "fairness.json", treated)
        verdicts = verdicts_of(asked.spec, ours, theirs)
        write_json(folder / "baselines.json", baseline_report(answers, ours, theirs, verdicts))
        reviewed = review(asked, page=folder / "errors.html")
        reviewed.table.to_csv(folder / "errors.csv", index=False, float_format="%.6g")
        goal = objective(asked.spec.task)
        fitting = judge_fitting(_history(), _circumstances(asked.spec, goal, theirs))
        said = {"fitting": fitting, **slicing_words(slices, treated)}
        repeated = repeat_words(pd.read_csv(artifact("train", "repeats.csv")), goal)
        samples = _samples_words(ours, theirs.get(WITHOUT_SAMPLES))
        more_words = {"confusion": reviewed.words, "repeats": repeated, "samples": samples}
        said |= {name: words for name, words in more_words.items() if words}
        write_json(folder / "verdict.json", {"baselines": verdicts, **said})
        tables = points(asked, knobs)
        write_tables(tables, folder / "plots")
        beside = {"model": metrics, **{name: r.intervals() for name, r in theirs.items()}}
        drawn = Drawn(tables=tables, metrics=metrics, answers=answers)
        more = {
            **slicing_pictures(asked, slices, treated, metrics=metrics),
            **reviewed.pictures,
        }
        _draw(asked, drawn, beside, more, folder=folder / "pictures")
        words = [*verdicts.values(), *said.values()]
        _report(metrics, beside, words, folder=folder, tracked=tracked)


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
    verdicts = verdicts_of(spec, ours, theirs)
    gain, told = gain_of_samples(
        seen,
        Session(artifact("export", "instruments") / graph_of(WITH_SAMPLES), threads=knobs.threads),
        test=Split(artifact("prepare", "test")),
        level=knobs.confidence,
    )
    words = f"{sampling_words(ours.values, seen=seen, spec=spec)}; {told}"
    metrics = {**ours.intervals(), "gain_of_samples": gain}
    write_json(folder / "metrics.json", metrics)
    write_json(folder / "slices.json", class_slices(images, seen, spec=spec))
    write_json(folder / "fairness.json", [])
    no_review(folder / "errors.html").to_csv(folder / "errors.csv", index=False)
    write_json(folder / "baselines.json", baseline_report(answers, ours, theirs, verdicts))
    write_json(folder / "verdict.json", {"baselines": verdicts, "fitting": words})
    write_tables({}, folder / "plots")
    beside = {"model": metrics, **{name: r.intervals() for name, r in theirs.items()}}
    (folder / "pictures").mkdir()
    drawn = sampling_pictures(images, seen, spec=spec)
    save_pictures({"baselines": beside_baselines(spec, beside), **drawn}, folder / "pictures")
    _report(metrics, beside, [*verdicts.values(), words], folder=folder, tracked=tracked)


def _resampled(asked: Asked, output: np.ndarray, knobs: Evaluate) -> Resampled:
    spec = asked.spec
    return resample(
        spec.task,
        target=asked.target,
        output=output,
        knobs=knobs,
        classes=spec.classes,
        naive=asked.naive,
        costs=asked.signature.costs,
        dependence=asked.dependence,
    )


def _samples_words(ours: Resampled, without: Resampled | None) -> str:
    """Say what samples of a generator brought; nothing where training had none."""
    if without is None:
        return ""
    knobs = read_yaml(artifact("train", "effective.yaml"))["training"]["augmentation"]["samples"]
    of = f"{knobs['share']:g} samples of {knobs['source']} a training row"
    return gain_words(model=ours, without=without, of=of)


def _history() -> pd.DataFrame:
    return pd.read_csv(artifact("train", "history.csv"))


def _circumstances(spec: Spec, goal: Objective, theirs: Mapping[str, Resampled]) -> Circumstances:
    trivial = theirs["trivial"].values.get(goal.name) if "trivial" in theirs else None
    return Circumstances(
        goal=goal,
        trivial=trivial,
        kind=spec.kind,
        knobs=dict(_flat(read_yaml(artifact("train", "effective.yaml")))),
    )


def _flat(node: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in node.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def _draw(
    asked: Asked,
    drawn: Drawn,
    beside: Mapping[str, Mapping[str, Interval]],
    more: Mapping[str, Figure],
    *,
    folder: Path,
) -> None:
    folder.mkdir()
    save_pictures(
        {"baselines": beside_baselines(asked.spec, beside), **pictures(asked, drawn), **more},
        folder,
    )
    if asked.spec.task == "language_modelling":
        text = sample_text(asked.session, asked.signature, asked.split)
        write_text(folder / "sample.md", text)


def _report(
    metrics: Mapping[str, Interval],
    beside: Mapping[str, Mapping[str, Interval]],
    words: list[str],
    *,
    folder: Path,
    tracked: Tracked,
) -> None:
    tracked.log_metrics(known_values(metrics))
    for name, intervals in beside.items():
        if name != "model":
            known = known_values(intervals)
            tracked.log_metrics({f"{name}_{metric}": value for metric, value in known.items()})
    for picture in sorted((folder / "pictures").iterdir()):
        tracked.log_artifact(picture, "plots")
    for name in _LOGGED:
        tracked.log_artifact(folder / name)
    tracked.log_parent(metrics=known_values(metrics))
    for line in (headline(metrics), *words, tell_looks(tracked)):
        log.info(line)
