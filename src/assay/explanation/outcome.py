"""Ask every method about a subject, and score what they say."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

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
from assay.explanation.subject import Subject
from assay.explanation.surrogate import Question, Surrogate


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
    surrogates = tuple(_surrogate(subject, int(row), knobs) for row in subject.chosen)
    return Outcome(
        chosen=chosen,
        sample=sample,
        surrogates=surrogates,
        importance=importance(moved(sample.values), seed=knobs.seed),
        seconds={"shap": middle - start, "lime": time.perf_counter() - middle},
    )


def _surrogate(subject: Subject, row: int, knobs: Explain) -> Surrogate:
    question = Question(
        output=int(subject.explained_output[row]),
        samples=knobs.lime_samples,
        seed=knobs.seed + row,
    )
    return subject.surrogate(row, question)


def explained_values(values: np.ndarray, outputs: np.ndarray) -> np.ndarray:
    """Pick from (rows, features, outputs) each row's explained output: (rows, features)."""
    return np.asarray(values[np.arange(len(values)), :, outputs])


def faithfulness(outcome: Outcome, subject: Subject, *, knobs: Explain) -> dict[str, Any]:
    """Return the figures of ``faithfulness.json``: errors, fits, agreement, and words for each."""
    rows, outputs = len(subject.chosen), subject.explained_output[: len(subject.chosen)]
    both = np.concatenate([outcome.chosen.values, outcome.sample.values])
    errors = additivity_errors(both, base=outcome.chosen.base, output=subject.output)
    distance = to_explain(subject.output, base=outcome.chosen.base)
    relative = float(errors.mean()) / distance if distance else float(errors.max() > 0)
    first, second = (explained_values(half, outputs) for half in outcome.chosen.halves)
    repeatable = repeatability(first, second)
    r2 = np.array([s.r2 for s in outcome.surrogates])
    lime = np.stack([s.values for s in outcome.surrogates])
    agreement = rank_correlations(explained_values(outcome.chosen.values, outputs), lime)
    return {
        "shap": {
            "additivity_error": {
                "largest": float(errors.max()),
                "mean": float(errors.mean()),
                "relative": relative,
                "scale": distance,
            },
            "repeatability": spread(repeatable),
            "evaluations": outcome.chosen.evaluations + outcome.sample.evaluations,
            "verdict": judge_shapley(
                relative_error=relative, repeatable=repeatable, scale=distance
            ),
        },
        "lime": {
            "r2": spread(r2),
            "evaluations": rows * knobs.lime_samples,
            "verdict": judge_surrogate(r2),
        },
        "agreement": {**spread(agreement), "verdict": judge_agreement(agreement)},
        "rows": {
            str(subject.ids[i]): {
                "reason": subject.picks[i].reason,
                "additivity_error": float(errors[i].max()),
                "repeatability": float(repeatable[i]),
                "lime_r2": float(r2[i]),
                "agreement": float(agreement[i]),
            }
            for i in range(rows)
        },
    }
