"""What is explained, in words: of a sample, of a row, and in which unit."""

from __future__ import annotations

from assay.data.labels import JOINT
from assay.data.spec import OF_STEPS, required
from assay.explanation.subject import Subject
from assay.figures.attribution import Headline
from assay.inference.signature import Signature

_SURE = {
    "language_modelling": "The next token's probability:",
    "tagging": "The tags' mean probability:",
}


def headline_of(signature: Signature, subject: Subject, row: int) -> Headline:
    """Return what stands over the picture of a row: what was predicted, the truth, and why this row."""
    output, target = subject.output[row], subject.targets[row]
    subtitle = f"row {subject.ids[row]}: {subject.picks[row].reason}"
    if signature.task == "reconstruction":
        flag = "an anomaly" if output[0] > required(signature.threshold) else "normal"
        subtitle += " · orange raises the score, blue lowers it"
        return Headline(title=f"Score {output[0]:.3g}: {flag}, truly {target}", subtitle=subtitle)
    if signature.task in OF_STEPS:
        subtitle += " · orange makes the model surer, blue less sure"
        return Headline(title=f"{_SURE[signature.task]} {output[0]:.1%}", subtitle=subtitle)
    if signature.forecast:
        subtitle += " · orange raises the forecast, blue lowers it"
        mean = explained_words(signature).removeprefix("the ")
        title = f"{mean[0].upper()}{mean[1:]}: forecast {output[0]:.4g}, truly {target:.4g}"
        return Headline(title=title, subtitle=subtitle)
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
    """Return what the picture of a whole sample explains, in words; of forecasts which steps."""
    if of := signature.forecast:
        ahead = f"mean of the next {of.horizon} steps" if of.horizon > 1 else "next step"
        return f"the {ahead} of {of.series[0]}"
    if not signature.classes or signature.task in OF_STEPS:
        return signature.outputs[0].name
    if len(signature.classes) == 2 and signature.task == "classification":
        return f"the probability of {signature.classes[1]}"
    return "the predicted class's probability"


def output_names(signature: Signature) -> list[str]:
    """Return what each output of the graph is called."""
    if signature.task in OF_STEPS:
        return ["sureness"]
    if signature.forecast:
        return [explained_words(signature).removeprefix("the ")]
    return [str(c) for c in signature.classes] or [signature.outputs[0].name]


def unit_of(signature: Signature, name: str) -> str:
    """Return what the output called ``name`` is measured in."""
    if signature.task in OF_STEPS:
        return "probability of what the model holds most probable"
    return f"probability of {name}" if signature.classes else name


def amount(signature: Signature) -> str:
    """Return what importance is measured in."""
    if signature.task == "reconstruction":
        return "score"
    is_probability = signature.classes or signature.task in OF_STEPS
    return "probability" if is_probability else "the target's unit"
