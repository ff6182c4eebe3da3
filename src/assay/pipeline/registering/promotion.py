"""Ask the gate about a version that is registered already, on the present test rows."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from assay.artifacts.files import read_json, read_yaml
from assay.artifacts.manifest import artifact
from assay.data.prepared import Split
from assay.errors import ExportError
from assay.gate.compare import Champion, against_champion
from assay.gate.condition import Condition
from assay.gate.decide import judge, metric_of
from assay.gate.knobs import Gate
from assay.gate.record import FILE, read_evidence
from assay.inference.signature import Signature, read_signature
from assay.metrics.scores import score
from assay.pipeline.registering.champion import ask_again, graph_answers
from assay.pipeline.registering.evidence import contest, gate_for, latency_ms
from assay.tracking import registry
from assay.tracking.looks import count_looks
from assay.tracking.registry import Version


@dataclass(frozen=True, kw_only=True)
class PresentTest:
    """The sealed test split as it lies here."""

    rows: Split
    digest: str


def present_test() -> PresentTest:
    """Return the test split of ``artifacts/``; ArtifactError where there is none."""
    digests = read_json(artifact("prepare", "digests.json"))
    return PresentTest(rows=Split(artifact("prepare", "test")), digest=digests["test"])


def gate_of(version: Version, *, gate: Gate) -> list[Condition]:
    """Return every condition of the gate on a version, beside the present champion."""
    test = present_test()
    with tempfile.TemporaryDirectory() as scratch:
        folder = registry.fetch(version, Path(scratch))
        signature = read_signature(folder / registry.SIGNATURE)
        evidence, columns = read_evidence(folder / "origin" / FILE)
        graph = folder / registry.GRAPH
        ours = graph_answers(graph, test.rows, signature=signature)
        if gate.latency_ms is not None:
            taken = latency_ms(graph, test.rows, signature)
            evidence = replace(evidence, latency_ms=taken)
        config = read_yaml(folder / "origin" / "config.yaml")
    champion = _champion(version, test, signature)
    looks = count_looks(test.digest, graph=version.tags.get("graph_digest", ""))
    fight = contest(
        signature,
        test.rows,
        ours=ours,
        champion=champion,
        gate=gate,
        looks=looks,
        columns=columns,
        config=config,
    )
    goal = metric_of(gate, task=signature.task)
    return [
        *judge(gate_for(signature, gate=gate), evidence, goal=goal),
        _sealed(version, test),
        *against_champion(gate, fight),
    ]


def _champion(version: Version, test: PresentTest, signature: Signature) -> Champion | None:
    present = registry.champion_of(version.name)
    if present is None or present.number == version.number:
        return None
    return ask_again(present, test.rows, signature=signature, test_digest=test.digest)


def _sealed(version: Version, test: PresentTest) -> Condition:
    """A version of another split may have learned from some of these rows."""
    is_same = version.tags.get("test_digest") == test.digest
    return Condition(
        name="the present test rows were sealed from it",
        wanted=f"a test split of digest {test.digest[:12]}",
        found=version.tags.get("test_digest", "none")[:12],
        passed=is_same,
        reason="" if is_same else "it may have learned from some of the present rows",
    )


def scores_here(version: Version, test: PresentTest) -> tuple[Signature, np.ndarray]:
    """Return a version's signature and what it says of the present test rows."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = registry.fetch(version, Path(scratch))
        signature = read_signature(folder / registry.SIGNATURE)
        return signature, graph_answers(folder / registry.GRAPH, test.rows, signature=signature)


def metrics_here(version: Version, test: PresentTest) -> dict[str, float]:
    """Return every metric of a version on a test split."""
    signature, output = scores_here(version, test)
    if not len(test.rows):
        raise ExportError("the test split has no row")
    target = np.asarray(test.rows.target)
    return score(
        signature.task,
        target=target,
        output=output,
        classes=signature.classes,
        naive=signature.naive,
        costs=signature.costs,
    )
