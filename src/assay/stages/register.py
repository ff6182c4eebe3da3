"""Reads the graph and all that was found about it; writes receipt.json and card.md."""

from __future__ import annotations

import logging
import os
import random
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from importlib.metadata import version as installed
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from assay.artifacts.files import read_json, read_yaml, write_json, write_text
from assay.artifacts.manifest import artifact
from assay.artifacts.paths import CONFIG, project_root
from assay.artifacts.staging import staged
from assay.data.prepared import ID
from assay.data.spec import Spec
from assay.errors import ExportError
from assay.gate.brief import brief
from assay.gate.card import Facts, card
from assay.gate.compare import Champion, against_champion
from assay.gate.condition import Condition
from assay.gate.decide import Alias, Evidence, alias_for, judge, metric_of
from assay.gate.knobs import Gate
from assay.gate.record import FILE, write_evidence
from assay.inference.predictions import prediction_table
from assay.inference.signature import PREDICTION
from assay.metrics.costs import Decision
from assay.pipeline.registering.champion import ask_again
from assay.pipeline.registering.evidence import contest_of, evidence_of, gate_for
from assay.pipeline.registering.registration import (
    Candidate,
    example_rows,
    raw_rows,
    read_candidate,
    row_ids,
)
from assay.tracking import registry
from assay.tracking.claims import claimed
from assay.tracking.difference import difference
from assay.tracking.looks import count_looks, note_look
from assay.tracking.registry import Version
from assay.tracking.reload import reloaded_outputs
from assay.tracking.run import Tracked, stage_run
from assay.tracking.unfinished import withdraw_unfinished

log = logging.getLogger(__name__)
_ATTEMPTS, _WAIT_SECONDS = 8, (0.1, 1.0)
_SAME = {"rtol": 1e-5, "atol": 1e-6}
_USE = {
    "generation": "mlflow.pyfunc.load_model('{uri}').predict({{'noise': noise}})",
    "language_modelling": "assay continue {uri} 'a text'",
}
_TOLD = ("optimizer", "lr", "weight_decay", "batch_size", "max_epochs", "loss")


@dataclass(frozen=True, kw_only=True)
class Params:
    """What a model must show, and the name under which it is registered."""

    gate: Gate
    name: str


@dataclass(frozen=True, kw_only=True)
class _Verdict:
    alias: Alias
    why: str
    conditions: Sequence[Condition]
    looks: int
    champion: Version | None

    @property
    def is_accepted(self) -> bool:
        return all(condition.passed for condition in self.conditions)

    @property
    def reasons(self) -> list[str]:
        return [self.why, *map(str, self.conditions)]


def run(params: Params) -> None:
    """Register the graph, make sure that it can be loaded, and let the gate decide its alias."""
    with (
        tempfile.TemporaryDirectory() as scratch,
        staged("register") as folder,
        stage_run("register", folder=folder) as tracked,
    ):
        note_look(tracked)
        candidate = read_candidate()
        evidence = evidence_of(candidate, gate=params.gate)
        gate = gate_for(candidate.signature, gate=params.gate)
        conditions = judge(gate, evidence, goal=metric_of(gate, task=candidate.spec.task))
        origin = _origin(Path(scratch), candidate, evidence)
        withdraw_unfinished(params.name, origin=candidate.tags)
        version = _register(params, candidate, tracked, origin=origin)
        with _rejected_on_failure(version):
            _require_same_predictions(version, candidate)
            with registry.alone_with(params.name):
                verdict = _settle(
                    lambda: _decide(params, candidate, conditions),
                    lambda found: _write(found, version, candidate, folder=folder, tracked=tracked),
                    version,
                )
        _track(tracked, version, verdict, candidate, folder=folder)
        for file in origin:
            tracked.log_artifact(file, "origin")


def _values(measured: Mapping[str, Mapping[str, Any]]) -> dict[str, float | None]:
    return {name: found["value"] for name, found in measured.items()}


