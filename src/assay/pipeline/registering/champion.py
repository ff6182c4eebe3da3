"""Ask the present champion again, on the test rows that the new version was measured on."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np

from assay.data.prepared import Split
from assay.data.spec import OF_STEPS
from assay.errors import AssayError, ExportError
from assay.gate.compare import Champion
from assay.inference.feeds import split_feeds
from assay.inference.predictions import scores_of
from assay.inference.session import Session
from assay.inference.signature import Signature, read_signature
from assay.pipeline.evaluating.judged import covered_rows
from assay.tracking import registry
from assay.tracking.registry import Version

_BATCH = 256


def ask_again(present: Version, test: Split, *, signature: Signature, test_digest: str) -> Champion:
    """Return what a version says of the test rows, its classes in the order of ``signature``.

    Where it cannot be run on them, or predicts something else, the note says why.
    """
    try:
        output = answers_of(present, test, signature=signature)
    except AssayError as error:
        head, *problems = str(error).split("\n  - ")
        note = " ".join(f"{head} {'; '.join(problems)}".split())
        return Champion(version=present.number, output=None, note=note)
    is_other = present.tags.get("test_digest") != test_digest
    note = "the champion comes from another split and may have learned from some of these rows"
    return Champion(version=present.number, output=output, note=note if is_other else "")


def answers_of(version: Version, test: Split, *, signature: Signature) -> np.ndarray:
    """Return the scores of a registered version for a split, as the metrics take them.

    Raises ExportError where it predicts something else than ``signature``, and DataError where
    the split has not what it takes.
    """
    with tempfile.TemporaryDirectory() as scratch:
        folder = registry.fetch(version, Path(scratch))
        theirs = read_signature(folder / registry.SIGNATURE)
        if (theirs.task, set(theirs.classes)) != (signature.task, set(signature.classes)):
            raise ExportError(
                f"it predicts {_answers(theirs)}, the new version {_answers(signature)}"
            )
        if theirs.text and signature.text and theirs.text.tokenizer != signature.text.tokenizer:
            raise ExportError("it reads other tokens than the new version")
        if _ahead(theirs) != _ahead(signature):
            raise ExportError(f"it forecasts {_ahead(theirs)}, the new version {_ahead(signature)}")
        output = graph_answers(folder / registry.GRAPH, test, signature=theirs)
    if theirs.classes and theirs.classes != signature.classes:
        places = [theirs.classes.index(label) for label in signature.classes]
        output = output.take(places, axis=2 if signature.task in OF_STEPS else 1)
    return output


def graph_answers(graph: Path, test: Split, *, signature: Signature) -> np.ndarray:
    """Return the scores of a graph for a split, as the metrics take them; covered rows for samples."""
    session = Session(graph)
    session.require(signature)
    if signature.task == "generation":
        return covered_rows(session, signature, test=test)
    outputs = session.stream(split_feeds(test, signature, batch_size=_BATCH))
    return scores_of(outputs, signature)


def _ahead(signature: Signature) -> str:
    of = signature.forecast
    return f"{of.horizon} steps of {', '.join(of.series)}" if of else ""


def _answers(signature: Signature) -> str:
    return ", ".join(map(str, signature.classes)) or _NUMBERS.get(signature.task, "a number")


_NUMBERS = {"reconstruction": "whether a row is an anomaly"}
