"""Texts with a tag for each token: a table with a line a token."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Literal

import numpy as np
import pandas as pd

from assay.data.csv import read_table, require_columns
from assay.data.ragged import ragged
from assay.data.raw import Raw, Roles
from assay.data.spec import Kind
from assay.data.splitting import Splitting
from assay.data.table import as_text
from assay.data.tokenizer import Tokens
from assay.errors import DataError

TEXT, SENTENCE = "text", "sentence"


@dataclass(frozen=True, kw_only=True)
class TagsCsv:
    """``word``, ``target`` (its tag) and ``sentence``, the name of the text that a line belongs to.

    Lines of a sentence are in the order of its tokens; ``group`` and ``split_column`` may say more of
    a sentence. Tokens are taken as they are, those beyond the vocabulary as unknown.
    """

    kind: ClassVar[Kind] = "text"
    task: ClassVar[Literal["tagging"]] = "tagging"
    path: str
    word: str = "token"
    target: str = "tag"
    sentence: str = "sentence"
    group: str | None = None
    split_column: str | None = None
    encoding: str = "utf-8"
    separator: str = ","
    tokens: Tokens = field(default_factory=lambda: Tokens(by="split"))
    split: Splitting = field(default_factory=Splitting)

    def read(self) -> Raw:
        """Return the sentences and their tags; DataError names the first line that lacks either."""
        table = read_table(Path(self.path), encoding=self.encoding, separator=self.separator)
        roles = Roles(id=self.sentence, group=self.group, split=self.split_column)
        named = {"word": (self.word,), "target": (self.target,), "sentence": (self.sentence,)}
        require_columns(table, roles, self.path, others=named)
        columns = {name: as_text(table[name]) for name in (self.word, self.target, self.sentence)}
        for name, texts in columns.items():
            _require_all(texts, name)
        words = columns[self.word].str.replace(r"\s+", "_", regex=True)
        codes, names = pd.factorize(columns[self.sentence])
        order = np.argsort(codes, kind="stable")
        cuts = np.flatnonzero(np.diff(codes[order])) + 1
        sentences = np.split(words.to_numpy()[order], cuts)
        first = table.iloc[order[np.r_[0, cuts]]].reset_index(drop=True)
        others = {r: first[r] for r in (self.group, self.split_column) if r is not None}
        return Raw(
            frame=pd.DataFrame(
                {self.sentence: names, TEXT: [" ".join(s) for s in sentences], **others}
            ),
            roles=roles,
            task=self.task,
            text=TEXT,
            tokens=self.tokens,
            targets=ragged(np.split(columns[self.target].to_numpy(object)[order], cuts)),
            source=Path(self.path).name,
        )


def _require_all(texts: pd.Series, name: str) -> None:
    empty = texts.isna().to_numpy()
    if empty.any():
        row = int(np.flatnonzero(empty)[0]) + 1
        raise DataError(
            f"column '{name}', row {row} below the header: expected a value, got nothing "
            f"({int(empty.sum())} such rows)"
        )
