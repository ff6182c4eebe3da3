"""A generator as one graph, from noise to uint8 images, and its judge as another."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from assay.data.spec import Spec, required
from assay.errors import ExportError
from assay.export.calibration import Calibration
from assay.export.core import core_graph
from assay.export.exported import Exported
from assay.export.graph import whole_graph
from assay.export.knobs import Export
from assay.export.parity import Parity
from assay.export.scorer import Scorer
from assay.inference.feeds import draw_noise
from assay.inference.session import Session
from assay.inference.signature import IMAGE, NOISE, signature_of
from assay.layers.adversaries import latent_of
from assay.layers.judge import Opinion
from assay.layers.network import Network

JUDGE = "judge.onnx"
_ROWS, _EXAMPLE = 256, 3


class _Asked(nn.Module):
    """The judge with its inputs by position."""

    def __init__(self, judge: Network) -> None:
        super().__init__()
        self.opinion = Opinion(judge).eval()

    def forward(self, *tensors: Tensor) -> Tensor:
        """Return features and probabilities side by side."""
        found: Tensor = self.opinion(tensors[0])
        return found


def export_generator(network: Network, *, spec: Spec, knobs: Export) -> Exported:
    """Return the graph of a generator with averaged weights, and beside it that of its judge.

    Agreement is the share of pixels that differ, over images of 256 draws: levels are rounded, so a
    pixel may differ by one where the two lie at either side of a half. Raises ExportError when more
    than ``knobs.tolerance`` of them differ, or one by more than a level.
    """
    network.eval()
    signature = signature_of(spec, latent=latent_of(network))
    scorer = Scorer(network, names=(NOISE,))
    noise = draw_noise(signature, rows=_ROWS, seed=0)
    example = {NOISE: torch.from_numpy(noise[NOISE][:_EXAMPLE])}
    core = core_graph(scorer, example=example, opset=knobs.opset)
    model = whole_graph(core, spec=spec, signature=signature).SerializeToString(deterministic=True)
    with torch.inference_mode():
        expected = scorer(torch.from_numpy(noise[NOISE])).numpy()
    found = Session(model).run(noise)[IMAGE]
    return Exported(
        model=model,
        signature=signature,
        calibration=Calibration(),
        parity=_parity(found, expected, tolerance=knobs.tolerance),
        instruments={JUDGE: export_judge(required(network.judge), spec=spec, knobs=knobs)},
    )


def export_judge(judge: Network, *, spec: Spec, knobs: Export) -> bytes:
    """Return the graph of a judge, from uint8 images to features and class probabilities."""
    image = required(spec.image)
    example = torch.zeros(_EXAMPLE, image.channels, image.height, image.width, dtype=torch.uint8)
    graph = core_graph(_Asked(judge), example={IMAGE: example}, opset=knobs.opset)
    return bytes(graph.SerializeToString(deterministic=True))


def _parity(found: np.ndarray, expected: np.ndarray, *, tolerance: float) -> Parity:
    difference = np.abs(found.astype(np.int64) - expected.astype(np.int64))
    share = float(np.mean(difference > 0))
    if share > tolerance or difference.max() > 1:
        raise ExportError(
            f"the graph differs from the network in {share:.2%} of the pixels, by up to "
            f"{difference.max()} levels, and export.tolerance allows {tolerance:.3g} by one"
        )
    return Parity(
        largest_difference=share,
        unit="share of pixels that differ",
        rows=len(found),
        tolerance=tolerance,
    )
