"""How far an explanation can be believed: figures, and what they mean in words."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.stats import rankdata

ADDITIVITY = 0.05  # of what the explained predictions differ from the base, in the mean
REPEATABILITY = 0.8
LOCAL_R2 = 0.5
AGREEMENT = 0.3
TRUSTWORTHY = "trustworthy"


def additivity_errors(values: np.ndarray, *, base: np.ndarray, output: np.ndarray) -> np.ndarray:
    """Return |base + sum of values - output| as (rows, outputs).

    ``values`` are (rows, features, outputs), ``base`` (outputs,), ``output`` (rows, outputs).
    """
    return np.asarray(np.abs(base + values.sum(axis=1) - output))


def to_explain(output: np.ndarray, *, base: np.ndarray) -> float:
    """Return the mean distance of the outputs from the base: what there is to explain."""
    return float(np.abs(output - base).mean())


def correlations(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Return Pearson's correlation of each row of two arrays (rows, features); 0 for constant rows."""
    a = first - first.mean(axis=1, keepdims=True)
    b = second - second.mean(axis=1, keepdims=True)
    norms = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    flat = np.zeros(len(a))
    return np.asarray(np.divide((a * b).sum(axis=1), norms, out=flat, where=norms > 0))


def rank_correlations(
    first: np.ndarray, second: np.ndarray, *, counts: np.ndarray | None = None
) -> np.ndarray:
    """Return Spearman's correlation of each row of two arrays (rows, features); 0 for constant rows.

    Only features that ``counts``, bool (rows, features), names are ranked: a feature that is what
    hiding it would make it has no attribution by any method, and all of them would agree on it.
    """
    if counts is None:
        counts = np.ones(first.shape, bool)
    pairs = zip(first, second, counts, strict=True)
    return np.concatenate(
        [correlations(*(rankdata(v[here])[None] for v in (a, b))) for a, b, here in pairs]
    )


def repeatability(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Return how far each row of the halves' mean would correlate with another such estimate.

    ``first`` and ``second`` are two independent estimates (rows, features); the split-half
    reliability of Spearman (1910) and Brown (1910), between 0 and 1.
    """
    half = np.maximum(correlations(first, second), 0)
    return np.asarray(2 * half / (1 + half))


def judge_shapley(*, relative_error: float, repeatable: np.ndarray, scale: float) -> str:
    """Say whether SHAP values are to be believed; else why not, and what would mend it."""
    if not scale > 0:
        return in_words(["every explained prediction is the same: there is nothing to explain"])
    reasons = []
    if not relative_error <= ADDITIVITY:
        reasons.append(
            f"they miss the predictions by {relative_error:.0%} of what they should explain"
            f" (at most {ADDITIVITY:.0%} is allowed)"
        )
    typical = float(np.median(repeatable))
    if not typical >= REPEATABILITY:
        reasons.append(
            f"another estimate would correlate with them by {typical:.2f} only"
            f" (at least {REPEATABILITY} is expected; raise explain.samples)"
        )
    return in_words(reasons)


def judge_surrogate(r2: np.ndarray) -> str:
    """Say whether LIME's linear models fit their surroundings well enough to be believed."""
    typical = float(np.median(r2))
    if typical >= LOCAL_R2:
        return TRUSTWORTHY
    share = max(typical, 0.0)
    reason = f"the local linear models explain {share:.0%} of the model around a row (R²)"
    return in_words([f"{reason}; {LOCAL_R2:.0%} is expected"])


def judge_agreement(agreement: np.ndarray) -> str:
    """Say whether the two methods tell the same story."""
    typical = float(np.median(agreement))
    if typical >= AGREEMENT:
        return TRUSTWORTHY
    return in_words(
        [f"SHAP and LIME rank the features differently (rank correlation {typical:.2f})"]
    )


def spread(values: np.ndarray) -> dict[str, float]:
    """Return median and smallest of some figures."""
    return {"median": float(np.median(values)), "min": float(np.min(values))}


def in_words(reasons: Sequence[str]) -> str:
    """Return why an explanation is weak, or that it is trustworthy where there are no reasons."""
    return f"weak, because {', and '.join(reasons)}" if reasons else TRUSTWORTHY
