"""A registered version to be explained: its graph, its rows, and its network where that still answers alike."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from assay.config.load import load
from assay.data.prepared import Split
from assay.data.spec import Spec, read_spec
from assay.errors import AssayError
from assay.inference.feeds import split_feeds
from assay.inference.signature import read_signature
from assay.pipeline.explaining.account import Explained, predict_of
from assay.pipeline.explaining.insight import Opened, answers_of, opened
from assay.pipeline.fitting.effective import Effective
from assay.tracking.registry import GRAPH, SIGNATURE

_COMPARED = 64
_DIFFERENCE = (
    1e-3  # of what predictions differ by at most: far above parity, far below another network's
)


def of_version(folder: Path, *, train: Split, test: Split) -> Explained:
    """Return what is explained of a version's fetched files and its restored rows.

    Its network is opened where its weights lie beside the graph, this checkout's code can build it, and
    it answers as the graph does; else the graph alone is asked, without gradients.
    """
    origin = folder / "origin"
    spec = read_spec(origin / "spec.json") if (origin / "spec.json").is_file() else None
    of = Explained(
        graph=folder / GRAPH,
        signature=read_signature(folder / SIGNATURE),
        train=train,
        test=test,
        spec=spec,
    )
    network = _opened(origin, spec) if spec else None
    if network is None or not _answers_alike(network, of):
        return of
    return Explained(**{**vars(of), "network": network})


def _opened(origin: Path, spec: Spec) -> Opened | None:
    names = ("effective.yaml", "weights.safetensors", "parity.json")
    effective, weights, parity = (origin / name for name in names)
    if not all(path.is_file() for path in (effective, weights, parity)):
        return None
    try:
        made = load(Effective, effective)
        return opened(made.model, spec, weights=weights, parity=parity, seed=made.seed)
    except AssayError:
        return None


def _answers_alike(network: Opened, of: Explained) -> bool:
    feeds = next(split_feeds(of.test, of.signature, batch_size=_COMPARED))
    own, wanted = answers_of(network)(feeds), predict_of(of)(feeds)
    reach = float(np.abs(wanted).max(initial=0.0)) or 1.0
    return own.shape == wanted.shape and bool(np.abs(own - wanted).max() < _DIFFERENCE * reach)
