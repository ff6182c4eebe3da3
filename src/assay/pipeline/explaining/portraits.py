"""Draw explanations: what they mean for the room that draws, told in its words."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from assay.data.labels import JOINT
from assay.data.spec import OF_STEPS, required
from assay.explanation.faithfulness import LOCAL_R2
from assay.explanation.outcome import Outcome, explained_values
from assay.explanation.sources import ImageSources
from assay.explanation.steps import SeriesSources, TokenSources
from assay.explanation.subject import Subject
from assay.explanation.tables import (
    cell_levels,
    cell_texts,
    common_output,
)
from assay.figures.explanation import (
    Contributions,
    Headline,
    beeswarm,
    class_maps,
    image_row,
    importance_bars,
    importance_map,
    table_row,
)
from assay.figures.steps import series_row, text_row
from assay.inference.signature import Signature

_MOST_CLASSES = 20
_SURE = {
    "language_modelling": "The next token's probability:",
    "tagging": "The tags' mean probability:",
}
_LONGEST_NAME = 80


def draw_explanations(
    folder: Path, signature: Signature, subject: Subject, *, outcome: Outcome, top: int
) -> None:
    """Draw the whole and each explained row into a new folder."""
    folder.mkdir()
    if isinstance(subject.sources, ImageSources):
        _draw_images(folder, signature, subject, outcome=outcome)
        return
    found = outcome.importance
    importance_bars(
        folder / "importance.png",
        names=found.names,
        mean=found.mean,
        low=found.low,
        high=found.high,
        unit=amount(signature),
        top=top,
    )
    if isinstance(subject.sources, SeriesSources | TokenSources):
        _draw_steps(folder, signature, subject, outcome=outcome)
    else:
        _draw_tables(folder, signature, subject, outcome=outcome, top=top)


def _draw_steps(folder: Path, signature: Signature, subject: Subject, *, outcome: Outcome) -> None:
    """Draw each explained row as what it is: bands over the channels, or coloured words."""
    sources = subject.sources
    for row in subject.chosen.tolist():
        place, headline = folder / _file_name(subject, row), _headline(signature, subject, row)
        found = _contributions(signature, subject, outcome, row)
        if isinstance(sources, SeriesSources):
            count = len(sources.channels)
            bands = found.shap[: count * (len(sources.bounds) - 1)].reshape(count, -1)
            series_row(
                place,
                headline=headline,
                steps=sources.row(row),
                channels=sources.channels,
                bounds=sources.bounds,
                bands=bands,
            )
        elif isinstance(sources, TokenSources):
            words = [(w, v) for w, v in zip(sources.cells(row), found.shap, strict=True) if w]
            text_row(place, headline=headline, words=words, unit=found.unit)


def _draw_tables(
    folder: Path, signature: Signature, subject: Subject, *, outcome: Outcome, top: int
) -> None:
    names = subject.sources.names
    shown, explained = common_output(subject, signature), explained_words(signature)
    beeswarm(
        folder / "summary.png",
        names=names,
        values=explained_values(outcome.sample.values, shown),
        levels=cell_levels(subject.sources, subject.sample),
        explained=explained,
        top=top,
    )
    for row in subject.chosen.tolist():
        cells = cell_texts(subject.sources, row)
        table_row(
            folder / _file_name(subject, row),
            headline=_headline(signature, subject, row),
            names=[f"{n} = {text}" for n, text in zip(names, cells, strict=True)],
            found=_contributions(signature, subject, outcome, row),
            top=top,
        )


def _draw_images(folder: Path, signature: Signature, subject: Subject, *, outcome: Outcome) -> None:
    sources = subject.sources
    assert isinstance(sources, ImageSources)  # the caller has looked
    grey = _images(sources, subject.sample).mean(axis=1)
    importance_map(
        folder / "importance.png",
        mean=outcome.importance.mean[sources.patch_of],
        backdrop=grey.mean(axis=0),
        unit=amount(signature),
    )
    if signature.task == "classification":
        given = subject.explained_output[subject.sample]
        present = np.unique(given)[:_MOST_CLASSES]
        class_maps(
            folder / "classes.png",
            maps=np.stack(
                [
                    outcome.sample.values[given == k, :, k].mean(axis=0)[sources.patch_of]
                    for k in present
                ]
            ),
            backdrops=np.stack([grey[given == k].mean(axis=0) for k in present]),
            names=[str(signature.classes[k]) for k in present],
        )
    for row in subject.chosen.tolist():
        flat = _contributions(signature, subject, outcome, row)
        image_row(
            folder / _file_name(subject, row),
            headline=_headline(signature, subject, row),
            image=_picture(_images(sources, np.array([row]))[0]),
            found=Contributions(
                **{
                    **vars(flat),
                    "shap": flat.shap[sources.patch_of],
                    "lime": flat.lime[sources.patch_of],
                }
            ),
        )


def _images(sources: ImageSources, rows: np.ndarray) -> np.ndarray:
    return next(iter(sources.feeds(sources.codes[rows]).values()))


def _picture(image: np.ndarray) -> np.ndarray:
    return np.moveaxis(image, 0, -1) if len(image) == 3 else image.mean(axis=0)


def _contributions(
    signature: Signature, subject: Subject, outcome: Outcome, row: int
) -> Contributions:
    output = int(subject.explained_output[row])
    name = output_names(signature)[output]
    return Contributions(
        shap=outcome.chosen.values[row, :, output],
        lime=outcome.surrogates[row].values,
        fit=_fit(outcome.surrogates[row].r2),
        base=float(outcome.chosen.base[output]),
        output=float(subject.output[row, output]),
        unit=_unit(signature, name),
    )


def _fit(r2: float) -> str:
    return f"local R² {r2:.2f}" + (", a weak fit" if r2 < LOCAL_R2 else "")


def _headline(signature: Signature, subject: Subject, row: int) -> Headline:
    output, target = subject.output[row], subject.targets[row]
    subtitle = f"row {subject.ids[row]}: {subject.picks[row].reason}"
    if signature.task == "reconstruction":
        flag = "an anomaly" if output[0] > required(signature.threshold) else "normal"
        subtitle += " · orange raises the score, blue lowers it"
        return Headline(title=f"Score {output[0]:.3g}: {flag}, truly {target}", subtitle=subtitle)
    if signature.task in OF_STEPS:
        subtitle += " · orange makes the model surer, blue less sure"
        return Headline(title=f"{_SURE[signature.task]} {output[0]:.1%}", subtitle=subtitle)
    if not signature.classes:
        subtitle += " · orange raises the prediction, blue lowers it"
        return Headline(title=f"Predicted {output[0]:.4g}, truly {target:.4g}", subtitle=subtitle)
    code = int(subject.explained_output[row])
    name = str(signature.classes[code])
    truth = "rightly" if name == str(target) else f"truly {target}"
    subtitle += f" · orange speaks for {name}, blue against it"
    if signature.task == "multilabel":
        truth = ", ".join(str(target).split(JOINT)) or "nothing"
        title = f"Most probable: {name} ({output[code]:.1%}), truly {truth}"
        return Headline(title=title, subtitle=subtitle)
    return Headline(title=f"Predicted {name} ({output[code]:.1%}), {truth}", subtitle=subtitle)


def explained_words(signature: Signature) -> str:
    """Return what the picture of a whole sample explains, in words."""
    if not signature.classes or signature.task in OF_STEPS:
        return signature.outputs[0].name
    if len(signature.classes) == 2 and signature.task == "classification":
        return f"the probability of {signature.classes[1]}"
    return "the predicted class's probability"


def output_names(signature: Signature) -> list[str]:
    """Return what each output of the graph is called."""
    if signature.task in OF_STEPS:
        return ["sureness"]
    if of := signature.forecast:
        return [f"mean of the next {of.horizon} steps of {of.series[0]}"]
    return [str(c) for c in signature.classes] or [signature.outputs[0].name]


def _unit(signature: Signature, name: str) -> str:
    if signature.task in OF_STEPS:
        return "probability of what the model holds most probable"
    return f"probability of {name}" if signature.classes else name


def amount(signature: Signature) -> str:
    """Return what importance is measured in."""
    if signature.task == "reconstruction":
        return "score"
    is_probability = signature.classes or signature.task in OF_STEPS
    return "probability" if is_probability else "the target's unit"


def _file_name(subject: Subject, row: int) -> str:
    words = re.sub(r"[^A-Za-z0-9]+", "-", subject.picks[row].reason).strip("-").lower()
    return f"row-{row + 1:02d}-{words[:_LONGEST_NAME].strip('-')}.png"
