"""Ask every method about test rows, and score each: what the explain stage and its verb share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from assay.artifacts.manifest import artifact
from assay.artifacts.paths import output_folder
from assay.config.load import load
from assay.data.prepared import Split
from assay.data.spec import Spec, read_spec
from assay.errors import ConfigError, nearest
from assay.explanation.faithfulness import TRUSTWORTHY
from assay.explanation.knobs import Explain, Method
from assay.explanation.methods import Learned, methods_for
from assay.explanation.outcome import Outcome, explain_subject, explained_values, faithfulness
from assay.explanation.sources import Feeds, Predict
from assay.explanation.subject import Subject, subject_of
from assay.explanation.trust import (
    Judged,
    Stranger,
    agreement_of,
    grounds_of,
    is_left_out,
    joined_verdicts,
    judged,
)
from assay.inference.columns import Columns, inner_of
from assay.inference.feeds import split_feeds
from assay.inference.graph import read_graph
from assay.inference.predictions import explained_of, explained_output
from assay.inference.session import Session
from assay.inference.signature import Signature, read_signature
from assay.pipeline.explaining.insight import (
    Opened,
    learned_of,
    opened,
    stranger_of,
    untrained_pairs,
)
from assay.pipeline.explaining.restored import error_table, errors_of
from assay.pipeline.explaining.whole import Whole, nothing, whole_of
from assay.pipeline.fitting.effective import Effective

# Layers over steps or pixels fill memory; the rows of a table are small.
_BATCH, _BATCH_OF_TABLES = 256, 4096


@dataclass(frozen=True, kw_only=True)
class Explained:
    """A graph and the rows around it; the network that it was made from, where that is at hand.

    ``slices`` are columns by which importance is told apart, ``spec`` what the graph's data was.
    """

    graph: Path
    signature: Signature
    train: Split
    test: Split
    spec: Spec | None = None
    network: Opened | None = None
    slices: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Account:
    """What is explained, what every method said of it, and how far each can be believed.

    ``whole`` is what the sample says beyond importance, nothing where single rows were asked for.
    """

    signature: Signature
    subject: Subject
    outcome: Outcome
    methods: Mapping[Method, Judged]
    scores: Mapping[str, Any]
    whole: Whole


def last_run(knobs: Explain) -> Explained:
    """Return the model of the pipeline's last run, and its rows."""
    spec, test = read_spec(artifact("prepare", "spec.json")), Split(artifact("prepare", "test"))
    require_slices(test, knobs.slices)
    return Explained(
        graph=artifact("export", "model.onnx"),
        signature=read_signature(artifact("export", "signature.json")),
        train=Split(artifact("prepare", "train")),
        test=test,
        spec=spec,
        network=_network(spec),
        slices=(*spec.sensitive, *knobs.slices),
    )


def require_slices(test: Split, names: tuple[str, ...]) -> None:
    """Raise ConfigError for columns that the test rows do not have."""
    known = [str(c) for c in test.rows().columns if not str(c).startswith("__")]
    absent = [name for name in names if name not in known]
    if absent:
        raise ConfigError(
            [f"explain.slices: the data has no column '{n}'{nearest(n, known)}" for n in absent]
        )


def predict_of(of: Explained) -> Predict:
    """Return what asks the graph: from feeds to what is explained, (n, outputs)."""
    return asking(read_graph(of.graph), of.signature)


def asking(model: bytes, signature: Signature) -> Predict:
    """Return what asks a graph for the output that is explained, and for nothing else.

    Rows of known cells enter a table's graph behind its encoders, which have read each cell once.
    """
    only = (explained_output(signature),)
    is_table = signature.kind == "table"
    size = _BATCH_OF_TABLES if is_table else _BATCH
    session = Session(model, batch_size=size)
    columns = [tensor.name for tensor in signature.inputs]
    inner = inner_of(model, columns=columns, outputs=only, batch_size=size) if is_table else None

    def predict(feeds: Feeds) -> np.ndarray:
        if inner is not None and isinstance(feeds, Columns):
            return explained_of(inner.run(feeds), signature)
        return explained_of(session.run(feeds, only=only), signature)

    return predict


