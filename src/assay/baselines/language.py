"""Counting models of language: the next token by the one or two before it.

Interpolated modified Kneser-Ney smoothing (Chen and Goodman 1999, doi:10.1006/csla.1999.0128,
equations 26 to 28), with discounts from the counts of counts; an order below the highest counts in
how many contexts a token occurs instead of how often. Below the unigrams all tokens are alike.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from assay.baselines.fit import Answer
from assay.data.prepared import Padded, Split
from assay.data.spec import Spec, required

_NAMES = {1: "trivial", 2: "bigram", 3: "trigram"}
_WORDS = {1: "single tokens", 2: "pairs of tokens", 3: "triples of tokens"}
Gram = tuple[int, ...]


def count_language(train: Split, test: Split, *, spec: Spec) -> dict[str, Answer]:
    """Return log-likelihoods (rows,) of the test texts by models of one, two and three tokens."""
    vocabulary = required(spec.text).vocabulary
    texts, asked = _texts(train), _texts(test)
    found = {}
    for order, name in _NAMES.items():
        model = KneserNey(texts, order=order, vocabulary=vocabulary)
        output = np.array([model.log_likelihood(text) for text in asked])
        about = f"counts of {_WORDS[order]}, interpolated with modified Kneser-Ney smoothing"
        found[name] = Answer(output=output, about=about, rows=len(texts))
    return found


def _texts(split: Split) -> list[list[int]]:
    tokens = split.inputs["tokens"]
    if not isinstance(tokens, Padded):
        return []
    return [tokens.rows.row(i).tolist() for i in range(len(tokens))]


@dataclass(frozen=True)
class _Counts:
    """One order's counts: of grams, and by context the total and how many have count 1, 2, more."""

    grams: Counter[Gram]
    total: dict[Gram, int]
    kinds: dict[Gram, list[int]]
    discounts: tuple[float, float, float]


class KneserNey:
    """A model of ``order`` tokens over ids below ``vocabulary``, learned from texts of ids."""

    def __init__(self, texts: Sequence[Sequence[int]], *, order: int, vocabulary: int) -> None:
        self.order, self.vocabulary = order, vocabulary
        grams = Counter(_grams(texts, order))
        self._counts = [_counts(grams)]
        for size in range(order - 1, 0, -1):
            contexts = set(_grams(texts, size + 1))
            grams = Counter(gram[1:] for gram in contexts)
            self._counts.append(_counts(grams))
        self._counts.reverse()

    def log_likelihood(self, text: Sequence[int]) -> float:
        """Return the logarithm of the probability of all tokens but the first, given those before."""
        total = 0.0
        for place in range(1, len(text)):
            context = tuple(text[max(0, place - self.order + 1) : place])
            total += float(np.log(self.probability(text[place], context)))
        return total

    def probability(self, token: int, context: Gram) -> float:
        """Return the probability of a token after at most ``order`` - 1 others."""
        found = 1.0 / self.vocabulary
        for size in range(1, len(context) + 2):
            before = context[len(context) - size + 1 :]
            found = self._interpolated(self._counts[size - 1], token, before, found)
        return found

    def _interpolated(self, counts: _Counts, token: int, context: Gram, lower: float) -> float:
        total = counts.total.get(context, 0)
        if not total:
            return lower
        count = counts.grams.get((*context, token), 0)
        discount = counts.discounts[min(count, 3) - 1] if count else 0.0
        kinds = counts.kinds[context]
        spared = sum(d * n for d, n in zip(counts.discounts, kinds, strict=True))
        return (max(count - discount, 0.0) + spared * lower) / total


def _grams(texts: Iterable[Sequence[int]], size: int) -> Iterable[Gram]:
    for text in texts:
        for place in range(len(text) - size + 1):
            yield tuple(text[place : place + size])


def _counts(grams: Counter[Gram]) -> _Counts:
    total: dict[Gram, int] = defaultdict(int)
    kinds: dict[Gram, list[int]] = defaultdict(lambda: [0, 0, 0])
    for gram, count in grams.items():
        total[gram[:-1]] += count
        kinds[gram[:-1]][min(count, 3) - 1] += 1
    return _Counts(grams, dict(total), dict(kinds), _discounts(grams))


def _discounts(grams: Counter[Gram]) -> tuple[float, float, float]:
    """Return what is taken from counts of 1, 2, and 3 or more; 0.75 where too few grams say.

    Where one of the three estimates is not above 0, all take the single discount of Ney et al. 1994
    (doi:10.1006/csla.1994.1001).
    """
    one, two, three, four = (sum(1 for c in grams.values() if c == n) for n in (1, 2, 3, 4))
    if not (one and two and three and four):
        return 0.75, 0.75, 0.75
    y = one / (one + 2 * two)
    found = (1 - 2 * y * two / one, 2 - 3 * y * three / two, 3 - 4 * y * four / three)
    return (
        found if min(found) > 0 else (y, y, y)
    )  # nothing spared would leave the unseen impossible
