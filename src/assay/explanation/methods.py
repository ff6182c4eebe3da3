"""The methods that can be asked, which of them fit a kind of data, and why."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from assay.data.spec import Kind
from assay.explanation.coalitions import in_line, kernel_shap, on_grid, partition_shap
from assay.explanation.curves import Asked, Probe
from assay.explanation.knobs import Explain, Method
from assay.explanation.occlusion import occlusion
from assay.explanation.shapley import explain
from assay.explanation.sources import ImageSources, Predict
from assay.explanation.subject import Subject
from assay.explanation.surrogate import Question

Attribute = Callable[[Asked], np.ndarray]
_PERMUTATIONS = 2
GRADIENTS: frozenset[Method] = frozenset(
    {"integrated_gradients", "saliency", "gradient_shap", "deep_shap"}
)
INNER: frozenset[Method] = GRADIENTS | {"attention_rollout", "reconstruction_error"}
"""Look further than at answers: into the network, or at what a graph gives back."""
UNSIGNED: frozenset[Method] = frozenset({"saliency", "attention_rollout"})
ADDITIVE: frozenset[Method] = frozenset(
    {
        "shap",
        "kernel_shap",
        "partition_shap",
        "integrated_gradients",
        "gradient_shap",
        "deep_shap",
        "reconstruction_error",
    }
)
PROVISIONAL: frozenset[Method] = frozenset({"deep_shap"})
"""Used only where they add up."""

TITLES: Mapping[Method, str] = {
    "shap": "SHAP",
    "lime": "LIME",
    "occlusion": "Occlusion",
    "integrated_gradients": "Integrated gradients",
    "saliency": "Saliency",
    "kernel_shap": "Kernel SHAP",
    "partition_shap": "Partition SHAP",
    "deep_shap": "Deep SHAP",
    "attention_rollout": "Attention rollout",
    "gradient_shap": "Gradient SHAP",
    "reconstruction_error": "Reconstruction error",
}
REASONS: Mapping[Method, str] = {
    "shap": "permutation SHAP on the exported graph: needs nothing but answers, takes any mix of "
    "columns, and adds up to the prediction",
    "lime": "a linear model around the row: a second opinion that shares no code with SHAP",
    "occlusion": "what is lost when one feature alone is hidden, by captum on the exported graph: the "
    "plainest question there is",
    "integrated_gradients": "gradients on the ways from the background: the network's own account, "
    "and adds up to the prediction",
    "saliency": "the gradient's size: where the network is most easily moved, without a direction",
    "kernel_shap": "SHAP values by a regression on coalitions: another way to the same values, for few "
    "columns an exact one",
    "partition_shap": "Owen values on the exported graph: neighbours join before the rest does, so words "
    "that belong together count together; nothing is drawn by chance",
    "deep_shap": "SHAP values by DeepLIFT's rules, passed back layer by layer: used only where they "
    "add up",
    "attention_rollout": "what a transformer's answer is made of, by its attention through all layers: "
    "without a direction",
    "gradient_shap": "SHAP values from the network's gradients: cheap where there are many features",
    "reconstruction_error": "the score itself, feature by feature, less what is usual in training rows: "
    "exact, but a feature can come back badly because another one is odd",
}
_KINDS: Mapping[Kind, tuple[Method, ...]] = {
    "table": ("shap", "lime", "occlusion", "integrated_gradients"),
    "image": (
        "shap",
        "lime",
        "occlusion",
        "integrated_gradients",
        "saliency",
        "attention_rollout",
    ),
    "sequence": ("shap", "lime", "occlusion", "integrated_gradients", "attention_rollout"),
    "text": ("shap", "lime", "occlusion", "partition_shap", "attention_rollout"),
}


@dataclass(frozen=True, kw_only=True)
class Learned:
    """Methods that look further than at answers, asked by name for source rows: (rows, features)."""

    methods: frozenset[Method]
    attribute: Callable[[Method, Asked], np.ndarray]


def methods_for(kind: Kind, knobs: Explain, *, learned: Learned | None) -> list[Method]:
    """Return the methods to ask: those of ``explain.methods``, else the usual ones of the kind.

    SHAP and LIME are always among them; what looks into the network is left out where none is at
    hand, or where it has nothing to look at: no gradients (texts), no attention. The error by feature
    is usual for reconstructions alone.
    """
    offered = learned.methods if learned else frozenset()
    usual = (*_KINDS[kind], "reconstruction_error")
    asked: dict[Method, None] = dict.fromkeys(("shap", "lime", *(knobs.methods or usual)))
    return [name for name in asked if name not in INNER or name in offered]


def attributions(
    name: Method, predict: Predict, subject: Subject, *, learned: Learned | None, knobs: Explain
) -> Attribute:
    """Return a function that asks the method about source rows: (rows, features)."""
    if name in INNER and learned is not None:
        return lambda asked: learned.attribute(name, asked)
    if name == "shap":
        return lambda asked: _shap(predict, subject, asked, knobs=knobs)
    if name == "lime":
        return lambda asked: _lime(predict, subject, asked, knobs=knobs)
    if name == "kernel_shap":
        return lambda asked: kernel_shap(_probe(predict, subject, asked), seed=knobs.seed)
    if name == "partition_shap":
        sources = subject.sources
        halves = on_grid(sources.grid[1]) if isinstance(sources, ImageSources) else in_line
        return lambda asked: partition_shap(_probe(predict, subject, asked), halves=halves)
    return lambda asked: occlusion(_probe(predict, subject, asked))


def _probe(predict: Predict, subject: Subject, asked: Asked) -> Probe:
    return Probe(
        predict=predict, sources=subject.sources, asked=asked, background=subject.background
    )


def _shap(predict: Predict, subject: Subject, asked: Asked, *, knobs: Explain) -> np.ndarray:
    found = explain(
        predict,
        subject.sources,
        rows=asked.rows,
        background=subject.background,
        permutations=_PERMUTATIONS,
        seed=knobs.seed,
    ).values
    return np.asarray(found[np.arange(len(found)), :, asked.outputs])


def _lime(predict: Predict, subject: Subject, asked: Asked, *, knobs: Explain) -> np.ndarray:
    pairs = zip(asked.rows.tolist(), asked.outputs.tolist(), strict=True)
    return np.stack(
        [
            subject.surrogate(
                predict,
                row,
                Question(output=output, samples=knobs.lime_samples, seed=knobs.seed),
            ).values
            for row, output in pairs
        ]
    )