def account_of(knobs: Explain, *, of: Explained, asked: np.ndarray | None = None) -> Account:
    """Explain test rows: chosen ones, or those at positions ``asked``."""
    signature, predict = of.signature, predict_of(of)
    session = Session(of.graph, batch_size=_BATCH)
    outputs = session.stream(split_feeds(of.test, signature, batch_size=_BATCH))
    subject = subject_of(
        signature=signature,
        train=of.train,
        test=of.test,
        output=explained_of(outputs, signature),
        knobs=knobs if asked is None else replace(knobs, rows=len(asked)),
        asked=asked,
        slices=of.slices if asked is None else (),
    )
    outcome = explain_subject(predict, subject, knobs=knobs)
    network, learned = of.network, _learned(of, session, subject, knobs=knobs)
    stranger = _stranger(network, subject, knobs=knobs) if network else None
    grounds = grounds_of(predict, subject, stranger=stranger, knobs=knobs)
    said = _said(outcome, subject)
    methods: dict[Method, Judged] = {
        name: judged(name, said.get(name), subject, grounds=grounds, learned=learned, knobs=knobs)
        for name in methods_for(signature.kind, knobs, learned=learned)
    }
    kept = {name: found for name, found in methods.items() if not is_left_out(name, found.scores)}
    return Account(
        signature=signature,
        subject=subject,
        outcome=outcome,
        methods=kept,
        scores=_scores(faithfulness(outcome, subject, knobs=knobs), methods, counts=subject.counts),
        whole=_whole(of, session, subject, outcome=outcome, knobs=knobs)
        if asked is None
        else nothing(),
    )


def _learned(
    of: Explained, session: Session, subject: Subject, *, knobs: Explain
) -> Learned | None:
    if of.signature.task == "reconstruction":
        return errors_of(session.run, of.spec, subject) if of.spec else None
    return learned_of(of.network, subject, knobs=knobs) if of.network else None


def _stranger(network: Opened, subject: Subject, *, knobs: Explain) -> Stranger:
    """Return the network that learned nothing; of a reconstruction with its own error by feature."""
    found = stranger_of(network, subject, knobs=knobs)
    if network.spec.task != "reconstruction":
        return found
    errors = errors_of(untrained_pairs(network), network.spec, subject)
    return replace(found, learned=errors or found.learned)


def _whole(
    of: Explained, session: Session, subject: Subject, *, outcome: Outcome, knobs: Explain
) -> Whole:
    found = whole_of(predict_of(of), of.signature, subject, outcome, knobs=knobs)
    if of.signature.task != "reconstruction" or of.spec is None:
        return found
    return replace(found, errors=error_table(session.run, of.spec, subject, knobs=knobs))


def _network(spec: Spec) -> Opened | None:
    """Open the network; None where the graph did not come from a training in this folder."""
    if not output_folder("train").is_dir():
        return None
    effective = load(Effective, artifact("train", "effective.yaml"))
    return opened(
        effective.model,
        spec,
        weights=artifact("train", "weights.safetensors"),
        parity=artifact("export", "parity.json"),
        seed=effective.seed,
    )


def _said(outcome: Outcome, subject: Subject) -> dict[str, np.ndarray]:
    """Return what SHAP and LIME said of the chosen rows already."""
    outputs = subject.explained_output[: len(subject.chosen)]
    return {
        "shap": explained_values(outcome.chosen.values, outputs),
        "lime": np.stack([s.values for s in outcome.surrogates]),
    }


def _scores(
    known: Mapping[str, Any], methods: Mapping[Method, Judged], *, counts: np.ndarray
) -> dict[str, Any]:
    """Put each method's scores beside what is known of SHAP and LIME; a verdict counts every reason."""
    merged: dict[str, Any] = {}
    kept = {name: found for name, found in methods.items() if not is_left_out(name, found.scores)}
    for name, found in kept.items():
        own = known.get(name, {})
        verdicts = [own.get("verdict", TRUSTWORTHY), found.scores["verdict"]]
        merged[name] = {
            **own,
            **found.scores,
            "verdict": joined_verdicts(verdicts, good=TRUSTWORTHY),
        }
    values: dict[str, np.ndarray] = {name: found.values for name, found in kept.items()}
    between = agreement_of(values, counts=counts)
    agreement = {**known["agreement"], "between": between}
    left_out = {name: found.scores for name, found in methods.items() if name not in kept}
    return {**merged, "agreement": agreement, "rows": known["rows"], "left_out": left_out}
