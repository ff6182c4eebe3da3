"""Ask every method about a subject, and score what they say."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from assay.explanation.faithfulness import (
    additivity_errors,
    judge_agreement,
    judge_shapley,
    judge_surrogate,
    rank_correlations,
    repeatability,
    spread,
    to_explain,
)
from assay.explanation.importance import Importance, importance, moved
from assay.explanation.knobs import Explain
from assay.explanation.shapley import Shapley, explain
from assay.explanation.sources import Predict
from assay.explanation.steps import TokenSources, by_word
from assay.explanation.subject import Subject
from assay.explanation.surrogate import Question, Surrogate

_SCORES = ("repeatability", "lime_r2", "agreement")


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """SHAP for the chosen rows and for the sample, LIME for the chosen rows.

    ``seconds`` are wall-clock times by method.
    """

    chosen: Shapley
    sample: Shapley
    surrogates: tuple[Surrogate, ...]
    importance: Importance
    seconds: Mapping[str, float]


def explain_subject(predict: Predict, subject: Subject, *, knobs: Explain) -> Outcome:
    """Explain the subject's rows by SHAP and LIME through ``predict``: feeds to (n, outputs)."""
    start = time.perf_counter()
    chosen = explain(
        predict,
        subject.sources,
        rows=subject.chosen,
        background=subject.background,
        permutations=subject.plan.permutations,
        seed=knobs.seed,
    )
    sample = explain(
        predict,
        subject.sources,
        rows=subject.sample,
        background=subject.background,
        permutations=1,
        seed=knobs.seed + 2,
    )
    middle = time.perf_counter()
    surrogates = tuple(_surrogate(predict, subject, int(row), knobs) for row in subject.chosen)
    return Outcome(
        chosen=chosen,
        sample=sample,
        surrogates=surrogates,
        importance=_importance(sample, subject, seed=knobs.seed),
        seconds={"shap": middle - start, "lime": time.perf_counter() - middle},
    )


def _importance(sample: Shapley, subject: Subject, *, seed: int) -> Importance:
    """Average over the sample: by feature, for texts by word, since places mean nothing by themselves."""
    amounts, sources = moved(sample.values), subject.sources
    if isinstance(sources, TokenSources):
        amounts, words = by_word(amounts, sources, subject.sample)
        return importance(amounts, names=words, seed=seed)
    return importance(amounts, names=sources.names, seed=seed)


def _surrogate(predict: Predict, subject: Subject, row: int, knobs: Explain) -> Surrogate:
    question = Question(
        output=int(subject.explained_output[row]),
        samples=knobs.lime_samples,
        seed=knobs.seed + row,
    )
    return subject.surrogate(predict, row, question)


def explained_values(values: np.ndarray, outputs: np.ndarray) -> np.ndarray:
    """Pick from (rows, features, outputs) each row's explained output: (rows, features)."""
    return np.asarray(values[np.arange(len(values)), :, outputs])


def faithfulness(outcome: Outcome, subject: Subject, *, knobs: Explain) -> dict[str, Any]:
    """Return the figures of ``faithfulness.json``: errors, fits, agreement, and words for each."""
    base = outcome.chosen.base
    both = np.concatenate([outcome.chosen.values, outcome.sample.values])
    errors = additivity_errors(both, base=base, output=subject.output)
    distance = to_explain(subject.output, base=base)
    relative = errors.mean(axis=1) / distance if distance else np.sign(errors.max(axis=1))
    chosen = _row_scores(outcome, subject, errors=errors.max(axis=1))
    repeatable, r2, agreement = (chosen[name].to_numpy() for name in _SCORES)
    return {
        "shap": {
            "additivity_error": {
                "largest": float(errors.max()),
                "mean": float(errors.mean()),
                "relative": float(relative.mean()),
                "scale": distance,
            },
            "repeatability": spread(repeatable),
            "evaluations": outcome.chosen.evaluations + outcome.sample.evaluations,
            "verdict": judge_shapley(
                relative_error=float(relative.mean()), repeatable=repeatable, scale=distance
            ),
        },
        "lime": {
            "r2": spread(r2),
            "evaluations": len(chosen) * knobs.lime_samples,
            "verdict": judge_surrogate(r2),
        },
        "agreement": {**spread(agreement), "verdict": judge_agreement(agreement)},
        "rows": {
            str(subject.ids[i]): {
                **scores,
                "shap_verdict": judge_shapley(
                    relative_error=float(relative[i]), repeatable=repeatable[[i]], scale=distance
                ),
                "lime_verdict": judge_surrogate(r2[[i]]),
            }
            for i, scores in enumerate(chosen.to_dict("records"))
        },
    }


def _row_scores(outcome: Outcome, subject: Subject, *, errors: np.ndarray) -> pd.DataFrame:
    """Score each chosen row; ``errors`` are the largest additivity errors of all rows."""
    rows = len(subject.chosen)
    outputs = subject.explained_output[:rows]
    first, second = (explained_values(half, outputs) for half in outcome.chosen.halves)
    lime = np.stack([s.values for s in outcome.surrogates])
    return pd.DataFrame(
        {
            "reason": [c.reason for c in subject.picks],
            "additivity_error": errors[:rows],
            "repeatability": repeatability(first, second),
            "lime_r2": [s.r2 for s in outcome.surrogates],
            "agreement": rank_correlations(
                explained_values(outcome.chosen.values, outputs), lime, counts=subject.counts
            ),
        }
    )
