"""What a user can turn about explanations."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from annotated_types import Ge, Le


@dataclass(frozen=True, kw_only=True)
class Explain:
    """How much is explained, and how many calls of the model it may cost.

    ``rows`` single predictions are chosen and explained by SHAP and by LIME; a random sample of at
    most ``global_rows`` test rows gives the global importance. SHAP replaces what it hides by
    the values of at most ``background`` training rows, and spends about ``samples`` model
    evaluations altogether, never fewer than its smallest estimate needs. LIME fits each
    local model on ``lime_samples`` perturbed rows. Images are explained by patches: as many as
    there are pixels, but at most ``patches``.
    """

    rows: Annotated[int, Ge(1), Le(200)] = 12
    global_rows: Annotated[int, Ge(2)] = 200
    background: Annotated[int, Ge(2)] = 50
    samples: Annotated[int, Ge(1000)] = 300_000
    lime_samples: Annotated[int, Ge(50)] = 2000
    patches: Annotated[int, Ge(2)] = 64
    top: Annotated[int, Ge(3), Le(40)] = 12
    seed: Annotated[int, Ge(0)] = 0
