"""What evaluating a generator means: its samples against the test rows, as its judge sees both."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from assay.baselines.samplers import SAMPLERS
from assay.data.prepared import Split
from assay.data.spec import Spec, required
from assay.figures.samples import class_shares, neighbour_pairs, sample_grid
from assay.figures.style import Figure
from assay.inference.feeds import draw_noise
from assay.inference.predictions import prediction_table, with_targets
from assay.inference.session import Session
from assay.inference.signature import IMAGE, Signature
from assay.metrics.generation import (
    Balls,
    balls_around,
    copied_share,
    frechet_distance,
    missing_classes,
    nearest,
    spread,
)
from assay.metrics.intervals import Interval, Resampled
from assay.metrics.knobs import Evaluate
from assay.metrics.paired import mcnemar
from assay.pipeline.evaluating.judged import look

_SETS = 30
_GRID, _PAIRS = 100, 10
Sets = Callable[[int], np.ndarray]
"""From a number to a set of samples, uint8 images; the same for the same number."""


@dataclass(frozen=True, kw_only=True)
class Gallery:
    """The test rows and training rows as the judge sees them, and how it is asked."""

    judge: Session
    train_images: np.ndarray
    train: np.ndarray
    test: np.ndarray
    test_codes: np.ndarray
    balls: Balls
    judged: np.ndarray
    classes: int

    @property
    def judge_accuracy(self) -> float:
        """The share of test rows whose class the judge knows."""
        return float(np.mean(self.judged == self.test_codes))

    def look(self, images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return features and class probabilities of uint8 images."""
        return look(self.judge, images, self.classes)


def gallery(judge: Session, *, train: Split, test: Split, classes: int, knobs: Evaluate) -> Gallery:
    """Let the judge look at training rows, at most ``knobs.baseline_rows``, and at test rows."""
    chosen = np.random.default_rng(knobs.seed).permutation(len(train))[: knobs.baseline_rows]
    images = train.batch(np.sort(chosen))[IMAGE]
    known, _ = look(judge, images, classes)
    asked, probability = look(judge, test.whole()[IMAGE], classes)
    codes = np.asarray(test.target)
    return Gallery(
        judge=judge,
        train_images=images,
        train=known,
        test=asked,
        test_codes=codes,
        balls=balls_around(asked),
        judged=probability.argmax(1),
        classes=classes,
    )


def generator_sets(session: Session, signature: Signature, *, knobs: Evaluate) -> Sets:
    """Return the sets of samples that a generator gives; the first is of ``knobs.seed``."""

    def sets(number: int) -> np.ndarray:
        noise = draw_noise(signature, rows=knobs.samples, seed=knobs.seed + number)
        return session.run(noise)[IMAGE]

    return sets


def baseline_sets(seen: Gallery, *, knobs: Evaluate) -> Iterator[tuple[str, str, Sets]]:
    """Yield each simple sampler's name, what it is, and its sets."""
    for name, (sampler, about) in SAMPLERS.items():

        def sets(number: int, sampler: Any = sampler) -> np.ndarray:
            random = np.random.default_rng([knobs.seed, number])
            return np.asarray(sampler(seen.train_images, knobs.samples, random))

        yield name, about, sets


def measured(sets: Sets, seen: Gallery, *, knobs: Evaluate) -> Resampled:
    """Return every metric of the first set, and over 30 sets with test rows drawn anew for each.

    So an interval holds the chance of noise and of test rows; two generators are compared over the
    same draws of test rows. The Fréchet distance to rows drawn with repetition is larger than to all
    of them: the mean of that excess is taken off every draw.
    """
    random = np.random.default_rng(knobs.seed)
    every = np.arange(len(seen.test))
    value = _metrics(seen.look(sets(0)), seen, every)
    drawn, excess = [], []
    for number in range(1, 1 + min(_SETS, knobs.resamples)):
        looked = seen.look(sets(number))
        rows = random.integers(len(seen.test), size=len(seen.test))
        drawn.append(_metrics(looked, seen, rows))
        excess.append(drawn[-1]["frechet"] - frechet_distance(seen.test, looked[0]))
    resamples = {name: np.array([one[name] for one in drawn]) for name in value}
    resamples["frechet"] = np.maximum(resamples["frechet"] - np.mean(excess), 0.0)
    return Resampled(
        values=value,
        resamples=resamples,
        confidence=knobs.confidence,
        reason="there is no test row to compare samples with",
    )


def _metrics(
    looked: tuple[np.ndarray, np.ndarray], seen: Gallery, rows: np.ndarray
) -> dict[str, float]:
    features, probability = looked
    found = spread(seen.balls, features)
    return {
        "frechet": frechet_distance(seen.test[rows], features),
        "coverage": float(found.covered[rows].mean()),
        "density": float(found.density.mean()),
        "missing_classes": float(len(missing_classes(probability))),
        "copied": copied_share(features, train=seen.train, held_out=seen.test[rows]),
    }


