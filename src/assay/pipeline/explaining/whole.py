"""What the sample says as a whole: importance by group, pairs of columns, dependence on values."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from assay.explanation.curves import Asked
from assay.explanation.groups import COLUMNS as GROUPS
from assay.explanation.groups import group_table
from assay.explanation.interaction import COLUMNS as PAIRS
from assay.explanation.interaction import FOUND, interaction_table, interactions
from assay.explanation.knobs import Explain
from assay.explanation.outcome import Outcome, explained_values
from assay.explanation.sources import Predict, TableSources
from assay.explanation.subject import Subject
from assay.explanation.tables import cell_levels, common_output
from assay.figures.dependence import (
    Dependence,
    dependence_panels,
    group_panels,
    interaction_bars,
)
from assay.inference.signature import Signature
from assay.pipeline.explaining.words import amount, explained_words

_PAIRED = 6
_MOST_ROWS = 100


@dataclass(frozen=True, kw_only=True)
class Whole:
    """Importance by group, and the interaction of pairs of a table's most important columns.

    ``errors`` is what each feature adds to a reconstruction's score, nothing for other tasks.
    """

    groups: pd.DataFrame
    pairs: pd.DataFrame
    errors: pd.DataFrame = field(default_factory=pd.DataFrame)


def nothing() -> Whole:
    """Return tables without a line, for what has no sample."""
    return Whole(groups=pd.DataFrame(columns=list(GROUPS)), pairs=pd.DataFrame(columns=list(PAIRS)))


def whole_of(
    predict: Predict, signature: Signature, subject: Subject, outcome: Outcome, *, knobs: Explain
) -> Whole:
    """Look at the sample by class, by slice, and for tables at pairs of columns."""
    groups = group_table(outcome, subject, signature=signature, seed=knobs.seed)
    return Whole(
        groups=groups, pairs=_pairs(predict, signature, subject, outcome=outcome, knobs=knobs)
    )


def _pairs(
    predict: Predict, signature: Signature, subject: Subject, *, outcome: Outcome, knobs: Explain
) -> pd.DataFrame:
    sources = subject.sources
    if not isinstance(sources, TableSources) or len(sources.names) < 2:
        return pd.DataFrame(columns=list(PAIRS))
    rows = subject.sample[:_MOST_ROWS]
    found = interactions(
        predict,
        sources,
        asked=Asked(rows=rows, outputs=common_output(subject, signature)[: len(rows)]),
        background=subject.background,
        features=np.argsort(-outcome.importance.mean, kind="stable")[:_PAIRED].tolist(),
        seed=knobs.seed,
    )
    return interaction_table(found, names=sources.names, seed=knobs.seed)


def draw_whole(
    folder: Path,
    signature: Signature,
    subject: Subject,
    *,
    outcome: Outcome,
    whole: Whole,
    top: int,
) -> None:
    """Draw into a folder what there is to see of the sample as a whole."""
    if not isinstance(subject.sources, TableSources):
        return
    unit = amount(signature)
    columns = _columns(signature, subject, outcome=outcome, pairs=whole.pairs)
    dependence_panels(
        folder / "dependence.png", columns=columns, explained=explained_words(signature)
    )
    compared = whole.groups[whole.groups.groupby("by")["group"].transform("nunique") > 1]
    if not compared.empty:
        group_panels(folder / "groups.png", table=compared, unit=unit, top=top)
    if not whole.pairs.empty:
        pairs = whole.pairs.assign(is_found=whole.pairs["verdict"] == FOUND)
        interaction_bars(folder / "interactions.png", table=pairs, unit=unit, top=top)


def _columns(
    signature: Signature, subject: Subject, *, outcome: Outcome, pairs: pd.DataFrame
) -> list[Dependence]:
    sources, rows = subject.sources, subject.sample
    feeds = list(sources.feeds(sources.codes[rows]).values())
    moved = explained_values(outcome.sample.values, common_output(subject, signature))
    levels = cell_levels(sources, rows)
    found = []
    for place in np.argsort(-outcome.importance.mean, kind="stable")[:_PAIRED].tolist():
        partner = _partner(sources.names[place], pairs)
        shades = levels[:, sources.names.index(partner)] if partner else None
        has_shades = shades is not None and not np.isnan(shades).all()
        found.append(
            Dependence(
                name=sources.names[place],
                values=np.asarray(feeds[place]),
                moved=moved[:, place],
                partner=partner if has_shades else "",
                levels=shades if has_shades else None,
            )
        )
    return found


def _partner(name: str, pairs: pd.DataFrame) -> str:
    """Return the column that works most together with this one beyond chance, or nothing."""
    if pairs.empty:
        return ""
    own = pairs[
        (pairs["verdict"] == FOUND) & ((pairs["feature"] == name) | (pairs["other"] == name))
    ]
    if own.empty:
        return ""
    first = own.iloc[0]
    return str(first["other"] if first["feature"] == name else first["feature"])
