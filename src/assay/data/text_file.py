"""One text, for a model of language: cut into passages that follow each other."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, ClassVar, Literal

import pandas as pd
from annotated_types import Ge

from assay.data.raw import Raw, Roles
from assay.data.spec import Kind
from assay.data.splitting import Splitting
from assay.data.tokenizer import Tokens
from assay.errors import DataError

TEXT, PLACE = "text", "passage"


@dataclass(frozen=True, kw_only=True)
class TextFile:
    """``words`` words a passage; passages are divided by their place, so that none is cut in two."""

    kind: ClassVar[Kind] = "text"
    task: ClassVar[Literal["language_modelling"]] = "language_modelling"
    path: str
    words: Annotated[int, Ge(2)] = 48
    encoding: str = "utf-8"
    tokens: Tokens = field(default_factory=lambda: Tokens(steps=256))
    split: Splitting = field(default_factory=Splitting)

    def read(self) -> Raw:
        """Return the passages; DataError where the file cannot be read as text."""
        text = read_text(Path(self.path), encoding=self.encoding)
        return passages(text, words=self.words, tokens=self.tokens, source=Path(self.path).name)


def read_text(path: Path, *, encoding: str) -> str:
    """Return a file's text; DataError where there is none."""
    try:
        text = path.read_text(encoding=encoding)
    except FileNotFoundError as error:
        raise DataError(f"{path}: there is no such file") from error
    except (OSError, UnicodeError, LookupError) as error:
        raise DataError(
            f"{path} cannot be read as text in {encoding}: {error}; name its encoding with "
            "data.encoding"
        ) from error
    if not text.strip():
        raise DataError(f"{path} is empty: expected a text")
    return text


def passages(text: str, *, words: int, tokens: Tokens, source: str) -> Raw:
    """Return a text as passages of so many words, in their order; a last one of a single word is left out."""
    found = text.split()
    parts = [" ".join(found[i : i + words]) for i in range(0, len(found) - 1, words)]
    frame = pd.DataFrame({PLACE: range(len(parts)), TEXT: parts})
    return Raw(
        frame=frame,
        roles=Roles(id=PLACE, time=PLACE),
        task="language_modelling",
        text=TEXT,
        tokens=tokens,
        source=source,
    )
