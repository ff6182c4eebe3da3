"""Make the graph, from a trained network to bytes whose agreement is measured."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor

from assay.data.prepared import Split
from assay.data.spec import Spec
from assay.export.calibration import Calibration, fit_temperature
from assay.export.core import core_graph
from assay.export.exported import Exported
from assay.export.generator import export_generator
from assay.export.graph import whole_graph
from assay.export.knobs import Export
from assay.export.parity import measure_parity
from assay.export.scorer import Scorer, answers, errors_of, logits
from assay.inference.signature import signature_of
from assay.layers.network import Network
from assay.metrics.costs import Decision, costs_of, fit_decision
from assay.metrics.threshold import Threshold, fit_threshold, label_thresholds

_EXAMPLE_ROWS = 3
_HALF = 0.5
_CALIBRATED = frozenset({"classification", "multilabel"})


def export(network: Network, *, spec: Spec, valid: Split, knobs: Export) -> Exported:
    """Return the graph of a trained network; ``valid`` calibrates and measures it.

    Raises ExportError when the graph cannot be made, or differs from the network.
    """
    if network.judge is not None:
        return export_generator(network, spec=spec, knobs=knobs)
    network.eval()
    calibration = _calibration(network, spec=spec, valid=valid, knobs=knobs)
    scorer = Scorer(network, names=tuple(valid.inputs), temperature=calibration.temperature)
    threshold = _threshold(scorer, valid, knobs=knobs)
    decision = _decision(scorer, valid, spec=spec, knobs=knobs)
    signature = signature_of(
        spec,
        threshold=threshold.value if threshold else None,
        thresholds=_label_thresholds(scorer, valid, spec=spec, knobs=knobs),
        weights=decision.weights if decision else (),
        costs=decision.costs if decision else (),
    )
    core = core_graph(scorer, example=_example(valid), opset=knobs.opset)
    model = whole_graph(core, spec=spec, signature=signature).SerializeToString(deterministic=True)
    parity = measure_parity(
        model, scorer, spec=spec, signature=signature, valid=valid, tolerance=knobs.tolerance
    )
    return Exported(
        model=model,
        signature=signature,
        calibration=calibration,
        parity=parity,
        threshold=threshold,
        decision=decision,
    )


def _calibration(network: Network, *, spec: Spec, valid: Split, knobs: Export) -> Calibration:
    if knobs.calibrate == "none" or spec.task not in _CALIBRATED:
        return Calibration()
    return fit_temperature(logits(network, valid), np.asarray(valid.target))


def _threshold(scorer: Scorer, valid: Split, *, knobs: Export) -> Threshold | None:
    if not scorer.network.is_paired:
        return None
    scores = errors_of(answers(scorer, valid))
    return fit_threshold(scores, np.asarray(valid.target), false_alarms=knobs.false_alarms)


def _decision(scorer: Scorer, valid: Split, *, spec: Spec, knobs: Export) -> Decision | None:
    if not knobs.costs:
        return None
    costs = costs_of(knobs.costs, task=spec.task, classes=spec.classes)
    return fit_decision(answers(scorer, valid), np.asarray(valid.target), costs=costs)


def _label_thresholds(
    scorer: Scorer, valid: Split, *, spec: Spec, knobs: Export
) -> tuple[float, ...]:
    if spec.task != "multilabel":
        return ()
    if knobs.decide == "half":
        return (_HALF,) * len(spec.classes)
    return label_thresholds(answers(scorer, valid), np.asarray(valid.target))


def _example(split: Split) -> Mapping[str, Tensor]:
    """A few rows, the longest among them, since a size of one would be taken for a fixed one."""
    longest = int(split.lengths.argmax())
    rows = (longest + np.arange(_EXAMPLE_ROWS)) % len(split)
    return {name: torch.from_numpy(array) for name, array in split.batch(rows).items()}
