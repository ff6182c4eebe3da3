"""Reads weights, effective.yaml, spec, valid; writes model.onnx, signature.json, parity.json."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from assay.artifacts.files import read_json, write_json
from assay.artifacts.manifest import artifact
from assay.artifacts.staging import staged
from assay.baselines.beside import FROM_NOTHING
from assay.config.load import load
from assay.data.prepared import Split
from assay.data.spec import Spec, read_spec
from assay.export.export import export
from assay.export.exported import Exported
from assay.export.generator import export_judge
from assay.export.knobs import Export
from assay.layers.judge import Judge
from assay.pipeline.fitting.effective import Effective
from assay.pipeline.fitting.instruments import BESIDE, LIST, WITH_SAMPLES, graph_of
from assay.pipeline.fitting.network import load_network
from assay.tracking.run import Tracked, stage_run

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Params:
    """How the graph is made and how closely it must agree with the network."""

    export: Export


def run(params: Params) -> None:
    """Write the trained network as one graph, and measure that it says the same."""
    with staged("export") as folder, stage_run("export", folder=folder) as tracked:
        spec = read_spec(artifact("prepare", "spec.json"))
        effective = load(Effective, artifact("train", "effective.yaml"))
        weights = artifact("train", "weights.safetensors")
        network = load_network(effective.model, spec, weights=weights)
        valid = Split(artifact("prepare", "valid"))
        exported = export(network, spec=spec, valid=valid, knobs=params.export)
        beside = _beside(effective, spec, valid, params.export)
        _write(exported, {**exported.instruments, **beside}, folder)
        _report(exported, folder, tracked)


def _beside(effective: Effective, spec: Spec, valid: Split, knobs: Export) -> dict[str, bytes]:
    """Return the graphs of what was trained beside the network, by file name."""
    folder, found = artifact("train", BESIDE), {}
    for name in read_json(folder / LIST):
        weights = folder / f"{name}.safetensors"
        if name == WITH_SAMPLES:
            judge = load_network(Judge(), replace(spec, task="classification"), weights=weights)
            found[graph_of(name)] = export_judge(judge, spec=spec, knobs=knobs)
        else:
            model: Any = effective.model
            own = model.yardstick() if name == FROM_NOTHING else model
            other = load_network(own, spec, weights=weights)
            found[graph_of(name)] = export(other, spec=spec, valid=valid, knobs=knobs).model
    return found


def _write(exported: Exported, graphs: Mapping[str, bytes], folder: Path) -> None:
    (folder / "model.onnx").write_bytes(exported.model)
    exported.signature.write(folder / "signature.json")
    parity = {**asdict(exported.parity), "calibration": asdict(exported.calibration)}
    if exported.decision:
        parity["decision"] = asdict(exported.decision)
    if exported.threshold:
        parity["threshold"] = asdict(exported.threshold)
    write_json(folder / "parity.json", parity)
    instruments = folder / "instruments"
    instruments.mkdir()
    write_json(instruments / LIST, sorted(graphs))
    for name, graph in graphs.items():
        (instruments / name).write_bytes(graph)


def _is_calibrated(exported: Exported) -> bool:
    """Return whether there are probabilities that a temperature could be for."""
    signature = exported.signature
    return bool(signature.classes) and signature.task != "generation"


def _report(exported: Exported, folder: Path, tracked: Tracked) -> None:
    parity, temperature = exported.parity, exported.calibration.temperature
    tracked.log_metrics(
        {"parity_largest_difference": parity.largest_difference, "temperature": temperature}
    )
    tracked.log_artifact(folder / "signature.json")
    tracked.log_artifact(folder / "parity.json")
    log.info(
        "the graph agrees with the network to %.1e (%s, %d validation rows)%s",
        parity.largest_difference,
        parity.unit,
        parity.rows,
        f"; temperature {temperature:.2f}" if _is_calibrated(exported) else "",
    )
    if decision := exported.decision:
        log.info("classes are decided by costs: %s", decision.words(exported.signature.classes))
    if threshold := exported.threshold:
        text = "a row is an anomaly above %.4g (by %s, %d anomalies among the validation rows)"
        log.info(text, threshold.value, threshold.by, threshold.anomalies)