def sample_table(
    images: np.ndarray, seen: Gallery, *, signature: Signature, spec: Spec
) -> pd.DataFrame:
    """Return a line a sample: its number, the class that the judge sees, and its pixels."""
    classes = np.array([str(label) for label in spec.classes], dtype=object)
    judged = classes[seen.look(images)[1].argmax(1)]
    table = prediction_table({IMAGE: images}, signature)
    return with_targets(table, ids=pd.Series(range(len(images))), target=pd.Series(judged))


def class_slices(images: np.ndarray, seen: Gallery, *, spec: Spec) -> list[dict[str, Any]]:
    """Return for each class its test rows, how many of them are covered, and its share of samples."""
    features, probability = seen.look(images)
    covered, judged = spread(seen.balls, features).covered, probability.argmax(1)
    found = []
    for code, label in enumerate(spec.classes):
        here = seen.test_codes == code
        metrics = {
            "coverage": _plain(float(covered[here].mean())),
            "share_of_samples": _plain(float(np.mean(judged == code))),
        }
        entry = {"column": spec.target, "value": str(label), "rows": int(here.sum())}
        found.append({**entry, "metrics": metrics})
    return found


def _plain(value: float) -> dict[str, Any]:
    return {"value": value, "low": None, "high": None, "reason": "one set of samples"}


def sampling_pictures(images: np.ndarray, seen: Gallery, *, spec: Spec) -> dict[str, Figure]:
    """Return a grid of samples, those nearest to a training row, and the classes among them."""
    features, probability = seen.look(images)
    row, distance = nearest(features, seen.train)
    closest = np.argsort(distance, kind="stable")[:_PAIRS]
    judged = np.bincount(probability.argmax(1), minlength=len(spec.classes)) / len(images)
    counts = np.array(spec.class_counts, float)
    return {
        "samples": sample_grid(shares(images[:_GRID], spec), heading="Samples"),
        "neighbours": neighbour_pairs(
            shares(images[closest], spec),
            nearest=shares(seen.train_images[row[closest]], spec),
            captions=[f"{distance[i]:.2f}" for i in closest],
            heading="The samples nearest to a training row, with the distance to it",
        ),
        "classes": class_shares(
            judged, expected=counts / counts.sum(), names=[str(label) for label in spec.classes]
        ),
    }


def shares(images: np.ndarray, spec: Spec) -> np.ndarray:
    """Return uint8 images as shares of the highest level that training rows have."""
    return np.asarray(images / max(1, *required(spec.image).highest))


def sampling_words(values: Mapping[str, float], *, seen: Gallery, spec: Spec) -> str:
    """Say in a sentence how the samples fail, if they do."""
    covered, density, missing = (
        values["coverage"],
        values["density"],
        int(values["missing_classes"]),
    )
    parts = []
    if missing or covered < _COLLAPSED:
        of = (
            f"{missing} of {len(spec.classes)} classes are missing"
            if missing
            else "no class is missing"
        )
        parts.append(
            f"mode collapse: samples come near {covered:.0%} of the test rows only, and {of}"
        )
    else:
        parts.append(
            f"no sign of mode collapse: samples come near {covered:.0%} of the test rows, of all classes"
        )
    if density < _SPARSE:
        parts.append(f"many samples look like no real row (density {density:.2f}, 1 would be real)")
    if values["copied"] > _COPIED:
        parts.append(
            f"{values['copied']:.0%} of them lie nearer to a training row than test rows do: memorised"
        )
    parts.append(f"the judge is right on {seen.judge_accuracy:.1%} of the test rows")
    return "; ".join(parts)


def gain_of_samples(
    seen: Gallery, other: Session, *, test: Split, level: float
) -> tuple[Interval, str]:
    """Return what a judge gains in accuracy that learned from samples too, and say it.

    ``other`` is that judge; ``level`` is the confidence of the interval.
    """
    _, probability = look(other, test.whole()[IMAGE], seen.classes)
    found = mcnemar(probability.argmax(1) == seen.test_codes, seen.judged == seen.test_codes)
    low, high = found.interval((1 - level) / 2)
    accuracy = float(np.mean(probability.argmax(1) == seen.test_codes))
    word = "a gain" if low > 0 else "a loss" if high < 0 else "no difference beyond chance"
    words = (
        f"with as many samples beside the training rows it is right on {accuracy:.1%}: {word} "
        f"({low:+.3f} to {high:+.3f})"
    )
    return {"value": found.gain, "low": low, "high": high}, words


_COLLAPSED, _SPARSE, _COPIED = 0.3, 0.5, 0.05
