"""Every method's scores side by side, and in words whether it is to be believed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from assay.explanation.changes import sensitivity
from assay.explanation.curves import Asked, Chance, Drops, Probe, chance, drops, gains, infidelity
from assay.explanation.faithfulness import ADDITIVITY, in_words, rank_correlations
from assay.explanation.knobs import Explain, Method
from assay.explanation.methods import ADDITIVE, REASONS, UNSIGNED, Attribute, Learned, attributions
from assay.explanation.sources import Predict
from assay.explanation.subject import Subject

LEARNED = 0.9
_RESAMPLES = 2000
_LEVEL = 0.95
_SHAKY = 1.0


@dataclass(frozen=True, kw_only=True)
class Stranger:
    """The same model before it learned anything: its answers and its gradients."""

    predict: Predict
    learned: Learned


@dataclass(frozen=True, kw_only=True)
class Grounds:
    """What all methods are measured against: random orders, hidden subsets, and a stranger."""

    probe: Probe
    chance: Chance
    drops: Drops
    base: np.ndarray
    stranger: Stranger | None


@dataclass(frozen=True, kw_only=True)
class Judged:
    """A method's attributions of the chosen rows (rows, features), and its part of the scores."""

    values: np.ndarray
    scores: dict[str, Any]


def grounds_of(
    predict: Predict, subject: Subject, *, stranger: Stranger | None, knobs: Explain
) -> Grounds:
    """Ask the model all that does not depend on a method."""
    rows = subject.chosen
    asked = Asked(rows=rows, outputs=subject.explained_output[: len(rows)])
    probe = Probe(
        predict=predict, sources=subject.sources, asked=asked, background=subject.background
    )
    hidden = subject.sources.feeds(subject.sources.codes[subject.background])
    return Grounds(
        probe=probe,
        chance=chance(probe, seed=knobs.seed),
        drops=drops(probe, seed=knobs.seed),
        base=np.asarray(predict(hidden), np.float64).mean(axis=0)[asked.outputs],
        stranger=stranger,
    )


def judged(
    name: Method,
    values: np.ndarray | None,
    subject: Subject,
    *,
    grounds: Grounds,
    learned: Learned | None,
    knobs: Explain,
) -> Judged:
    """Ask a method (or take the ``values`` it gave) about the chosen rows, and score it."""
    probe = grounds.probe
    method = attributions(name, probe.predict, subject, learned=learned, knobs=knobs)
    found = method(probe.asked) if values is None else values
    scores = {
        "reason": REASONS[name],
        "completeness": _completeness(found, subject, grounds=grounds),
        "against_random": _against_random(name, found, grounds=grounds, seed=knobs.seed),
        "infidelity": _middle(infidelity(grounds.drops, found)),
        "sensitivity": _middle(_sensitivity(method, subject, asked=probe.asked)),
        "randomisation": _randomisation(name, method, subject, grounds=grounds, knobs=knobs),
    }
    return Judged(values=found, scores={**scores, "verdict": verdict(name, scores)})


def verdict(name: Method, scores: Mapping[str, Any]) -> str:
    """Say in words whether a method's figures allow to believe it; else why not."""
    reasons, against = [], scores["against_random"]
    if not against["low"] > 0:
        reasons.append(
            "it does no better than a random attribution: insertion and deletion gain "
            f"{against['gain']:+.2g} over it (95 % interval {against['low']:+.2g} to {against['high']:+.2g})"
        )
    missed = scores["completeness"]
    if name in ADDITIVE and not missed["relative"] <= ADDITIVITY:
        reasons.append(
            f"it misses the predictions by {missed['relative']:.0%} of what it should explain "
            f"(at most {ADDITIVITY:.0%} is allowed)"
        )
    kept = scores["randomisation"]
    if kept is not None and kept["median"] > LEARNED:
        reasons.append(
            "it hardly depends on what the model learned: a model of random weights gets the same "
            f"explanation (rank correlation {kept['median']:.2f})"
        )
    if scores["sensitivity"]["median"] > _SHAKY:
        reasons.append(
            f"a small change of the input changes it by {scores['sensitivity']['median']:.0%} of its size"
        )
    return in_words(reasons)


def agreement_of(found: Mapping[str, np.ndarray]) -> dict[str, dict[str, float]]:
    """Return the median rank correlation of the sizes of attributions, of each method with each."""
    sizes = {name: np.abs(values) for name, values in found.items()}
    return {
        a: {b: float(np.median(rank_correlations(sizes[a], sizes[b]))) for b in sizes if b != a}
        for a in sizes
    }


def _completeness(values: np.ndarray, subject: Subject, *, grounds: Grounds) -> dict[str, float]:
    outputs = grounds.probe.asked.outputs
    wanted = subject.output[np.arange(len(outputs)), outputs] - grounds.base
    missed = np.abs(values.sum(axis=1) - wanted)
    scale = float(np.abs(wanted).mean())
    relative = float(missed.mean() / scale) if scale else float(missed.max() > 0)
    return {"largest": float(missed.max()), "mean": float(missed.mean()), "relative": relative}


def _against_random(
    name: Method, values: np.ndarray, *, grounds: Grounds, seed: int
) -> dict[str, float]:
    is_signed = name not in UNSIGNED
    own = gains(grounds.probe, values, is_signed=is_signed)
    other = grounds.chance.signed if is_signed else grounds.chance.unsigned
    more, count = own - other, len(own)
    drawn = np.random.default_rng(seed).integers(0, count, (_RESAMPLES, count))
    tail = (1 - _LEVEL) / 2
    low, high = np.quantile(more[drawn].mean(axis=1), [tail, 1 - tail])
    return {
        "method": float(own.mean()),
        "random": float(other.mean()),
        "gain": float(more.mean()),
        "low": float(low),
        "high": float(high),
    }


def _sensitivity(method: Attribute, subject: Subject, *, asked: Asked) -> np.ndarray:
    changes, rows = subject.changed.shape
    first = Asked(rows=asked.rows[:rows], outputs=asked.outputs[:rows])
    same = method(first)
    outputs = np.tile(first.outputs, changes)
    others = method(Asked(rows=subject.changed.ravel(), outputs=outputs))
    return sensitivity(same, others.reshape(changes, rows, -1))


def _randomisation(
    name: Method, method: Attribute, subject: Subject, *, grounds: Grounds, knobs: Explain
) -> dict[str, float] | None:
    """Ask a model of random weights the same (Adebayo et al. 2018, arXiv:1810.03292)."""
    if grounds.stranger is None:
        return None
    rows = subject.changed.shape[1]
    asked = replace(
        grounds.probe.asked,
        rows=grounds.probe.asked.rows[:rows],
        outputs=grounds.probe.asked.outputs[:rows],
    )
    stranger = grounds.stranger
    other = attributions(name, stranger.predict, subject, learned=stranger.learned, knobs=knobs)
    return _middle(rank_correlations(np.abs(method(asked)), np.abs(other(asked))))


def _middle(values: np.ndarray) -> dict[str, float]:
    return {"median": float(np.median(values)), "largest": float(np.max(values))}


def all_verdicts(scores: Mapping[str, Any]) -> dict[str, str]:
    """Return the verdict of each method, and of the agreement."""
    return {
        name: found["verdict"]
        for name, found in scores.items()
        if isinstance(found, Mapping) and "verdict" in found
    }


def joined_verdicts(verdicts: Sequence[str], *, good: str) -> str:
    """Return one verdict for several about the same method: trustworthy only where all are."""
    bad = [words for words in verdicts if words != good]
    reasons = [words.removeprefix("weak, because ") for words in bad]
    return in_words(reasons)
