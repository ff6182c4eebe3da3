"""What an export gives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from assay.export.calibration import Calibration
from assay.export.parity import Parity
from assay.inference.signature import Signature
from assay.metrics.costs import Decision
from assay.metrics.threshold import Threshold


@dataclass(frozen=True, kw_only=True)
class Exported:
    """The serialized graph, what it takes and gives, and how it was measured.

    ``instruments`` are further graphs, by file name, that later stages measure it with.
    """

    model: bytes
    signature: Signature
    calibration: Calibration
    parity: Parity
    threshold: Threshold | None = None
    decision: Decision | None = None
    instruments: Mapping[str, bytes] = field(default_factory=dict)
