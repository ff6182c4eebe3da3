"""Texts that a language model goes on with, drawn token by token from its exported graph."""

from __future__ import annotations

import numpy as np

from assay.data.prepared import LENGTHS, Split
from assay.data.spec import required
from assay.data.tokenizer import decode
from assay.inference.session import Session
from assay.inference.signature import PROBABILITY, TOKENS, Signature

_UNKNOWN = 1
_BEGUN, _MORE, _TEXTS = 12, 40, 3


def sample_text(session: Session, signature: Signature, split: Split, *, seed: int = 0) -> str:
    """Return a page in Markdown: beginnings of a split's first texts, and what the model adds."""
    text = required(signature.text)
    parts = ["# What the model goes on with", ""]
    long = np.flatnonzero(split.lengths > _BEGUN)[:_TEXTS]
    for row in long.tolist():
        begun = split.batch(np.array([row]))[TOKENS][0, :_BEGUN].tolist()
        drawn = continued(session, begun, more=_MORE, longest=text.steps, seed=seed + row)
        said, added = (decode(text.tokenizer, ids) for ids in (begun, drawn))
        parts += [f"> {said} **{added}**", ""]
    return "\n".join(parts)


def continued(
    session: Session,
    begun: list[int],
    *,
    more: int,
    longest: int,
    seed: int,
    temperature: float = 0.8,
) -> list[int]:
    """Return ``more`` ids after those of ``begun``, each drawn from the graph's probabilities.

    They are raised to 1 / ``temperature``; padding and unknown tokens are never drawn. The graph is
    shown the last ``longest`` ids.
    """
    rng = np.random.default_rng(seed)
    ids = list(begun)
    for _ in range(more):
        shown = np.array([ids[-longest:]], np.int64)
        feeds = {TOKENS: shown, LENGTHS: np.array([shown.shape[1]], np.int64)}
        chances = session.run(feeds)[PROBABILITY][0].astype(np.float64) ** (1 / temperature)
        chances[: _UNKNOWN + 1] = 0.0
        ids.append(int(rng.choice(len(chances), p=chances / chances.sum())))
    return ids[len(begun) :]
