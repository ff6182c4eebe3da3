"""What the gate is told: the evidence of the earlier stages, and a contest with the champion."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import binom

from assay.baselines.names import named_baselines
from assay.data.prepared import Split
from assay.gate.compare import Champion, Contest
from assay.gate.decide import Evidence, metric_of
from assay.gate.knobs import Gate
from assay.inference.feeds import split_feeds
from assay.inference.session import Session
from assay.inference.signature import Signature
from assay.metrics.knobs import Evaluate
from assay.metrics.objective import Objective
from assay.metrics.slices import parts
from assay.pipeline.evaluating.dependence import prepared_dependence
from assay.pipeline.registering.champion import graph_answers
from assay.pipeline.registering.registration import Candidate

_REQUESTS = 200
_WARM = 10
_QUANTILE = 0.95
_CONFIDENCE = 0.95
_COVERAGE = Objective(name="coverage", direction="maximize")
"""Of what is measured of samples, it alone is known row by row."""


def gate_for(signature: Signature, *, gate: Gate) -> Gate:
    """Return the gate with the baselines of this task and kind of data by their own names."""
    names = named_baselines(gate.baselines, task=signature.task, kind=signature.kind)
    return replace(gate, baselines=names)


def evidence_of(candidate: Candidate, *, gate: Gate) -> Evidence:
    """Return what the earlier stages found; latency is measured where the gate bounds it."""
    bounded = gate.latency_ms is not None
    return Evidence(
        metrics=candidate.metrics,
        baselines=candidate.baselines,
        beside=candidate.beside,
        difference=candidate.parity["largest_difference"],
        tolerance=candidate.parity["tolerance"],
        explanations=candidate.trust,
        warnings=[f"{c['name']}: {c['found']}" for c in candidate.checks if c["status"] != "ok"],
        latency_ms=latency_ms(candidate.graph, candidate.test, candidate.signature)
        if bounded
        else None,
        size_bytes=candidate.graph.stat().st_size,
    )


def contest_of(
    candidate: Candidate, champion: Champion | None, *, gate: Gate, looks: int
) -> Contest:
    """Return candidate and champion on the present test rows."""
    ours = graph_answers(candidate.graph, candidate.test, signature=candidate.signature)
    return contest(
        candidate.signature,
        candidate.test,
        ours=ours,
        champion=champion,
        gate=gate,
        looks=looks,
        columns=[str(part["column"]) for part in candidate.slices],
        config=candidate.config,
    )


def contest(
    signature: Signature,
    test: Split,
    *,
    ours: np.ndarray,
    champion: Champion | None,
    gate: Gate,
    looks: int,
    columns: Sequence[str],
    config: Mapping[str, Any],
) -> Contest:
    """Return a contest on a split, sliced by those of ``columns`` that its rows have."""
    knobs, task = _knobs(config), signature.task
    return Contest(
        task=task,
        target=np.asarray(test.target),
        ours=ours,
        champion=champion,
        goal=_COVERAGE if task == "generation" else metric_of(gate, task=task),
        looks=looks,
        slices=dict(_slices(test, columns, knobs)) if champion else {},
        knobs=knobs,
        classes=tuple(signature.classes),
        naive=signature.naive,
        costs=signature.costs,
        dependence=prepared_dependence(test.rows()),
    )


def _knobs(config: Mapping[str, Any]) -> Evaluate:
    told = config.get("evaluate", {})
    names = ("resamples", "seed", "calibration_bins", "slice_rows")
    return Evaluate(**{name: told[name] for name in names if name in told})


def _slices(
    test: Split, columns: Sequence[str], knobs: Evaluate
) -> Iterator[tuple[str, np.ndarray]]:
    rows = test.rows()
    named = tuple(dict.fromkeys(name for name in columns if name in rows.columns))
    for column, value, here in parts(rows, named):
        if here.sum() >= knobs.slice_rows:
            yield f"{column} {value}", here


def latency_ms(graph: Path, test: Split, signature: Signature) -> tuple[float, float, float]:
    """Return the 95th percentile of requests of one row in milliseconds, with its 95 % interval.

    The interval is that of order statistics (David and Nagaraja 2003, Order Statistics, section
    7.1, doi:10.1002/0471722162), over 200 requests after ten that warm up.
    """
    session = Session(graph, threads=1)
    rows = list(split_feeds(test, signature, batch_size=1))[:_REQUESTS]
    seconds = []
    for number in range(_WARM + _REQUESTS):
        start = time.perf_counter()
        session.run(rows[number % len(rows)])
        seconds.append(time.perf_counter() - start)
    taken = np.sort(seconds[_WARM:]) * 1000
    low, high = binom.interval(_CONFIDENCE, _REQUESTS, _QUANTILE)
    ends = (taken[max(0, int(low) - 1)], taken[min(_REQUESTS - 1, int(high))])
    return float(np.quantile(taken, _QUANTILE)), float(ends[0]), float(ends[1])
