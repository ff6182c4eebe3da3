"""What a prediction loses when a feature is hidden, by captum: asked of any callable, also of the graph."""

from __future__ import annotations

import numpy as np
import torch
from captum.attr import FeatureAblation
from torch import Tensor

from assay.explanation.curves import Probe

_TOGETHER = 8192


def occlusion(probe: Probe) -> np.ndarray:
    """Return what each feature's absence takes away, (rows, features), a mean over the background.

    Zeiler and Fergus 2014 (arXiv:1311.2901). Captum's ``FeatureAblation`` is its ``Occlusion`` with
    windows of any form; here a window is a feature: a patch, a segment of a channel, a word, a column.
    What captum hides are source rows' numbers, so the exported graph itself is asked.
    """
    at_once = max(1, _TOGETHER // len(probe.background))
    rows = range(0, len(probe.asked.rows), at_once)
    return np.concatenate([_hidden_in_turn(probe, slice(r, r + at_once)) for r in rows])


def _hidden_in_turn(probe: Probe, part: slice) -> np.ndarray:
    codes, times = torch.from_numpy(probe.sources.codes.astype(np.int64)), len(probe.background)
    rows, outputs = probe.asked.rows[part], torch.from_numpy(probe.asked.outputs[part].astype(int))

    def answer(shown: Tensor) -> Tensor:
        feeds = probe.sources.feeds(shown.numpy())
        return torch.from_numpy(np.asarray(probe.predict(feeds), np.float64))

    found = FeatureAblation(answer).attribute(
        codes[rows].repeat_interleave(times, dim=0),
        baselines=codes[probe.background].repeat(len(rows), 1),
        target=outputs.repeat_interleave(times),
        perturbations_per_eval=max(1, _TOGETHER // (len(rows) * times)),
    )
    return np.asarray(found.reshape(len(rows), times, -1).mean(dim=1).numpy())