def _origin(folder: Path, candidate: Candidate, evidence: Evidence) -> list[Path]:
    """Gather what was run: the configuration, the lock, and how the work tree differs."""
    (folder / "changes.diff").write_text(difference(), encoding="utf-8", errors="surrogateescape")
    columns = list(dict.fromkeys(str(part["column"]) for part in candidate.slices))
    write_evidence(folder / FILE, evidence, columns=columns)
    root = project_root()
    kept = [root / "params.yaml", root / "dvc.lock", CONFIG, *sorted(folder.iterdir())]
    return [path for path in kept if path.is_file()]


def _learned() -> list[Path]:
    """Return what another model, or an explanation by gradients, needs to be built on this one."""
    trained = [artifact("train", name) for name in ("weights.safetensors", "effective.yaml")]
    return [*trained, artifact("prepare", "spec.json"), artifact("export", "parity.json")]


def _register(
    params: Params, candidate: Candidate, tracked: Tracked, *, origin: Sequence[Path]
) -> Version:
    return registry.register(
        params.name,
        run_id=tracked.run_id,
        graph=candidate.graph,
        signature=candidate.signature,
        example=example_rows(candidate),
        tags={**candidate.tags, "assay": installed("assay"), **candidate.config["choices"]},
        beside=[*origin, *_learned()],
    )


@contextmanager
def _rejected_on_failure(version: Version) -> Iterator[None]:
    try:
        yield
    except BaseException:
        registry.reject(version)
        raise


def _require_same_predictions(version: Version, candidate: Candidate) -> None:
    measured = pd.read_parquet(artifact("evaluate", "predictions.parquet"))
    outputs = reloaded_outputs(version, raw_rows(candidate))
    found = prediction_table(outputs, candidate.signature)
    wrong = _differing_rows(found, measured)
    if measured[ID].tolist() != row_ids(candidate) or wrong.any():
        raise ExportError(
            f"{version.uri}, loaded in a fresh process, gives other predictions than were "
            f"measured in {int(wrong.sum())} of {len(measured)} test rows: the version is deleted; "
            "run 'dvc repro -f evaluate' and look at the difference"
        )


def _differing_rows(found: pd.DataFrame, measured: pd.DataFrame) -> np.ndarray:
    if len(found) != len(measured):
        return np.ones(len(measured), bool)
    wrong = np.zeros(len(measured), bool)
    for name in found.columns:
        ours, theirs = found[name], measured[name]
        is_label = name == PREDICTION and len(found.columns) > 1
        is_label = is_label or not pd.api.types.is_numeric_dtype(ours)
        same = (
            (ours.astype(str) == theirs.astype(str)).to_numpy()
            if is_label
            else np.isclose(ours.astype(float), theirs.astype(float), equal_nan=True, **_SAME)
        )
        wrong |= ~same
    return wrong


def _decide(params: Params, candidate: Candidate, conditions: Sequence[Condition]) -> _Verdict:
    present = registry.champion_of(params.name)
    looks = count_looks(candidate.tags["test_digest"], graph=candidate.tags["graph_digest"])
    champion = _ask(present, candidate) if present else None
    contest = contest_of(candidate, champion, gate=params.gate, looks=looks)
    every = [*conditions, *against_champion(params.gate, contest)]
    alias, why = alias_for(params.gate, every, experiment=os.environ.get("DVC_EXP_NAME"))
    return _Verdict(alias=alias, why=why, conditions=every, looks=looks, champion=present)


def _ask(present: Version, candidate: Candidate) -> Champion:
    return ask_again(
        present,
        candidate.test,
        signature=candidate.signature,
        test_digest=candidate.tags["test_digest"],
    )


def _settle(
    decide: Callable[[], _Verdict], write: Callable[[_Verdict], None], version: Version
) -> _Verdict:
    """Write receipt and card, then set the alias: a full disk leaves the champion as it was.

    Where the champion moved meanwhile, or another version is about to become it, all is decided again.
    """
    for attempt in range(_ATTEMPTS):
        verdict = decide()
        write(verdict)
        if verdict.alias != registry.CHAMPION:
            registry.set_alias(version, verdict.alias)
            return verdict
        with claimed(version, than=verdict.champion) as is_free:
            if is_free and registry.set_alias(version, verdict.alias):
                return verdict
        time.sleep(random.uniform(*_WAIT_SECONDS) * (1 + attempt))
    why = "challenger, because others were about to become champion at the same moment"
    verdict = replace(verdict, alias="challenger", why=why)
    write(verdict)
    registry.set_alias(version, verdict.alias)
    return verdict


