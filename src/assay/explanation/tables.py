"""Importance and attributions as tables, for files and for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from assay.explanation.outcome import Outcome, explained_values
from assay.explanation.sources import ImageSources, Sources
from assay.explanation.steps import SeriesSources, TokenSources
from assay.explanation.subject import Subject
from assay.inference.signature import Signature

SAMPLE = "random sample"


def importance_table(
    outcome: Outcome, sources: Sources, *, errors: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Return rank, feature (with its place in an image), importance and its interval, best first.

    ``errors``, by feature, are put beside: what each adds to a reconstruction's score.
    """
    found = outcome.importance
    table = pd.DataFrame(
        {
            "rank": found.rank,
            "feature": found.names,
            **_places(sources),
            "importance": found.mean,
            "low": found.low,
            "high": found.high,
        }
    )
    if errors is not None and not errors.empty:
        table = table.merge(errors, on="feature", how="left", validate="one_to_one")
    return table.sort_values("rank", ignore_index=True)


def attribution_table(
    outcome: Outcome,
    subject: Subject,
    *,
    outputs: Sequence[object],
    methods: Mapping[str, np.ndarray],
) -> pd.DataFrame:
    """Return one line a row and feature: id, reason, explained output, value, and what each method says.

    ``outputs`` names the outputs; ``methods`` are attributions of the chosen rows, (rows, features). All
    but SHAP explain these only: NaN in the others.
    """
    sources, rows = subject.sources, len(subject.chosen) + len(subject.sample)
    values = np.concatenate([outcome.chosen.values, outcome.sample.values])
    beyond = np.full((len(subject.sample), len(sources.names)), np.nan)
    reasons = [*(c.reason for c in subject.picks), *[SAMPLE] * len(subject.sample)]
    times = len(sources.names)
    return pd.DataFrame(
        {
            "id": np.repeat(np.array(list(map(str, subject.ids)), dtype=object), times),
            "reason": np.repeat(np.array(reasons, dtype=object), times),
            "output": np.repeat(
                np.array([str(outputs[o]) for o in subject.explained_output], dtype=object), times
            ),
            "feature": list(sources.names) * rows,
            **{name: np.tile(place, rows) for name, place in _places(sources).items()},
            "value": [text for row in range(rows) for text in cell_texts(sources, row)],
            "shap": explained_values(values, subject.explained_output).ravel(),
            **{
                name: np.concatenate([found, beyond]).ravel()
                for name, found in methods.items()
                if name != "shap"
            },
        }
    )


def common_output(subject: Subject, signature: Signature) -> np.ndarray:
    """Return for each row of the sample what a summary of them explains, (rows,).

    Of two classes it is the second one for all rows, of more each row's own, else the only output.
    """
    rows = len(subject.sample)
    if len(signature.classes) == 2 and signature.task == "classification":
        return np.ones(rows, dtype=int)
    return np.asarray(subject.explained_output[subject.sample])


def cell_texts(sources: Sources, row: int) -> list[str]:
    """Return the values of a source row as people read them; of a patch its mean pixel value."""
    if isinstance(sources, SeriesSources | TokenSources):
        return sources.cells(row)
    feeds = sources.feeds(sources.codes[row : row + 1])
    if isinstance(sources, ImageSources):
        image = next(iter(feeds.values()))[0]
        return [f"{image[:, sources.patch_of == p].mean():.4g}" for p in range(len(sources.names))]
    return [_text(values[0]) for values in feeds.values()]


def cell_levels(sources: Sources, rows: np.ndarray) -> np.ndarray:
    """Return ranks of numbers within their column from 0 to 1, NaN for texts and missing ones."""
    feeds = sources.feeds(sources.codes[rows])
    return np.stack([_levels(values) for values in feeds.values()], axis=1)


def _levels(values: np.ndarray) -> np.ndarray:
    if values.dtype.kind not in "fiub":
        return np.full(len(values), np.nan)
    ranks = pd.Series(values, dtype=np.float64).rank(method="dense")
    span = ranks.max() - 1
    return np.asarray((ranks - 1) / span if span > 0 else ranks * 0 + 0.5, dtype=np.float64)


def _places(sources: Sources) -> dict[str, np.ndarray]:
    if not isinstance(sources, ImageSources):
        return {}
    rows, columns = np.indices(sources.grid)
    return {"row": rows.ravel(), "column": columns.ravel()}


def _text(value: object) -> str:
    if isinstance(value, float | np.floating):
        return "missing" if np.isnan(value) else f"{value:.6g}"
    return str(value).strip("\0") or "missing"
