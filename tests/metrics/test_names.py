"""The names that are told before anything is measured are those that are measured."""

from typing import get_args

import numpy as np
import pytest

from assay.data.spec import Task
from assay.metrics.names import metric_names
from assay.metrics.objective import objective
from assay.metrics.scores import score


@pytest.mark.parametrize("task", get_args(Task))
def test_a_task_has_its_objective(task):
    assert objective(task).name in metric_names(task)


def test_a_cost_is_a_metric_where_mistakes_have_costs():
    assert "cost" not in metric_names("classification")
    assert "cost" in metric_names("classification", has_costs=True)


def test_they_are_those_of_three_classes_too():
    output = np.full((4, 3), 1 / 3)
    found = score("classification", target=np.array([0, 1, 2, 0]), output=output)
    assert tuple(found) == metric_names("classification")
