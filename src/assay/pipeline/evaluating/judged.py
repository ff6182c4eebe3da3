"""Samples as a judge sees them, for whoever has its graph."""

from __future__ import annotations

import numpy as np

from assay.artifacts.manifest import artifact
from assay.data.prepared import Split
from assay.inference.feeds import draw_noise
from assay.inference.session import Session
from assay.inference.signature import IMAGE, Signature
from assay.metrics.generation import (
    balls_around,
    opinion,
    spread,
)

JUDGE = "judge.onnx"
_SAMPLES = 1000


def look(judge: Session, images: np.ndarray, classes: int) -> tuple[np.ndarray, np.ndarray]:
    """Return features and class probabilities of uint8 images."""
    (found,) = judge.run({IMAGE: images}).values()
    return opinion(found, classes=classes)


def covered_rows(session: Session, signature: Signature, *, test: Split) -> np.ndarray:
    """Return 1 for each test row that some of 1000 samples come near, 0 for the others, (rows,).

    As the judge of the present export sees them, so that two generators can be compared.
    """
    judge, classes = Session(artifact("export", "instruments") / JUDGE), len(signature.classes)
    noise = draw_noise(signature, rows=_SAMPLES, seed=0)
    features, _ = look(judge, session.run(noise)[IMAGE], classes)
    real, _ = look(judge, test.whole()[IMAGE], classes)
    return spread(balls_around(real), features).covered
