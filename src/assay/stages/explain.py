"""Reads export/, train/ and test/; writes importance, attributions, pictures and faithfulness."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from assay.artifacts.files import staged, write_json
from assay.artifacts.paths import stage_folder
from assay.data.prepared import Split
from assay.explanation.faithfulness import LOCAL_R2, TRUSTWORTHY
from assay.explanation.knobs import Explain
from assay.explanation.outcome import Outcome, explain_subject, explained_values, faithfulness
from assay.explanation.sources import Feeds, ImageSources
from assay.explanation.subject import Subject, subject_of
from assay.explanation.tables import (
    attribution_table,
    cell_levels,
    cell_texts,
    importance_table,
)
from assay.figures.explanation import (
    Contributions,
    Headline,
    beeswarm,
    class_maps,
    image_row,
    importance_bars,
    importance_map,
    table_row,
)
from assay.inference.feeds import split_feeds
from assay.inference.predictions import scores_of
from assay.inference.session import Session
from assay.inference.signature import Signature, read_signature
from assay.tracking.run import Tracked, stage_run

log = logging.getLogger(__name__)
_BATCH = 4096
_DIGITS = "%.6g"
_MOST_CLASSES = 20


@dataclass(frozen=True, kw_only=True)
class Params:
    """How much is explained."""

    explain: Explain


def run(params: Params) -> None:
    """Explain test rows through the exported graph by SHAP and LIME, and score the explanations."""
    knobs = params.explain
    with staged("explain") as folder, stage_run("explain", folder=folder) as tracked:
        signature, subject, outcome = _explain(knobs)
        scores = faithfulness(outcome, subject, knobs=knobs)
        _write(folder, signature, subject, outcome=outcome, scores=scores)
        _draw(folder / "pictures", signature, subject, outcome=outcome, top=knobs.top)
        _track(tracked, folder, outcome=outcome, scores=scores)


def _explain(knobs: Explain) -> tuple[Signature, Subject, Outcome]:
    export, prepared = stage_folder("export"), stage_folder("prepare")
    signature = read_signature(export / "signature.json")
    session = Session(export / "model.onnx", batch_size=_BATCH)
    train, test = Split(prepared / "train"), Split(prepared / "test")

    def predict(feeds: Feeds) -> np.ndarray:
        scores = scores_of(session.run(feeds), signature)
        return scores.reshape(len(scores), -1)

    outputs = session.stream(split_feeds(test, signature, batch_size=_BATCH))
    scores = scores_of(outputs, signature)
    subject = subject_of(
        signature=signature,
        train=train,
        test=test,
        output=scores.reshape(len(scores), -1),
        predict=predict,
        knobs=knobs,
    )
    return signature, subject, explain_subject(predict, subject, knobs=knobs)


def _write(
    folder: Path,
    signature: Signature,
    subject: Subject,
    *,
    outcome: Outcome,
    scores: dict[str, Any],
) -> None:
    importance_table(outcome, subject.sources).to_csv(
        folder / "importance.csv", index=False, float_format=_DIGITS
    )
    outputs = _output_names(signature)
    attribution_table(outcome, subject, outputs=outputs).to_parquet(
        folder / "attributions.parquet", index=False
    )
    write_json(folder / "faithfulness.json", scores)
    for name, words in _verdicts(scores).items():
        log.info("%s: %s", name, words)


def _draw(
    folder: Path, signature: Signature, subject: Subject, *, outcome: Outcome, top: int
) -> None:
    folder.mkdir()
    if isinstance(subject.sources, ImageSources):
        _draw_images(folder, signature, subject, outcome=outcome)
    else:
        _draw_tables(folder, signature, subject, outcome=outcome, top=top)


def _draw_tables(
    folder: Path, signature: Signature, subject: Subject, *, outcome: Outcome, top: int
) -> None:
    names, found = subject.sources.names, outcome.importance
    importance_bars(
        folder / "importance.png",
        names=names,
        mean=found.mean,
        low=found.low,
        high=found.high,
        unit=_amount(signature),
        top=top,
    )
    shown, explained = _common_output(signature, subject)
    beeswarm(
        folder / "summary.png",
        names=names,
        values=explained_values(outcome.sample.values, shown),
        levels=cell_levels(subject.sources, subject.sample),
        explained=explained,
        top=top,
    )
    for row in subject.chosen.tolist():
        cells = cell_texts(subject.sources, row)
        table_row(
            folder / _file_name(subject, row),
            headline=_headline(signature, subject, row),
            names=[f"{n} = {text}" for n, text in zip(names, cells, strict=True)],
            found=_contributions(signature, subject, outcome, row),
            top=top,
        )


def _draw_images(folder: Path, signature: Signature, subject: Subject, *, outcome: Outcome) -> None:
    sources = subject.sources
    assert isinstance(sources, ImageSources)  # the caller has looked
    grey = _images(sources, subject.sample).mean(axis=1)
    importance_map(
        folder / "importance.png",
        mean=outcome.importance.mean[sources.patch_of],
        backdrop=grey.mean(axis=0),
        unit=_amount(signature),
    )
    if signature.task == "classification":
        given = subject.explained_output[subject.sample]
        present = np.unique(given)[:_MOST_CLASSES]
        class_maps(
            folder / "classes.png",
            maps=np.stack(
                [
                    outcome.sample.values[given == k, :, k].mean(axis=0)[sources.patch_of]
                    for k in present
                ]
            ),
            backdrops=np.stack([grey[given == k].mean(axis=0) for k in present]),
            names=[str(signature.classes[k]) for k in present],
        )
    for row in subject.chosen.tolist():
        flat = _contributions(signature, subject, outcome, row)
        image_row(
            folder / _file_name(subject, row),
            headline=_headline(signature, subject, row),
            image=_picture(_images(sources, np.array([row]))[0]),
            found=Contributions(
                **{
                    **vars(flat),
                    "shap": flat.shap[sources.patch_of],
                    "lime": flat.lime[sources.patch_of],
                }
            ),
        )


def _images(sources: ImageSources, rows: np.ndarray) -> np.ndarray:
    return next(iter(sources.feeds(sources.codes[rows]).values()))


def _picture(image: np.ndarray) -> np.ndarray:
    return np.moveaxis(image, 0, -1) if len(image) == 3 else image.mean(axis=0)


def _contributions(
    signature: Signature, subject: Subject, outcome: Outcome, row: int
) -> Contributions:
    output = int(subject.explained_output[row])
    name = _output_names(signature)[output]
    return Contributions(
        shap=outcome.chosen.values[row, :, output],
        lime=outcome.surrogates[row].values,
        fit=_fit(outcome.surrogates[row].r2),
        base=float(outcome.chosen.base[output]),
        output=float(subject.output[row, output]),
        unit=f"probability of {name}" if signature.classes else name,
    )


def _fit(r2: float) -> str:
    return f"local R² {r2:.2f}" + (", a weak fit" if r2 < LOCAL_R2 else "")


def _headline(signature: Signature, subject: Subject, row: int) -> Headline:
    output, target = subject.output[row], subject.targets[row]
    subtitle = f"row {subject.ids[row]}: {subject.picks[row].reason}"
    if not signature.classes:
        subtitle += " · orange raises the prediction, blue lowers it"
        return Headline(title=f"Predicted {output[0]:.4g}, truly {target:.4g}", subtitle=subtitle)
    code = int(subject.explained_output[row])
    name = str(signature.classes[code])
    truth = "rightly" if name == str(target) else f"truly {target}"
    subtitle += f" · orange speaks for {name}, blue against it"
    return Headline(title=f"Predicted {name} ({output[code]:.1%}), {truth}", subtitle=subtitle)


def _common_output(signature: Signature, subject: Subject) -> tuple[np.ndarray, str]:
    """Choose what a summary of many rows explains: a value, the second of two classes, or each its own."""
    rows = len(subject.sample)
    if not signature.classes:
        return np.zeros(rows, dtype=int), signature.outputs[0].name
    if len(signature.classes) == 2:
        return np.ones(rows, dtype=int), f"the probability of {signature.classes[1]}"
    return subject.explained_output[subject.sample], "the predicted class's probability"


def _output_names(signature: Signature) -> list[str]:
    return [str(c) for c in signature.classes] or [signature.outputs[0].name]


def _amount(signature: Signature) -> str:
    return "probability" if signature.classes else "the target's unit"


def _file_name(subject: Subject, row: int) -> str:
    words = re.sub(r"[^A-Za-z0-9]+", "-", subject.picks[row].reason).strip("-").lower()
    return f"row-{row + 1:02d}-{words}.png"


def _verdicts(scores: Mapping[str, Any]) -> dict[str, str]:
    return {name: scores[name]["verdict"] for name in ("shap", "lime", "agreement")}


def _track(tracked: Tracked, folder: Path, *, outcome: Outcome, scores: Mapping[str, Any]) -> None:
    shap, lime = scores["shap"], scores["lime"]
    tracked.log_metrics(
        {
            "shap_additivity_error": shap["additivity_error"]["largest"],
            "shap_additivity_error_relative": shap["additivity_error"]["relative"],
            "shap_repeatability": shap["repeatability"]["median"],
            "lime_r2": lime["r2"]["median"],
            "lime_r2_min": lime["r2"]["min"],
            "shap_lime_agreement": scores["agreement"]["median"],
            "model_evaluations": shap["evaluations"] + lime["evaluations"],
            **{f"{name}_seconds": seconds for name, seconds in outcome.seconds.items()},
        }
    )
    verdicts = _verdicts(scores)
    tracked.set_tags({f"explanation_{name}": words for name, words in verdicts.items()})
    is_good = all(words == TRUSTWORTHY for words in verdicts.values())
    tracked.set_tags({"explanation": TRUSTWORTHY if is_good else "weak: see faithfulness.json"})
    for path in sorted((folder / "pictures").iterdir()):
        tracked.log_artifact(path, "pictures")
    for name in ("importance.csv", "attributions.parquet", "faithfulness.json"):
        tracked.log_artifact(folder / name)
