"""Draw explanations: what they mean for the room that draws, told in its words."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from assay.explanation.faithfulness import LOCAL_R2, TRUSTWORTHY
from assay.explanation.knobs import Method
from assay.explanation.methods import TITLES, UNSIGNED
from assay.explanation.outcome import explained_values
from assay.explanation.sources import ImageSources, Sources, TableSources
from assay.explanation.steps import SeriesSources, TokenSources
from assay.explanation.subject import Subject
from assay.explanation.tables import (
    cell_levels,
    cell_texts,
    common_output,
)
from assay.figures.attribution import Said
from assay.figures.explanation import (
    beeswarm,
    class_maps,
    importance_bars,
    importance_map,
)
from assay.figures.rows import Prediction, image_row, table_row
from assay.figures.steps import series_row, text_row
from assay.inference.signature import Signature
from assay.pipeline.explaining.account import Account
from assay.pipeline.explaining.words import (
    amount,
    explained_words,
    headline_of,
    output_names,
    unit_of,
)

_MOST_CLASSES = 20
_LONGEST_NAME = 80
_MOVES, _ERRS = "What moves the predictions", "What does not come back: the error by feature"


def draw_explanations(folder: Path, found: Account, *, top: int) -> None:
    """Draw the whole into a new folder, and each explained row with what every method says of it."""
    folder.mkdir()
    sources = found.subject.sources
    if isinstance(sources, ImageSources):
        _draw_image_map(folder, found, sources)
    else:
        _draw_importance(folder, found, top=top)
    if not found.whole.errors.empty:
        _draw_errors(folder / "errors.png", found, top=top)
    for row in found.subject.chosen.tolist():
        _draw_row(folder / _file_name(found.subject, row), found, row, top=top)


def _draw_importance(folder: Path, found: Account, *, top: int) -> None:
    subject, whole = found.subject, found.outcome.importance
    importance_bars(
        folder / "importance.png",
        names=whole.names,
        mean=whole.mean,
        low=whole.low,
        high=whole.high,
        label=f"mean |SHAP value|, in {amount(found.signature)}",
        heading=_heading(found.signature),
        top=top,
    )
    if isinstance(subject.sources, SeriesSources | TokenSources):
        return
    shown = common_output(subject, found.signature)
    beeswarm(
        folder / "summary.png",
        names=subject.sources.names,
        values=explained_values(found.outcome.sample.values, shown),
        levels=cell_levels(subject.sources, subject.sample),
        explained=explained_words(found.signature),
        top=top,
    )


def _heading(signature: Signature) -> str:
    return f"What moves {explained_words(signature)}" if signature.forecast else _MOVES


def _draw_image_map(folder: Path, found: Account, sources: ImageSources) -> None:
    subject, signature, outcome = found.subject, found.signature, found.outcome
    grey = _images(sources, subject.sample).mean(axis=1)
    importance_map(
        folder / "importance.png",
        mean=outcome.importance.mean[sources.patch_of],
        backdrop=grey.mean(axis=0),
        label=f"mean |SHAP value|, in {amount(signature)}",
        heading=_MOVES,
    )
    if signature.task != "classification":
        return
    given = subject.explained_output[subject.sample]
    present = np.unique(given)[:_MOST_CLASSES]
    maps = [outcome.sample.values[given == k, :, k].mean(axis=0) for k in present]
    class_maps(
        folder / "classes.png",
        maps=np.stack([values[sources.patch_of] for values in maps]),
        backdrops=np.stack([grey[given == k].mean(axis=0) for k in present]),
        names=[str(signature.classes[k]) for k in present],
    )


def _draw_errors(place: Path, found: Account, *, top: int) -> None:
    sources, errors = found.subject.sources, found.whole.errors
    mean, label = errors["error"].to_numpy(), "mean part of the score, in variances"
    if isinstance(sources, ImageSources):
        backdrop = _images(sources, found.subject.sample).mean(axis=(0, 1))
        shown = mean[sources.patch_of]
        importance_map(place, mean=shown, backdrop=backdrop, label=label, heading=_ERRS)
        return
    low, high = (errors[name].to_numpy() for name in ("error_low", "error_high"))
    importance_bars(
        place,
        names=errors["feature"].tolist(),
        mean=mean,
        low=low,
        high=high,
        label=label,
        heading=_ERRS,
        top=top,
    )


def _draw_row(place: Path, found: Account, row: int, *, top: int) -> None:
    """Draw a row as what it is: bars, maps over the image, bands over channels, coloured words."""
    sources, headline = found.subject.sources, headline_of(found.signature, found.subject, row)
    said = [_said(found, name, row) for name in found.methods]
    if isinstance(sources, ImageSources):
        image = _picture(_images(sources, np.array([row]))[0])
        image_row(place, headline=headline, image=image, said=said)
    elif isinstance(sources, SeriesSources):
        series_row(
            place,
            headline=headline,
            steps=sources.row(row),
            channels=sources.channels,
            bounds=sources.bounds,
            said=said,
        )
    elif isinstance(sources, TokenSources):
        cells = sources.cells(row)
        is_word = np.array([cell != "" for cell in cells])
        words = [cell for cell in cells if cell]
        shown = [_with(one, one.values[is_word]) for one in said]
        text_row(place, headline=headline, words=words, said=shown)
    else:
        cells = cell_texts(sources, row)
        table_row(
            place,
            headline=headline,
            labels=[f"{n} = {text}" for n, text in zip(sources.names, cells, strict=True)],
            said=said,
            prediction=_prediction(found, row),
            top=top,
        )


def _said(found: Account, name: Method, row: int) -> Said:
    """Return what a method said of a row, in the row's own form, marked where it is weak."""
    values = found.methods[name].values[row]
    is_good = found.scores[name]["verdict"] == TRUSTWORTHY
    shown, more = _in_form(found.subject.sources, values)
    return Said(
        name=TITLES[name] if is_good else f"{TITLES[name]} (weak)",
        note=", ".join([*_notes(found, name, row, shown), *more]),
        values=shown,
        is_signed=name not in UNSIGNED,
    )


