"""What is to be registered: the graph, and all that the earlier stages found about it."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from assay.artifacts.files import digest, read_json, read_yaml
from assay.artifacts.manifest import artifact
from assay.artifacts.paths import project_root
from assay.data.prepared import ID, Split
from assay.data.spec import Spec, read_spec
from assay.inference.feeds import draw_noise, frame_feeds
from assay.inference.signature import Signature, read_signature
from assay.tracking.revision import revision_tags

_EXAMPLE_ROWS = 3
_MOST = 5


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """The model as the earlier stages left it."""

    config: Mapping[str, Any]
    spec: Spec
    signature: Signature
    graph: Path
    test: Split
    metrics: Mapping[str, Mapping[str, Any]]
    baselines: Mapping[str, Mapping[str, Mapping[str, Any]]]
    beside: Mapping[str, Mapping[str, Mapping[str, Any]]]
    comparisons: Sequence[str]
    learned: Sequence[str]
    slices: Sequence[Mapping[str, Any]]
    fairness: Sequence[Mapping[str, Any]]
    parity: Mapping[str, Any]
    explanations: Mapping[str, Mapping[str, Any]]
    important: Sequence[Mapping[Hashable, Any]]
    checks: Sequence[Mapping[str, Any]]
    tags: Mapping[str, str]

    @property
    def trust(self) -> dict[str, str]:
        """The verdict on each method of explanation, in words."""
        return {name: found["verdict"] for name, found in self.explanations.items()}


def read_candidate() -> Candidate:
    """Read what the earlier stages wrote; ArtifactError where something is missing."""
    baselines = read_json(artifact("evaluate", "baselines.json"))
    faithfulness = read_json(artifact("explain", "faithfulness.json"))
    config, graph = artifact("compose", "config.yaml"), artifact("export", "model.onnx")
    return Candidate(
        config=read_yaml(config),
        spec=read_spec(artifact("prepare", "spec.json")),
        signature=read_signature(artifact("export", "signature.json")),
        graph=graph,
        test=Split(artifact("prepare", "test")),
        metrics=read_json(artifact("evaluate", "metrics.json")),
        baselines={name: found["metrics"] for name, found in baselines.items()},
        beside={name: found["difference"] for name, found in baselines.items()},
        comparisons=[found["verdict"] for found in baselines.values()],
        learned=_learned(read_json(artifact("evaluate", "verdict.json"))),
        slices=read_json(artifact("evaluate", "slices.json")),
        fairness=read_json(artifact("evaluate", "fairness.json")),
        parity=read_json(artifact("export", "parity.json")),
        explanations={
            name: found
            for name, found in faithfulness.items()
            if isinstance(found, Mapping) and "verdict" in found
        },
        important=pd.read_csv(artifact("explain", "importance.csv"), nrows=_MOST).to_dict(
            "records"
        ),
        checks=read_json(artifact("prepare", "checks.json"))["checks"],
        tags=_provenance(graph, config),
    )


def _learned(verdict: Mapping[str, Any]) -> list[str]:
    """Return how the training went: over- or underfitting, other seeds, fewer rows, made-up ones."""
    return [verdict[name] for name in ("fitting", "repeats", "samples") if name in verdict]


def _provenance(graph: Path, config: Path) -> dict[str, str]:
    digests = read_json(artifact("prepare", "digests.json"))
    revision = revision_tags()
    lock = project_root() / "dvc.lock"
    return {
        "data_digest": digests["data"],
        "test_digest": digests["test"],
        "config_digest": digest(config),
        "graph_digest": digest(graph),
        "dvc_lock_digest": digest(lock) if lock.is_file() else "none",
        "git_commit": revision.get("mlflow.source.git.commit", "none"),
        "git_dirty": revision.get("git.dirty", "unknown"),
    }


def example_rows(candidate: Candidate) -> pd.DataFrame | dict[str, np.ndarray]:
    """Return a few test rows in the form of ``raw_rows``; a single one where rows are arrays."""
    if candidate.signature.task == "generation":
        return draw_noise(candidate.signature, rows=1, seed=0)
    if candidate.signature.kind == "table":
        return pd.DataFrame(frame_feeds(candidate.test.rows(), candidate.signature)).head(
            _EXAMPLE_ROWS
        )
    return candidate.test.batch(np.arange(1))


def raw_rows(candidate: Candidate) -> pd.DataFrame | dict[str, np.ndarray]:
    """Return the test rows as a user would give them: a frame of columns, or arrays by name.

    For a generator, the noise of the samples that were measured.
    """
    if candidate.signature.task == "generation":
        knobs = candidate.config["evaluate"]
        return draw_noise(candidate.signature, rows=knobs["samples"], seed=knobs["seed"])
    if candidate.signature.kind == "table":
        return pd.DataFrame(frame_feeds(candidate.test.rows(), candidate.signature))
    return candidate.test.whole()


def row_ids(candidate: Candidate) -> list[object]:
    """Return what the rows of ``raw_rows`` are called."""
    if candidate.signature.task == "generation":
        return list(range(candidate.config["evaluate"]["samples"]))
    return candidate.test.rows()[ID].tolist()
