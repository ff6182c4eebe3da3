"""What is explained is said in words."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from tests.synthetic import forecast_inputs

from assay.inference.signature import signature_of
from assay.pipeline.explaining.words import explained_words, output_names


def test_the_steps_of_a_forecast_that_are_explained_are_named(tmp_path: Path) -> None:
    spec = forecast_inputs(tmp_path).spec
    assert spec.forecast is not None
    series, signature = spec.forecast.series[0], signature_of(spec)
    assert explained_words(signature) == f"the mean of the next 3 steps of {series}"
    assert output_names(signature) == [f"mean of the next 3 steps of {series}"]
    single = signature_of(replace(spec, forecast=replace(spec.forecast, horizon=1)))
    assert explained_words(single) == f"the next step of {series}"