def _write(
    verdict: _Verdict, version: Version, candidate: Candidate, *, folder: Path, tracked: Tracked
) -> None:
    receipt = {
        "name": version.name,
        "version": version.number,
        "alias": verdict.alias,
        "accepted": verdict.is_accepted,
        "reasons": verdict.reasons,
        "run_id": tracked.run_id,
    }
    write_json(folder / "receipt.json", receipt)
    write_text(folder / "card.md", card(_facts(verdict, version, candidate)))


def _facts(verdict: _Verdict, version: Version, candidate: Candidate) -> Facts:
    checks = read_json(artifact("prepare", "checks.json"))
    effective = read_yaml(artifact("train", "effective.yaml"))
    knobs = {key: value for key, value in effective["model"].items() if key != "_target_"}
    told = {key: effective["training"][key] for key in _TOLD if key in effective["training"]}
    samples = effective["training"].get("augmentation", {}).get("samples", {})
    if samples.get("source"):
        told["samples"] = f"{samples['share']:g} of {samples['source']} a row"
    sources = (node.get("source") for node in (effective["model"], samples))
    return Facts(
        name=version.name,
        version=version.number,
        verdict=verdict.why,
        task=candidate.spec.task,
        kind=candidate.spec.kind,
        target=candidate.spec.target,
        classes=candidate.spec.classes,
        inputs=len(candidate.spec.columns),
        choices=candidate.config["choices"],
        rows=checks["split"]["rows"],
        split_by=checks["split"]["by"],
        checks=candidate.checks,
        training={**knobs, **told, "seed": effective["seed"]},
        metrics=candidate.metrics,
        baselines=candidate.baselines,
        comparisons=candidate.comparisons,
        learned=candidate.learned,
        built_on=[str(source) for source in sources if source],
        explanations=candidate.explanations,
        important=candidate.important,
        conditions=verdict.conditions,
        slices=candidate.slices,
        fairness=candidate.fairness,
        ahead=_ahead(candidate.spec),
        window=candidate.spec.forecast.window if candidate.spec.forecast else 0,
        tags=candidate.tags,
        calibration=candidate.parity.get("calibration", {}),
        decision=_decision(candidate),
        looks=verdict.looks,
        confidence=candidate.config["evaluate"]["confidence"],
    )


def _decision(candidate: Candidate) -> str:
    found = candidate.parity.get("decision")
    return Decision(**found).words(candidate.signature.classes) if found else ""


def _ahead(spec: Spec) -> str:
    of = spec.forecast
    return f"{of.horizon} steps of `{'`, `'.join(of.series)}`" if of else ""


def _track(
    tracked: Tracked, version: Version, verdict: _Verdict, candidate: Candidate, *, folder: Path
) -> None:
    metrics = {k: v for k, v in _values(candidate.metrics).items() if v is not None}
    words = "accepted" if verdict.is_accepted else "rejected by the gate"
    told = {"verdict": f"{words}; {verdict.why}", "model_version": version.uri}
    told["test_looks"] = str(verdict.looks)
    registry.tell_looks(version, split=candidate.tags["test_digest"], looks=verdict.looks)
    shown = {f"test_{name}": f"{value:.6g}" for name, value in metrics.items()}
    text = (folder / "card.md").read_text(encoding="utf-8")
    short = brief(text, length=registry.DESCRIPTION_LENGTH)
    registry.describe(version, text=short, tags={**told, **shown})
    tracked.set_tags({**told, "alias": verdict.alias})
    tracked.log_parent(tags={**told, "alias": verdict.alias})
    for name in ("receipt.json", "card.md"):
        tracked.log_artifact(folder / name)
    log.info("%s: %s", version.uri, verdict.why)
    for condition in verdict.conditions:
        if not condition.passed:
            log.info("  %s", condition)
    use = _USE.get(candidate.spec.task, "assay predict {uri} IN.csv -o OUT.csv")
    log.info("look: assay ui; use: %s", use.format(uri=version.uri))