def _in_form(sources: Sources, values: np.ndarray) -> tuple[np.ndarray, list[str]]:
    """Return attributions (features,) in the form of the row, and what does not fit there in words."""
    if isinstance(sources, ImageSources):
        return values[sources.patch_of], []
    if isinstance(sources, SeriesSources):
        channels, segments = len(sources.channels), len(sources.bounds) - 1
        rest = values[channels * segments :]
        more = [f"length {value:+.2g}" for value in rest.tolist()]
        return values[: channels * segments].reshape(channels, segments), more
    return values, []


def _notes(found: Account, name: Method, row: int, values: np.ndarray) -> list[str]:
    if isinstance(found.subject.sources, TableSources):  # where each bar has its number
        return [f"local R² {found.outcome.surrogates[row].r2:.2f}"] if name == "lime" else []
    largest = float(values.ravel()[np.abs(values).argmax()])
    strongest = f"strongest {largest:.2g}" if name in UNSIGNED else f"strongest {largest:+.2g}"
    if name == "shap":
        prediction = _prediction(found, row)
        return [f"adds up to {prediction.output - prediction.base:+.2g}", strongest]
    if name == "lime":
        r2 = found.outcome.surrogates[row].r2
        return [f"local R² {r2:.2f}", strongest if r2 >= LOCAL_R2 else "a weak fit"]
    return [strongest]


def _with(said: Said, values: np.ndarray) -> Said:
    return Said(name=said.name, note=said.note, values=values, is_signed=said.is_signed)


def _images(sources: ImageSources, rows: np.ndarray) -> np.ndarray:
    return next(iter(sources.feeds(sources.codes[rows]).values()))


def _picture(image: np.ndarray) -> np.ndarray:
    return np.moveaxis(image, 0, -1) if len(image) == 3 else image.mean(axis=0)


def _prediction(found: Account, row: int) -> Prediction:
    output = int(found.subject.explained_output[row])
    return Prediction(
        base=float(found.outcome.chosen.base[output]),
        output=float(found.subject.output[row, output]),
        unit=unit_of(found.signature, output_names(found.signature)[output]),
    )


def _file_name(subject: Subject, row: int) -> str:
    words = re.sub(r"[^A-Za-z0-9]+", "-", subject.picks[row].reason).strip("-").lower()
    return f"row-{row + 1:02d}-{words[:_LONGEST_NAME].strip('-')}.png"
