"""What explaining a generator means: what each of its numbers does, and walks from sample to sample."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from assay.explanation.faithfulness import TRUSTWORTHY
from assay.explanation.knobs import Explain
from assay.figures.page import explanation_page
from assay.figures.samples import walk_grid
from assay.inference.feeds import draw_noise
from assay.inference.session import Session
from assay.inference.signature import IMAGE, NOISE, Signature

_REACH = 2.0
_BASES, _WALKS, _STEPS = 48, 8, 9
_LARGEST_JUMP = 3.0
_Z = 1.96

Generate = Callable[[np.ndarray], np.ndarray]
"""From noise (rows, latent) to images (rows, channels, height, width), float64 levels."""


@dataclass(frozen=True, kw_only=True)
class Walks:
    """``effects`` (bases, latent): the mean change of a pixel, in levels, when one number goes from
    -2 to 2 and the others stay; ``directions`` and ``paths`` are images of walks (walks, steps, ...).

    ``jumps`` (walks,) is the largest step of a path over its mean one: high where samples lie in
    islands with nothing between them.
    """

    effects: np.ndarray
    order: np.ndarray
    directions: np.ndarray
    paths: np.ndarray
    jumps: np.ndarray


def walk(session: Session, signature: Signature, *, knobs: Explain) -> Walks:
    """Move through a generator's noise and look at what comes out."""

    def generate(noise: np.ndarray) -> np.ndarray:
        return session.run({NOISE: noise.astype(np.float32)})[IMAGE].astype(np.float64)

    bases = draw_noise(signature, rows=_BASES, seed=knobs.seed)[NOISE]
    effects = np.stack([_effect(generate, bases, i) for i in range(bases.shape[1])], axis=1)
    order = np.argsort(-effects.mean(axis=0), kind="stable")
    paths = np.stack([generate(path) for path in _paths(bases)])
    steps = np.abs(np.diff(paths, axis=1)).reshape(len(paths), _STEPS - 1, -1).mean(axis=2)
    return Walks(
        effects=effects,
        order=order,
        directions=np.stack([generate(_line(bases[0], int(i))) for i in order[:_WALKS]]),
        paths=paths,
        jumps=steps.max(axis=1) / np.maximum(steps.mean(axis=1), 1e-9),
    )


def _effect(generate: Generate, bases: np.ndarray, number: int) -> np.ndarray:
    low, high = bases.copy(), bases.copy()
    low[:, number], high[:, number] = -_REACH, _REACH
    change = np.abs(generate(high) - generate(low))
    return np.asarray(change.reshape(len(bases), -1).mean(axis=1))


def _line(base: np.ndarray, number: int) -> np.ndarray:
    line = np.tile(base, (_STEPS, 1))
    line[:, number] = np.linspace(-_REACH, _REACH, _STEPS)
    return line


def _paths(bases: np.ndarray) -> list[np.ndarray]:
    """Great circles between pairs of draws: a straight line would leave where noise lies."""
    return [_circle(start, end) for start, end in zip(bases[:_WALKS], bases[_WALKS:], strict=False)]


def _circle(start: np.ndarray, end: np.ndarray) -> np.ndarray:
    cosine = start @ end / (np.linalg.norm(start) * np.linalg.norm(end))
    angle = np.arccos(np.clip(cosine, -1.0, 1.0))
    shares = np.linspace(0.0, 1.0, _STEPS)[:, None]
    turned = np.sin((1 - shares) * angle) * start + np.sin(shares * angle) * end
    return np.asarray(turned / np.sin(angle))


def walk_importance(found: Walks) -> pd.DataFrame:
    """Return rank, feature, importance with its interval: best first."""
    effects = found.effects
    mean, error = effects.mean(axis=0), effects.std(axis=0, ddof=1) / np.sqrt(len(effects))
    return pd.DataFrame(
        {
            "rank": np.arange(1, len(mean) + 1),
            "feature": [f"{NOISE}_{i}" for i in found.order],
            "importance": mean[found.order],
            "low": (mean - _Z * error)[found.order],
            "high": (mean + _Z * error)[found.order],
        }
    )


def walk_table(found: Walks) -> pd.DataFrame:
    """Return a line a draw and number: what moving that number alone changes, in levels a pixel."""
    rows, latent = found.effects.shape
    return pd.DataFrame(
        {
            "id": np.repeat(np.arange(rows), latent).astype(str),
            "feature": [f"{NOISE}_{i}" for i in range(latent)] * rows,
            "effect": found.effects.ravel(),
        }
    )


def walk_faithfulness(found: Walks) -> dict[str, Any]:
    """Return how even the paths are, and a verdict."""
    jump = float(np.median(found.jumps))
    is_even = jump < _LARGEST_JUMP
    words = f"weak: the largest step of a walk is {jump:.1f} times the mean one"
    return {"walks": {"jump": jump, "verdict": TRUSTWORTHY if is_even else words}}


def walk_words(found: dict[str, Any]) -> str:
    """Say how even the walks are, from their score."""
    return (
        f"Walks from sample to sample: the largest step is {found['jump']:.1f} times the mean one "
        f"(leaps would be memorised images): {found['verdict'].partition(':')[0]}"
    )


def draw_walks(folder: Path, found: Walks) -> None:
    """Draw what each number does, and the walks, into a new folder."""
    folder.mkdir()
    brightest = max(1.0, float(found.paths.max()), float(found.directions.max()))
    walk_grid(
        found.directions / brightest,
        labels=[f"{NOISE}_{i}" for i in found.order[:_WALKS]],
        heading="What the numbers that change most do",
        below="one number from -2 to 2, all others as they are",
    ).savefig(folder / "directions.png")
    walk_grid(
        found.paths / brightest,
        labels=[f"walk {i + 1}" for i in range(len(found.paths))],
        heading="Walks from sample to sample",
        below="along a great circle through the noise",
    ).savefig(folder / "walks.png")


def write_walk_page(path: Path, scores: dict[str, Any], *, pictures: Path) -> None:
    """Write the page of a generator's explanations."""
    found = scores["walks"]
    explanation_page(
        path,
        title="What the generator does with its noise",
        lead="A generator has no rows whose prediction could be explained: here is what each number of "
        f"its noise does, and what lies between two samples. {walk_words(found)}.",
        lines=[],
        pictures=pictures,
    )
