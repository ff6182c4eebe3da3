"""The names that are told before anything is fitted are those that are fitted."""

from typing import get_args

from assay.baselines import detectors, forecasts, language, samplers
from assay.baselines.models import BASELINES
from assay.baselines.names import PLAIN, baseline_names, named_baselines, plain_name
from assay.data.spec import Kind, Task


def test_they_are_those_of_each_kind_of_data():
    for kind in get_args(Kind):
        fitted = [name for name, baseline in BASELINES.items() if kind in baseline.kinds]
        assert list(baseline_names("classification", kind=kind)) == fitted


def test_they_are_those_of_the_tasks_that_have_their_own():
    assert baseline_names("reconstruction", kind="table") == tuple(detectors._DETECTORS)
    assert baseline_names("forecasting", kind="sequence") == (*forecasts._AHEAD, "linear")
    assert baseline_names("language_modelling", kind="text") == tuple(language._NAMES.values())
    assert baseline_names("generation", kind="image") == tuple(samplers.SAMPLERS)


def test_plain_stands_for_a_baseline_that_learns_of_every_task_and_kind():
    for kind in get_args(Kind):
        for task in get_args(Task):
            assert plain_name(task, kind=kind) in baseline_names(task, kind=kind)[1:]
    assert plain_name("classification", kind="text") == "words"
    assert plain_name("classification", kind="image") == "linear"


def test_a_baseline_that_is_asked_for_by_both_of_its_names_is_asked_for_once():
    asked = ("trivial", PLAIN, "linear", "from_nothing")
    found = named_baselines(asked, task="regression", kind="table")
    assert found == ("trivial", "linear", "from_nothing")


def test_every_baseline_of_a_kind_of_data_has_words_for_each_task():
    for baseline in BASELINES.values():
        assert {"classification", "multilabel", "regression"} <= set(baseline.about)
