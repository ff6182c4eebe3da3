"""Texts to tokens, by Hugging Face's ``tokenizers``: learned from training rows, kept as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
from annotated_types import Ge
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

from assay.data.ragged import InMemory, Ragged
from assay.errors import ArtifactError

PADDING, UNKNOWN = "<pad>", "<unk>"


@dataclass(frozen=True, kw_only=True)
class Tokenizing:
    """How a column of texts becomes tokens.

    ``word`` takes the most frequent words, ``bpe`` pairs of bytes (Sennrich et al. 2016,
    arXiv:1508.07909), until there are ``vocabulary`` of them; a text is cut after ``steps`` tokens.
    """

    column: str
    by: Literal["word", "bpe"] = "bpe"
    vocabulary: Annotated[int, Ge(300)] = 4000
    steps: Annotated[int, Ge(1)] = 128
    lowercase: bool = True


def learn_tokenizer(texts: Sequence[str], knobs: Tokenizing) -> str:
    """Return a tokenizer, as JSON, whose vocabulary is that of ``texts``; id 0 is padding, 1 unknown."""
    special = [PADDING, UNKNOWN]
    trainer: trainers.Trainer
    if knobs.by == "word":
        tokenizer = Tokenizer(models.WordLevel(unk_token=UNKNOWN))
        tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
        trainer = trainers.WordLevelTrainer(vocab_size=knobs.vocabulary, special_tokens=special)
    else:
        tokenizer = Tokenizer(models.BPE(unk_token=UNKNOWN))
        tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
        tokenizer.decoder = decoders.ByteLevel()
        trainer = trainers.BpeTrainer(
            vocab_size=knobs.vocabulary,
            special_tokens=special,
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
            show_progress=False,
        )
    if knobs.lowercase:
        tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.train_from_iterator(texts, trainer)
    return str(tokenizer.to_str())


def load_tokenizer(tokenizer: str) -> Tokenizer:
    """Return the tokenizer of a JSON text; ArtifactError where it is none."""
    try:
        return Tokenizer.from_str(tokenizer)
    except Exception as error:  # the library raises nothing narrower
        raise ArtifactError(f"the tokenizer cannot be read: {error}") from error


def encode(tokenizer: str, texts: Sequence[str], *, steps: int) -> Ragged:
    """Return the first ``steps`` ids of each text, int32; a text without any token is one unknown."""
    encoded = load_tokenizer(tokenizer).encode_batch_fast(list(texts), add_special_tokens=False)
    rows = [np.array(found.ids[:steps] or [1], np.int32) for found in encoded]
    offsets = np.concatenate([[0], np.cumsum([len(row) for row in rows])]).astype(np.int64)
    flat = np.concatenate(rows) if rows else np.zeros(0, np.int32)
    return Ragged(InMemory(array=flat), offsets)


def vocabulary_of(tokenizer: str) -> int:
    """Return how many ids there are, padding among them."""
    return int(load_tokenizer(tokenizer).get_vocab_size())
