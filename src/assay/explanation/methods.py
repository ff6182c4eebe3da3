"""The methods that can be asked, which of them fit a kind of data, and why."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from assay.data.spec import Kind
from assay.explanation.curves import Asked, Probe
from assay.explanation.knobs import Explain, Method
from assay.explanation.shapley import explain
from assay.explanation.sources import Predict
from assay.explanation.subject import Subject
from assay.explanation.surrogate import Question

Attribute = Callable[[Asked], np.ndarray]
_PERMUTATIONS = 2
_NETWORK: frozenset[Method] = frozenset({"integrated_gradients", "saliency", "gradient_shap"})
UNSIGNED: frozenset[Method] = frozenset({"saliency"})
ADDITIVE: frozenset[Method] = frozenset({"shap", "integrated_gradients", "gradient_shap"})

REASONS: Mapping[Method, str] = {
    "shap": "permutation SHAP on the exported graph: needs nothing but answers, takes any mix of "
    "columns, and adds up to the prediction",
    "lime": "a linear model around the row: a second opinion that shares no code with SHAP",
    "occlusion": "what is lost when one feature alone is hidden: the plainest question there is",
    "integrated_gradients": "gradients on the ways from the background: the network's own account, "
    "and adds up to the prediction",
    "saliency": "the gradient's size: where the network is most easily moved, without a direction",
    "gradient_shap": "SHAP values from the network's gradients: cheap where there are many features",
}
_KINDS: Mapping[Kind, tuple[Method, ...]] = {
    "table": ("shap", "lime", "occlusion", "integrated_gradients"),
    "image": ("shap", "lime", "occlusion", "integrated_gradients", "saliency"),
    "sequence": ("shap", "lime", "occlusion", "integrated_gradients"),
    "text": ("shap", "lime", "occlusion"),
}


@dataclass(frozen=True, kw_only=True)
class Learned:
    """Gradient methods of a network, asked by name for source rows: (rows, features)."""

    attribute: Callable[[Method, Asked], np.ndarray]


def methods_for(kind: Kind, knobs: Explain, *, has_network: bool) -> list[Method]:
    """Return the methods to ask: those of ``explain.methods``, else the usual ones of the kind.

    SHAP and LIME are always among them; methods that need gradients are left out where no network
    is at hand or where its input has none (texts).
    """
    asked = dict.fromkeys(("shap", "lime", *(knobs.methods or _KINDS[kind])))
    return [name for name in asked if name not in _NETWORK or has_network]


def attributions(
    name: Method, predict: Predict, subject: Subject, *, learned: Learned | None, knobs: Explain
) -> Attribute:
    """Return a function that asks the method about source rows: (rows, features)."""
    if name in _NETWORK and learned is not None:
        return lambda asked: learned.attribute(name, asked)
    if name == "shap":
        return lambda asked: _shap(predict, subject, asked, knobs=knobs)
    if name == "lime":
        return lambda asked: _lime(predict, subject, asked, knobs=knobs)
    return lambda asked: _occlusion(predict, subject, asked)


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


def _occlusion(predict: Predict, subject: Subject, asked: Asked) -> np.ndarray:
    """Return what each feature's absence takes away (Zeiler and Fergus 2014, arXiv:1311.2901)."""
    features = len(subject.sources.names)
    shown = np.concatenate([np.ones((1, features), bool), ~np.eye(features, dtype=bool)])
    probe = Probe(
        predict=predict, sources=subject.sources, asked=asked, background=subject.background
    )
    answers = probe.answers(np.broadcast_to(shown, (len(asked.rows), *shown.shape)))
    return np.asarray(answers[:, :1] - answers[:, 1:])
