"""Reads export/, weights, train/ and test/; writes importance, attributions, pictures and faithfulness."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assay.artifacts.files import write_json
from assay.artifacts.manifest import artifact
from assay.artifacts.staging import staged
from assay.explanation.faithfulness import TRUSTWORTHY
from assay.explanation.knobs import Explain
from assay.explanation.outcome import Outcome
from assay.explanation.tables import (
    attribution_table,
    importance_table,
)
from assay.explanation.trust import all_verdicts
from assay.inference.session import Session
from assay.inference.signature import Signature, read_signature
from assay.pipeline.explaining.account import Account, account_of, last_run, predict_of
from assay.pipeline.explaining.page import write_page
from assay.pipeline.explaining.portraits import draw_explanations
from assay.pipeline.explaining.prototypes import draw_prototypes
from assay.pipeline.explaining.walking import (
    draw_walks,
    walk,
    walk_faithfulness,
    walk_importance,
    walk_table,
    walk_words,
    write_walk_page,
)
from assay.pipeline.explaining.whole import Whole, draw_whole, nothing
from assay.pipeline.explaining.words import output_names
from assay.tracking.run import Tracked, stage_run

log = logging.getLogger(__name__)
_LONG_SECONDS = 60
_BATCH = 256
_DIGITS = "%.6g"


@dataclass(frozen=True, kw_only=True)
class Params:
    """How much is explained."""

    explain: Explain


def run(params: Params) -> None:
    """Explain test rows through the exported graph by SHAP and LIME, and score the explanations."""
    knobs = params.explain
    with staged("explain") as folder, stage_run("explain", folder=folder) as tracked:
        signature = read_signature(artifact("export", "signature.json"))
        if signature.task == "generation":
            _explain_generator(signature, knobs, folder=folder, tracked=tracked)
            return
        of, started = last_run(knobs), time.monotonic()
        found = account_of(knobs, of=of)
        _tell_cost(knobs, seconds=time.monotonic() - started)
        subject, outcome, whole = found.subject, found.outcome, found.whole
        _write(folder, found)
        _write_whole(folder, whole)
        draw_explanations(folder / "pictures", found, top=knobs.top)
        draw_whole(
            folder / "pictures", signature, subject, outcome=outcome, whole=whole, top=knobs.top
        )
        if of.network is not None:
            place = folder / "pictures" / "prototypes.png"
            draw_prototypes(place, of.network, of=signature, train=of.train, predict=predict_of(of))
        write_page(folder / "explanations.html", found, pictures=folder / "pictures")
        _track(tracked, folder, outcome=outcome, scores=found.scores)


def _explain_generator(
    signature: Signature, knobs: Explain, *, folder: Path, tracked: Tracked
) -> None:
    """Move through the noise of a generator: there is no row whose prediction could be explained."""
    session = Session(artifact("export", "model.onnx"), batch_size=_BATCH)
    found = walk(session, signature, knobs=knobs)
    scores = walk_faithfulness(found)
    walk_importance(found).to_csv(folder / "importance.csv", index=False, float_format=_DIGITS)
    walk_table(found).to_parquet(folder / "attributions.parquet", index=False)
    write_json(folder / "faithfulness.json", scores)
    _write_whole(folder, nothing())
    draw_walks(folder / "pictures", found)
    write_walk_page(folder / "explanations.html", scores, pictures=folder / "pictures")
    log.info(walk_words(scores["walks"]))
    tracked.log_metrics({"walk_jump": scores["walks"]["jump"]})
    tracked.set_tags({"explanation": scores["walks"]["verdict"]})
    _track_files(tracked, folder)


def _write(folder: Path, found: Account) -> None:
    importance_table(found.outcome, found.subject.sources, errors=found.whole.errors).to_csv(
        folder / "importance.csv", index=False, float_format=_DIGITS
    )
    attribution_table(
        found.outcome,
        found.subject,
        outputs=output_names(found.signature),
        methods={name: judged.values for name, judged in found.methods.items()},
    ).to_parquet(folder / "attributions.parquet", index=False)
    write_json(folder / "faithfulness.json", found.scores)
    for name, words in _verdicts(found.scores).items():
        log.info("%s: %s", name, words)


def _write_whole(folder: Path, whole: Whole) -> None:
    for name, table in (("groups.csv", whole.groups), ("interactions.csv", whole.pairs)):
        table.to_csv(folder / name, index=False, float_format=_DIGITS)


def _tell_cost(knobs: Explain, *, seconds: float) -> None:
    """Name what would make explanations of a dear graph cheaper."""
    if seconds > _LONG_SECONDS:
        costs = ("samples", "lime_samples", "rows", "score_rows")
        told = ", ".join(f"explain.{name} ({getattr(knobs, name)})" for name in costs)
        log.info(
            "explaining took %.0f s; each of these costs less where it is lower: %s", seconds, told
        )


def _verdicts(scores: Mapping[str, Any]) -> dict[str, str]:
    return all_verdicts(scores)


def _gains(scores: Mapping[str, Any]) -> dict[str, float]:
    found = {name: part.get("against_random") for name, part in scores.items()}
    return {f"{name}_gain": against["gain"] for name, against in found.items() if against}


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
            **{
                f"{name}_gain": found["against_random"]["gain"]
                for name, found in scores.items()
                if "against_random" in found
            },
            "model_evaluations": shap["evaluations"] + lime["evaluations"],
            **{f"{name}_seconds": seconds for name, seconds in outcome.seconds.items()},
        }
    )
    verdicts = _verdicts(scores)
    tracked.set_tags({f"explanation_{name}": words for name, words in verdicts.items()})
    is_good = all(words == TRUSTWORTHY for words in verdicts.values())
    tracked.set_tags({"explanation": TRUSTWORTHY if is_good else "weak: see faithfulness.json"})
    _track_files(tracked, folder)


def _track_files(tracked: Tracked, folder: Path) -> None:
    for path in sorted((folder / "pictures").iterdir()):
        tracked.log_artifact(path, "pictures")
    for name in (
        "importance.csv",
        "groups.csv",
        "interactions.csv",
        "attributions.parquet",
        "faithfulness.json",
        "explanations.html",
    ):
        tracked.log_artifact(folder / name)
