"""The names that are told before anything is fitted are those that are fitted."""

from typing import get_args

from assay.baselines import detectors, forecasts, language, samplers
from assay.baselines.models import BASELINES
from assay.baselines.names import baseline_names
from assay.data.spec import Kind


def test_they_are_those_of_each_kind_of_data():
    for kind in get_args(Kind):
        fitted = [name for name, baseline in BASELINES.items() if kind in baseline.kinds]
        assert list(baseline_names("classification", kind=kind)) == fitted


def test_they_are_those_of_the_tasks_that_have_their_own():
    assert baseline_names("reconstruction", kind="table") == tuple(detectors._DETECTORS)
    assert baseline_names("forecasting", kind="sequence") == (*forecasts._AHEAD, "linear")
    assert baseline_names("language_modelling", kind="text") == tuple(language._NAMES.values())
    assert baseline_names("generation", kind="image") == tuple(samplers.SAMPLERS)
