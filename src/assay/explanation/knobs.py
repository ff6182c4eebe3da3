"""What a user can turn about explanations."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from annotated_types import Ge, Le

Method = Literal[
    "shap",
    "lime",
    "occlusion",
    "kernel_shap",
    "partition_shap",
    "integrated_gradients",
    "saliency",
    "gradient_shap",
    "deep_shap",
    "attention_rollout",
    "reconstruction_error",
]


@dataclass(frozen=True, kw_only=True)
class Explain:
    """How much is explained, and how many calls of the model it may cost.

    ``rows`` single predictions are chosen and explained by SHAP and by LIME; a random sample of at
    most ``global_rows`` test rows gives the global importance. SHAP replaces what it hides by
    the values of at most ``background`` training rows, and spends about ``samples`` model
    evaluations altogether, never fewer than its smallest estimate needs. LIME fits each
    local model on ``lime_samples`` perturbed rows. Images are explained by patches: as many as
    there are pixels, but at most ``patches``. ``methods`` are asked beside SHAP and LIME, none named:
    those that suit the kind of data. What needs an explanation asked anew (small changes of the input,
    a model that has learned nothing) is measured on ``score_rows`` of the chosen rows. Importance is
    told apart by predicted class, by the sensitive columns and by ``slices``.
    """

    rows: Annotated[int, Ge(1), Le(200)] = 12
    global_rows: Annotated[int, Ge(2)] = 200
    background: Annotated[int, Ge(2)] = 50
    samples: Annotated[int, Ge(1000)] = 300_000
    lime_samples: Annotated[int, Ge(50)] = 2000
    patches: Annotated[int, Ge(2)] = 64
    methods: tuple[Method, ...] = ()
    slices: tuple[str, ...] = ()
    score_rows: Annotated[int, Ge(1), Le(50)] = 4
    top: Annotated[int, Ge(3), Le(40)] = 12
    seed: Annotated[int, Ge(0)] = 0
