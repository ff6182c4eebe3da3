"""Ask the present champion again, on the test rows that the new version was measured on."""

from __future__ import annotations

import tempfile
from pathlib import Path

from assay.errors import AssayError, ExportError
from assay.gate.decide import Champion
from assay.inference.feeds import split_feeds
from assay.inference.predictions import scores_of
from assay.inference.session import Session
from assay.inference.signature import Signature, read_signature
from assay.metrics.scores import score
from assay.pipeline.registration import Candidate
from assay.tracking import registry
from assay.tracking.registry import Version

_BATCH = 256


def ask_again(present: Version, candidate: Candidate, *, metric: str) -> Champion:
    """Score the champion on the present test rows, or say why it cannot be run on them."""
    try:
        value = _score_of(present, candidate, metric=metric)
    except AssayError as error:
        return Champion(version=present.number, value=None, note=" ".join(str(error).split()))
    is_other = present.tags.get("test_digest") != candidate.tags["test_digest"]
    note = "the champion comes from another split and may have learned from some of these rows"
    return Champion(version=present.number, value=value, note=note if is_other else "")


def _score_of(present: Version, candidate: Candidate, *, metric: str) -> float:
    with tempfile.TemporaryDirectory() as scratch:
        folder = registry.fetch(present, Path(scratch))
        signature = read_signature(folder / registry.SIGNATURE)
        ours = candidate.signature
        if (signature.task, set(signature.classes)) != (ours.task, set(ours.classes)):
            raise ExportError(
                f"it predicts {_answers(signature)}, the new version {_answers(ours)}"
            )
        session = Session(folder / registry.GRAPH)
        session.require(signature)
        outputs = session.stream(split_feeds(candidate.test, signature, batch_size=_BATCH))
    output = scores_of(outputs, signature)
    if signature.classes:
        output = output[:, [signature.classes.index(label) for label in ours.classes]]
    return score(ours.task, target=candidate.test.target, output=output)[metric]


def _answers(signature: Signature) -> str:
    return ", ".join(map(str, signature.classes)) or "a number"
