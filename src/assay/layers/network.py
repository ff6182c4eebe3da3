"""The whole network: the fixed first layer, an adapter where one is needed, and a model's body."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor, nn

from assay.data.spec import Spec
from assay.errors import ConfigError
from assay.layers.adapters import adapter
from assay.layers.answer import answer_of, text_log_likelihood
from assay.layers.judge import Judge
from assay.layers.level import Level
from assay.layers.preprocess import preprocess
from assay.layers.shape import Model, answers_of, form_of, forms_of


class Network(nn.Module):
    """From a batch as ``Split.batch`` gives it to outputs.

    Inputs are given by name: ``numeric`` float32 (batch, columns) with NaN for a missing value,
    ``categorical`` int64 codes (batch, columns), ``image`` uint8 (batch, channels, height, width),
    ``sequence`` float32 (batch, steps, channels) or ``tokens`` int64 (batch, steps) with ``lengths``
    int64 (batch,); a generator takes ``noise`` float32 (batch, latent).
    Raises ConfigError when the model cannot take this kind of data, or cannot give
    what its task asks for.
    """

    def __init__(self, *, spec: Spec, model: Model) -> None:
        super().__init__()
        self.preprocess = preprocess(spec)
        name, form = type(model).__name__.lower(), form_of(spec.task)
        if form not in forms_of(model):
            raise ConfigError(
                [
                    f"model: {name} gives an answer for each {' or '.join(forms_of(model))}, but "
                    f"{spec.task} asks for one for each {form}"
                ]
            )
        self.adapter, shape = adapter(self.preprocess.shape, takes=model.takes, name=name)
        self.is_language = spec.task == "language_modelling"
        asked = replace(
            shape, gives=form, is_causal=self.is_language, answers=answers_of(spec.task)
        )
        self.body, self.outputs = model.build(asked, spec.outputs), spec.outputs
        self.answer = answer_of(spec)
        forecast = spec.forecast
        self.level = Level(forecast) if forecast and forecast.level == "last" else None
        self.is_paired = form == "input"
        judged = replace(spec, task="classification")
        self.judge = Network(spec=judged, model=Judge()) if form == "sample" else None

    def forward(self, **inputs: Tensor) -> Tensor:
        """Return the body's float32 outputs.

        For classes, logits (batch, classes); for a number, the scaled target (batch, 1); for
        forecasts, scaled steps and series in one axis; for steps, logits (batch, steps, classes). A
        body of several members may answer each row several times in training, all rows by the first
        member, then all by the second. A body that gives its input again is put beside it, (batch, 2,
        features): what it gave, and what it was given. A generator gives images of -1 to 1.
        """
        if self.judge is not None:
            return self.body(**inputs)  # type: ignore[no-any-return]  # modules are untyped
        first = self.preprocess(**inputs)
        if self.level is not None:
            sequence, level = self.level.out_of(*first)
            outputs: Tensor = self.body(*self.adapter(sequence, first[1]))
            return self.level.into(outputs, level)
        given = self.adapter(*first)
        outputs = self.body(*given)
        if self.is_paired:
            return torch.stack([outputs.flatten(1), given[0].flatten(1)], dim=1)
        return outputs

    def predict(self, **inputs: Tensor) -> Tensor:
        """Return the task's answer, as ``assay.layers.answer`` says."""
        answer: Tensor = self.answer(self(**inputs))
        return answer

    def scores(self, **inputs: Tensor) -> Tensor:
        """Return what metrics take: the answer, but of a text its log-likelihood (batch,)."""
        answer = self.predict(**inputs)
        if not self.is_language:
            return answer
        return text_log_likelihood(answer, inputs["tokens"], inputs["lengths"])

    def given(self, **inputs: Tensor) -> Tensor:
        """Return what the body is given of inputs without lengths."""
        return self.adapter(*self.preprocess(**inputs))[0]  # type: ignore[no-any-return]  # untyped

    def penalty(self) -> Tensor | None:
        """Return what the last forward adds to the loss, a scalar, where the body has such a thing."""
        found = getattr(self.body, "penalty", None)
        return None if found is None else found()

    def rate_of(self, name: str) -> float:
        """Return the share of the learning rate that a parameter takes; 1 unless the body says less."""
        found = getattr(self.body, "rate_of", None)
        return 1.0 if found is None else float(found(name.removeprefix("body.")))
