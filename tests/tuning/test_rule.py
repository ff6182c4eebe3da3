"""Several objectives: a named rule picks one trial of the front."""

import pytest

from assay.space import Interval
from assay.tuning.knobs import Search
from assay.tuning.problem import Problem
from assay.tuning.rule import picked
from assay.tuning.trial import Trial

PROBLEM = Problem(
    study="s", space={"x": Interval(low=0, high=1)}, directions=("minimize", "minimize")
)


def trials(*values, error=0.0):
    return [
        Trial(
            number=number,
            state="pruned" if pair is None else "complete",
            value=pair and pair[0],
            more=() if pair is None else pair[1:],
            error=error,
            values={},
            reason="",
            seconds=1.0,
            curve={},
        )
        for number, pair in enumerate(values)
    ]


FOUND = trials((0.50, 1.0), (0.20, 9.0), (0.22, 4.0), None, (0.22, 4.0), (0.60, 2.0), error=0.03)


@pytest.mark.parametrize(
    ("rule", "margin", "number"),
    [
        ("first", 1.0, 1),
        ("within_error", 1.0, 2),
        ("within_error", 0.0, 1),
        ("within_error", 100.0, 0),
        ("knee", 1.0, 2),
    ],
)
def test_a_rule_picks_one(rule, margin, number):
    knobs = Search(rule=rule, margin=margin)
    assert picked(FOUND, problem=PROBLEM, knobs=knobs).number == number
    assert picked(trials(None), problem=PROBLEM, knobs=knobs) is None
