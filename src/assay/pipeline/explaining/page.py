"""The explanations' page, from what was found to what is read."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from assay.explanation.faithfulness import TRUSTWORTHY
from assay.explanation.knobs import Method
from assay.explanation.methods import ADDITIVE, TITLES
from assay.figures.page import Line, explanation_page
from assay.pipeline.explaining.account import Account
from assay.pipeline.explaining.words import explained_words


def write_page(path: Path, found: Account, *, pictures: Path) -> None:
    """Write the page of an account, with the pictures that were drawn of it."""
    rows = len(found.subject.chosen)
    explanation_page(
        path,
        title="Why the model says what it says",
        lead=f"{found.signature.task.replace('_', ' ')} of {found.signature.kind} data · {rows} single predictions, "
        f"{len(found.subject.sample)} test rows for the whole · {_explained(found)}orange raises a prediction, blue "
        "lowers it",
        lines=[_line(name, found.scores[name]) for name in found.methods],
        note=" ".join(
            filter(None, (_agreement(found.scores), _left_out(found.scores), _twin(found)))
        ),
        pictures=pictures,
    )


def _explained(found: Account) -> str:
    """Say which steps of a forecast are explained: there is one answer a step, and they are averaged."""
    if not found.signature.forecast:
        return ""
    return f"what is explained is {explained_words(found.signature)} · "


def _agreement(scores: Mapping[str, Any]) -> str:
    """Say how alike the other methods rank the features of a row, beside SHAP."""
    others = scores["agreement"]["between"]["shap"].items()
    told = ", ".join(f"{TITLES[name]} {found:.2f}" for name, found in others)
    return f"Rank correlation with what SHAP holds important: {told}."


def _twin(found: Account) -> str:
    """Say why no untrained twin was asked, where none was."""
    if all(found.scores[name]["randomisation"] is not None for name in found.methods):
        return ""
    return (
        "No untrained twin was asked: of this task, or where the weights are not at hand, the exported "
        "graph alone is explained, and of fewer than four features ranks agree by luck."
    )


def _left_out(scores: Mapping[str, Any]) -> str:
    """Say which methods were asked for and not used, and why."""
    return " ".join(
        f"{TITLES[name]} was left out: it misses the predictions by "
        f"{found['completeness']['relative']:.0%} of what it should explain."
        for name, found in scores["left_out"].items()
    )


def _line(name: Method, scores: Mapping[str, Any]) -> Line:
    against, twin = scores["against_random"], scores["randomisation"]
    return Line(
        method=TITLES[name],
        reason=scores["reason"],
        gain=f"{against['gain']:+.2g} ({against['low']:+.2g} to {against['high']:+.2g})",
        completeness=f"{scores['completeness']['relative']:.1%}"
        if name in ADDITIVE
        else "no claim",
        infidelity=f"{scores['infidelity']['median']:.2f}",
        sensitivity=f"{scores['sensitivity']['median']:.0%}",
        randomisation="not measured" if twin is None else f"{twin['median']:.2f}",
        verdict=scores["verdict"],
        is_good=scores["verdict"] == TRUSTWORTHY,
    )
