"""English prose that lies on every machine: the help texts of Python's standard library."""

from __future__ import annotations

from dataclasses import dataclass, field
from pydoc_data.topics import topics
from typing import Annotated, ClassVar, Literal

from annotated_types import Ge

from assay.data.raw import Raw
from assay.data.spec import Kind
from assay.data.splitting import Splitting
from assay.data.text_file import passages
from assay.data.tokenizer import Tokens


@dataclass(frozen=True, kw_only=True)
class Prose:
    """``words`` words a passage; passages are divided by their place, in the order of the topics."""

    kind: ClassVar[Kind] = "text"
    task: ClassVar[Literal["language_modelling"]] = "language_modelling"
    words: Annotated[int, Ge(2)] = 48
    tokens: Tokens = field(default_factory=lambda: Tokens(steps=256))
    split: Splitting = field(default_factory=Splitting)

    def read(self) -> Raw:
        """Return the passages of all topics, one after the other."""
        text = "\n\n".join(topics[name] for name in sorted(topics))
        return passages(text, words=self.words, tokens=self.tokens, source="pydoc_data.topics")
