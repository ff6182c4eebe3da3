"""The user's own texts: a table with a column of texts, and a class, labels or a number for each."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Literal

import pandas as pd

from assay.data.csv import read_table, require_columns
from assay.data.raw import Raw, Roles, TaskChoice
from assay.data.spec import Kind
from assay.data.splitting import Splitting
from assay.data.table import as_text
from assay.data.target import Target, with_target
from assay.data.tokenizer import Tokens
from assay.errors import DataError

_SHOWN = 5


@dataclass(frozen=True, kw_only=True)
class TextCsv:
    """``text`` is the column of texts; ``empty`` says what becomes of rows without any.

    ``target`` is a column, or a list of columns of yes and no; with ``label_separator`` its cells
    list any number of labels.
    """

    kind: ClassVar[Kind] = "text"
    path: str
    text: str = "text"
    target: str | tuple[str, ...]
    label_separator: str | None = None
    id: str | None = None
    group: str | None = None
    time: str | None = None
    split_column: str | None = None
    sensitive: tuple[str, ...] = ()
    task: TaskChoice = "auto"
    encoding: str = "utf-8"
    separator: str = ","
    empty: Literal["refuse", "drop"] = "refuse"
    tokens: Tokens = field(default_factory=Tokens)
    split: Splitting = field(default_factory=Splitting)

    def read(self) -> Raw:
        """Return the texts; DataError says what is wrong with the table."""
        table = read_table(Path(self.path), encoding=self.encoding, separator=self.separator)
        target = Target(columns=self.target, separator=self.label_separator, task=self.task)
        roles = Roles(
            target=target.column,
            id=self.id,
            group=self.group,
            time=self.time,
            split=self.split_column,
            sensitive=tuple(self.sensitive),
        )
        require_columns(
            table, roles, self.path, others={"target": target.names, "text": (self.text,)}
        )
        frame, notes = without_empty(table, self.text, how=self.empty)
        raw = Raw(
            frame=frame,
            roles=roles,
            task=self.task,
            text=self.text,
            tokens=self.tokens,
            notes=notes,
            source=Path(self.path).name,
        )
        return with_target(raw, target)


def without_empty(
    table: pd.DataFrame, column: str, *, how: Literal["refuse", "drop"]
) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Return the rows that have a text, and what was left out in words.

    Raises DataError where a text is empty and ``how`` refuses that.
    """
    texts = as_text(table[column]).map(lambda text: "" if text is None else text.strip())
    empty = [i + 1 for i, text in enumerate(texts) if not text]
    table = table.assign(**{column: texts.astype(str)})
    if not empty:
        return table, ()
    named = ", ".join(map(str, empty[:_SHOWN])) + (", ..." if len(empty) > _SHOWN else "")
    said = f"{len(empty)} texts are empty (rows {named} below the header)"
    if how == "refuse":
        raise DataError(
            f"column '{column}': {said}: fill them, or leave them out with data.empty=drop"
        )
    kept = table[texts != ""].reset_index(drop=True)
    return kept, (f"{said}: left out",)
