"""Texts to tokens, by Hugging Face's ``tokenizers``: learned from training rows, kept as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from annotated_types import Ge
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

from assay.data.carrier import find_folder
from assay.data.ragged import InMemory, Ragged
from assay.errors import ArtifactError, DataError

PADDING, UNKNOWN = "<pad>", "<unk>"
_FILE, _PACKAGE = "tokenizer.json", "package:"


@dataclass(frozen=True, kw_only=True)
class Tokens:
    """How texts become tokens.

    ``word`` takes the most frequent words and marks, ``split`` what stands between blanks, ``bpe``
    pairs of bytes (Sennrich et al. 2016, arXiv:1508.07909), until there are ``vocabulary`` of them;
    with ``source``, a folder or ``package:NAME``, the tokenizer of a pretrained model is taken as it
    is. A text is cut after ``steps`` tokens.
    """

    by: Literal["word", "bpe", "split"] = "word"
    vocabulary: Annotated[int, Ge(300)] = 8000
    steps: Annotated[int, Ge(1)] = 128
    lowercase: bool = True
    source: str = ""


def learn_tokenizer(texts: Sequence[str], knobs: Tokens) -> str:
    """Return a tokenizer, as JSON, whose vocabulary is that of ``texts``; id 0 is padding, 1 unknown."""
    if knobs.source:
        return read_tokenizer(knobs.source)
    tokenizer, trainer = _by_pairs(knobs) if knobs.by == "bpe" else _by_words(knobs)
    if knobs.lowercase:
        tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.train_from_iterator(texts, trainer)
    return str(tokenizer.to_str())


def _by_words(knobs: Tokens) -> tuple[Tokenizer, trainers.Trainer]:
    tokenizer = Tokenizer(models.WordLevel(unk_token=UNKNOWN))
    is_split = knobs.by == "split"
    tokenizer.pre_tokenizer = (
        pre_tokenizers.WhitespaceSplit() if is_split else pre_tokenizers.BertPreTokenizer()
    )
    special = [PADDING, UNKNOWN]
    trainer = trainers.WordLevelTrainer(vocab_size=knobs.vocabulary, special_tokens=special)
    return tokenizer, trainer


def _by_pairs(knobs: Tokens) -> tuple[Tokenizer, trainers.Trainer]:
    tokenizer = Tokenizer(models.BPE(unk_token=UNKNOWN))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=knobs.vocabulary,
        special_tokens=[PADDING, UNKNOWN],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    return tokenizer, trainer


def read_tokenizer(source: str) -> str:
    """Return the tokenizer in a folder or in a carrier package; DataError where there is none."""
    if source.startswith(_PACKAGE):
        file = find_folder(source.removeprefix(_PACKAGE), holding=_FILE) / _FILE
    else:
        file = Path(source) / _FILE
    if not file.is_file():
        raise DataError(f"data.tokens.source: there is no {_FILE} in {source}")
    tokenizer = load_tokenizer(file.read_text(encoding="utf-8"))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return str(tokenizer.to_str())


def load_tokenizer(tokenizer: str) -> Tokenizer:
    """Return the tokenizer of a JSON text; ArtifactError where it is none."""
    try:
        return Tokenizer.from_str(tokenizer)
    except Exception as error:  # the library raises nothing narrower
        raise ArtifactError(f"the tokenizer cannot be read: {error}") from error


def encode(tokenizer: str, texts: Sequence[str], *, steps: int | None) -> Ragged:
    """Return at most ``steps`` ids of each text, int32; a text without any token is one unknown."""
    loaded = _cutting(tokenizer, steps)
    rows = [np.array(found.ids or [1], np.int32) for found in loaded.encode_batch_fast(list(texts))]
    offsets = np.concatenate([[0], np.cumsum([len(row) for row in rows])]).astype(np.int64)
    flat = np.concatenate(rows) if rows else np.zeros(0, np.int32)
    return Ragged(InMemory(array=flat), offsets)


@lru_cache(maxsize=4)
def _cutting(tokenizer: str, steps: int | None) -> Tokenizer:
    """Load a tokenizer once for all requests and batches; nobody changes it afterwards."""
    loaded = load_tokenizer(tokenizer)
    if steps is not None:
        loaded.enable_truncation(steps)
    return loaded


def decode(tokenizer: str, ids: Sequence[int]) -> str:
    """Return the text of some ids, without special ones."""
    return str(load_tokenizer(tokenizer).decode(list(ids)))


@lru_cache(maxsize=4)
def unknown_id(tokenizer: str) -> int | None:
    """Return the id of what the vocabulary lacks; None where everything has other ids."""
    loaded = load_tokenizer(tokenizer)
    word = getattr(loaded.model, "unk_token", None)
    return None if word is None else loaded.token_to_id(word)


def vocabulary_of(tokenizer: str) -> int:
    """Return how many ids there are, padding among them."""
    return int(load_tokenizer(tokenizer).get_vocab_size())
