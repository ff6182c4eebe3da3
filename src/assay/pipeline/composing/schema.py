"""Which knobs stand under which key of the configuration; imports nothing heavy."""

from __future__ import annotations

from assay.explanation.knobs import Explain
from assay.export.knobs import Export
from assay.gate.knobs import Gate
from assay.metrics.knobs import Evaluate
from assay.training.knobs import Training
from assay.training.repeats import Repeats
from assay.tuning.knobs import Search

SCHEMA: dict[str, type] = {
    "training": Training,
    "search": Search,
    "repeats": Repeats,
    "export": Export,
    "evaluate": Evaluate,
    "explain": Explain,
    "gate": Gate,
}
