"""Reads weights, effective.yaml, spec, valid; writes model.onnx, signature.json, parity.json."""

from __future__ import annotations

import logging
from dataclasses import asdict, dataclass
from pathlib import Path

from assay.artifacts.files import write_json
from assay.artifacts.manifest import artifact
from assay.artifacts.staging import staged
from assay.config.load import load
from assay.data.prepared import Split
from assay.data.spec import read_spec
from assay.export.export import export
from assay.export.exported import Exported
from assay.export.knobs import Export
from assay.pipeline.effective import Effective
from assay.pipeline.network import load_network
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
        _write(exported, folder)
        _report(exported, folder, tracked)


def _write(exported: Exported, folder: Path) -> None:
    (folder / "model.onnx").write_bytes(exported.model)
    exported.signature.write(folder / "signature.json")
    parity = {**asdict(exported.parity), "calibration": asdict(exported.calibration)}
    if exported.threshold:
        parity["threshold"] = asdict(exported.threshold)
    write_json(folder / "parity.json", parity)
    instruments = folder / "instruments"
    instruments.mkdir()
    write_json(instruments / "list.json", sorted(exported.instruments))
    for name, graph in exported.instruments.items():
        (instruments / name).write_bytes(graph)


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
        f"; temperature {temperature:.2f}" if exported.signature.classes else "",
    )
    if threshold := exported.threshold:
        text = "a row is an anomaly above %.4g (by %s, %d anomalies among the validation rows)"
        log.info(text, threshold.value, threshold.by, threshold.anomalies)
