"""Every method's scores side by side, and in words whether it is to be believed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy.stats import t

from assay.explanation.apart import Apart, apart, reasons_against, spread_of
from assay.explanation.changes import sensitivity
from assay.explanation.curves import Asked, Chance, Drops, Probe, chance, drops, gains, infidelity
from assay.explanation.faithfulness import ADDITIVITY, in_words, rank_correlations
from assay.explanation.knobs import Explain, Method
from assay.explanation.methods import (
    ADDITIVE,
    PROVISIONAL,
    REASONS,
    UNSIGNED,
    Attribute,
    Learned,
    attributions,
)
from assay.explanation.sources import Feeds, Predict
from assay.explanation.steps import TokenSources
from assay.explanation.subject import Subject

# A network and one of random weights are explained alike by up to 0.63 (rank correlation).
LEARNED = 0.8
_RANKED = 4  # of three features one order in six is the same by luck
_LEVEL = 0.95
_SHAKY = 1.0


@dataclass(frozen=True, kw_only=True)
class Stranger:
    """The same model before it learned anything: its answers and its gradients.

    ``twins`` yields the answers (rows, outputs) of several such models for the same feeds.
    """

    predict: Predict
    learned: Learned
    twins: Callable[[Feeds], Iterator[np.ndarray]]


@dataclass(frozen=True, kw_only=True)
class Grounds:
    """What all methods are measured against: random orders, hidden subsets, and a stranger.

    ``apart`` is how far predictions spread over the sample.
    """

    probe: Probe
    chance: Chance
    drops: Drops
    base: np.ndarray
    stranger: Stranger | None
    apart: Apart


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
        apart=_apart(subject, stranger),
    )


def _apart(subject: Subject, stranger: Stranger | None) -> Apart:
    sample = subject.sources.feeds(subject.sources.codes[subject.sample])
    others = () if stranger is None or not subject.reach else stranger.twins(sample)
    return apart(
        subject.output[subject.sample],
        reach=subject.reach,
        untrained=[spread_of(output) for output in others],
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
        "tells_apart": grounds.apart,
        "is_additive": name in ADDITIVE,
        "completeness": _completeness(found, subject, grounds=grounds),
        "against_random": _against_random(name, found, grounds=grounds),
        "infidelity": _middle(infidelity(grounds.drops, found)),
        "sensitivity": _middle(_sensitivity(method, subject, asked=probe.asked)),
        "randomisation": _randomisation(name, method, subject, grounds=grounds, knobs=knobs),
    }
    return Judged(values=found, scores={**scores, "verdict": verdict(name, scores)})


def verdict(name: Method, scores: Mapping[str, Any]) -> str:
    """Say in words whether a method's figures allow to believe it; else why not."""
    reasons, against = reasons_against(scores["tells_apart"]), scores["against_random"]
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


def is_left_out(name: Method, scores: Mapping[str, Any]) -> bool:
    """Tell whether a method is not to be used at all, since it does not add up."""
    return name in PROVISIONAL and not scores["completeness"]["relative"] <= ADDITIVITY


def agreement_of(
    found: Mapping[str, np.ndarray], *, counts: np.ndarray
) -> dict[str, dict[str, float]]:
    """Return the median rank correlation of the sizes of attributions, of each method with each.

    ``counts``, bool (rows, features), says which features are ranked.
    """
    sizes = {name: np.abs(values) for name, values in found.items()}
    return {
        a: {
            b: float(np.median(rank_correlations(sizes[a], sizes[b], counts=counts)))
            for b in sizes
            if b != a
        }
        for a in sizes
    }


def _completeness(values: np.ndarray, subject: Subject, *, grounds: Grounds) -> dict[str, float]:
    outputs = grounds.probe.asked.outputs
    wanted = subject.output[np.arange(len(outputs)), outputs] - grounds.base
    missed = np.abs(values.sum(axis=1) - wanted)
    scale = float(np.abs(wanted).mean())
    relative = float(missed.mean() / scale) if scale else float(missed.max() > 0)
    return {"largest": float(missed.max()), "mean": float(missed.mean()), "relative": relative}


def _against_random(name: Method, values: np.ndarray, *, grounds: Grounds) -> dict[str, float]:
    is_signed = name not in UNSIGNED
    own = gains(grounds.probe, values, is_signed=is_signed)
    other = grounds.chance.signed if is_signed else grounds.chance.unsigned
    more = own - other
    low, high = _interval(more)
    return {
        "method": float(own.mean()),
        "random": float(other.mean()),
        "gain": float(more.mean()),
        "low": low,
        "high": high,
    }


def _interval(more: np.ndarray) -> tuple[float, float]:
    """Return the 95 % interval of a mean over rows, by Student's t.

    A percentile bootstrap would call a random attribution of four rows better than random in 10 % of
    cases. A single row has no interval: its own value is both ends.
    """
    rows, mean = len(more), float(more.mean())
    if rows == 1:
        return mean, mean
    reach = float(t.ppf((1 + _LEVEL) / 2, rows - 1) * more.std(ddof=1) / np.sqrt(rows))
    return mean - reach, mean + reach


def _sensitivity(method: Attribute, subject: Subject, *, asked: Asked) -> np.ndarray:
    changes, rows = subject.changed.shape
    first = Asked(rows=asked.rows[:rows], outputs=asked.outputs[:rows])
    same = method(first)
    outputs = np.tile(first.outputs, changes)
    others = method(Asked(rows=subject.changed.ravel(), outputs=outputs))
    stays = _stays(subject, rows=first.rows)
    return sensitivity(same * stays, others.reshape(changes, rows, -1) * stays)


def _stays(subject: Subject, *, rows: np.ndarray) -> np.ndarray:
    """Return which attributions a small change should leave alone, bool (rows, features).

    A word that became another one may mean another thing: of texts the other words count.
    """
    codes = subject.sources.codes
    if isinstance(subject.sources, TokenSources):
        return np.asarray((codes[subject.changed] == codes[rows]).all(axis=0))
    return np.ones((len(rows), codes.shape[1]), bool)


def _randomisation(
    name: Method, method: Attribute, subject: Subject, *, grounds: Grounds, knobs: Explain
) -> dict[str, float] | None:
    """Ask a model of random weights the same (Adebayo et al. 2018, arXiv:1810.03292).

    Of fewer features than ``_RANKED`` the ranks agree by luck too often to say anything: None.
    """
    rows = subject.changed.shape[1]
    if grounds.stranger is None or np.median(subject.counts[:rows].sum(axis=1)) < _RANKED:
        return None
    asked = replace(
        grounds.probe.asked,
        rows=grounds.probe.asked.rows[:rows],
        outputs=grounds.probe.asked.outputs[:rows],
    )
    stranger = grounds.stranger
    other = attributions(name, stranger.predict, subject, learned=stranger.learned, knobs=knobs)
    counts = subject.counts[:rows]
    return _middle(rank_correlations(np.abs(method(asked)), np.abs(other(asked)), counts=counts))


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
