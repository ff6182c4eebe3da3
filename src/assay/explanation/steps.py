"""Sequences and texts as rows of whole numbers, in the way of ``sources.py``."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from assay.data.prepared import LENGTHS
from assay.data.tokenizer import load_tokenizer
from assay.explanation.sources import Feeds
from assay.inference.signature import SEQUENCE, TOKENS

_MOST_SEGMENTS = 16
_UNKNOWN = 1


class SeriesSources:
    """Sequences (rows, steps, channels) and lengths: one feature a channel and segment of time.

    Segments are windows of steps counted from the beginning; what lies after a row's end is
    missing. Where lengths differ, the length is a feature too. ``hidden`` is a row without any
    known value, as long as the longest: a missing value counts as the channel's mean.
    """

    def __init__(
        self, sequence: np.ndarray, lengths: np.ndarray, *, channels: Sequence[str], most: int
    ) -> None:
        longest = sequence.shape[1]
        is_inside = np.arange(longest) < lengths[:, None]
        known = np.where(is_inside[:, :, None], sequence, np.nan).astype(np.float32)
        self._values = np.concatenate([known, np.full_like(known[:1], np.nan)])
        self._lengths = np.concatenate([lengths, [longest]])
        self.hidden = len(sequence)
        count = max(1, min(_MOST_SEGMENTS, most // len(channels), longest))
        self.bounds = np.linspace(0, longest, count + 1).round().astype(int)
        self.channels = tuple(channels)
        self._has_length = bool(np.ptp(lengths))
        spans = [
            f"steps {a + 1} to {b}" for a, b in zip(self.bounds, self.bounds[1:], strict=False)
        ]
        names = [f"{channel}, {span}" for channel in channels for span in spans]
        self.names = (*names, *(["length"] if self._has_length else []))
        self.codes = np.stack([*self._segment_codes(), *self._length_codes()], axis=1)

    def feeds(self, codes: np.ndarray) -> Feeds:
        """Return sequences (n, steps, channels) and lengths (n,)."""
        feature = self.feature_of
        steps, places = np.indices(feature.shape)
        sequence = self._values[codes[:, feature], steps, places]
        lengths = self._lengths[codes[:, -1]] if self._has_length else self._lengths[codes[:, 0]]
        return {SEQUENCE: sequence, LENGTHS: lengths.astype(np.int64)}

    @property
    def feature_of(self) -> np.ndarray:
        """The feature that each step and channel belongs to, (steps, channels)."""
        count, segments = len(self.channels), len(self.bounds) - 1
        segment = np.searchsorted(self.bounds, np.arange(self.bounds[-1]), side="right") - 1
        return np.asarray(np.arange(count)[None, :] * segments + segment[:, None])

    def cells(self, row: int) -> list[str]:
        """Return each feature of a source row as people read it: a mean over its known steps."""
        texts = []
        for channel in range(len(self.channels)):
            for a, b in zip(self.bounds, self.bounds[1:], strict=False):
                part = self._values[row, a:b, channel]
                known = part[~np.isnan(part)]
                texts.append(f"{known.mean():.4g}" if len(known) else "missing")
        return texts + ([str(self._lengths[row])] if self._has_length else [])

    def row(self, row: int) -> np.ndarray:
        """Return the steps of a source row, (length, channels)."""
        return np.asarray(self._values[row, : self._lengths[row]])

    def _segment_codes(self) -> list[np.ndarray]:
        return [
            _first_equal(self._values[:, a:b, channel])
            for channel in range(len(self.channels))
            for a, b in zip(self.bounds, self.bounds[1:], strict=False)
        ]

    def _length_codes(self) -> list[np.ndarray]:
        return [_first_equal(self._lengths[:, None])] if self._has_length else []


class TokenSources:
    """Texts as tokens (rows, steps): one feature a place, or a few places that lie together.

    A hidden token is left out, as LIME does with words: ``hidden`` is a text without any. ``group``
    is the feature that each place belongs to, (steps,).
    """

    def __init__(
        self, tokens: np.ndarray, lengths: np.ndarray, *, tokenizer: str, most: int
    ) -> None:
        inside = np.arange(tokens.shape[1]) < lengths[:, None]
        self._tokens = np.concatenate([tokens * inside, np.zeros_like(tokens[:1])])
        self._tokenizer = load_tokenizer(tokenizer)
        self.hidden = len(tokens)
        together = -(-tokens.shape[1] // most)
        self.group = np.arange(tokens.shape[1]) // together
        self.names = tuple(f"place {i + 1}" for i in range(int(self.group[-1]) + 1))
        parts = [self._tokens[:, self.group == i] for i in range(len(self.names))]
        self.codes = np.stack([_first_equal(part) for part in parts], axis=1)

    def feeds(self, codes: np.ndarray) -> Feeds:
        """Return tokens (n, steps) without the hidden ones, and lengths (n,)."""
        tokens = self._tokens[codes[:, self.group], np.arange(len(self.group))]
        order = np.argsort(tokens == 0, axis=1, kind="stable")
        tokens = np.take_along_axis(tokens, order, axis=1)
        lengths = (tokens != 0).sum(axis=1)
        tokens[lengths == 0, 0] = _UNKNOWN
        return {TOKENS: tokens.astype(np.int64), LENGTHS: np.maximum(lengths, 1).astype(np.int64)}

    def cells(self, row: int) -> list[str]:
        """Return the text of each feature of a source row, empty after its end."""
        ids = self._tokens[row]
        groups = [ids[self.group == i] for i in range(len(self.names))]
        return [self._text([int(i) for i in group if i]) for group in groups]

    def _text(self, ids: list[int]) -> str:
        words = " ".join(
            str(self._tokenizer.decode([i], skip_special_tokens=False)).strip() for i in ids
        )
        return words if words or not ids else "·"


def by_word(
    amounts: np.ndarray, sources: TokenSources, rows: np.ndarray, *, most: int = 200
) -> tuple[np.ndarray, tuple[str, ...]]:
    """Return amounts (rows, words) of the words that move most, and those words.

    ``amounts`` (rows, features) of the source rows ``rows``; what a word moves in a row is the sum
    over its places there, and 0 where it does not occur.
    """
    lines = [
        {"row": i, "word": word.lower(), "amount": amounts[i, j]}
        for i, row in enumerate(rows.tolist())
        for j, word in enumerate(sources.cells(row))
        if word
    ]
    table = pd.DataFrame(lines).pivot_table(
        index="row", columns="word", values="amount", aggfunc="sum", fill_value=0.0
    )
    top = table.mean().sort_values(ascending=False, kind="stable").index[:most]
    whole = table[top].reindex(range(len(rows)), fill_value=0.0)
    return whole.to_numpy(), tuple(map(str, top))


def _first_equal(values: np.ndarray) -> np.ndarray:
    """Return for each row the first row that holds the same bytes."""
    keys = [row.tobytes() for row in np.ascontiguousarray(values)]
    first: dict[bytes, int] = {}
    return np.array([first.setdefault(key, i) for i, key in enumerate(keys)])
