"""The gate's verdicts, condition by condition."""

import pytest

from assay.errors import ConfigError
from assay.gate.decide import (
    Champion,
    Condition,
    Evidence,
    against_champion,
    alias_for,
    judge,
    metric_of,
)
from assay.gate.knobs import Gate

GOAL = metric_of(Gate(), task="classification")
PASSED = Condition(name="a", wanted="b", found="c", passed=True)
FAILED = Condition(name="a", wanted="b", found="c", passed=False)


def evidence(**changes):
    facts = {
        "metrics": {"accuracy": 0.9, "log_loss": 0.3, "roc_auc": None},
        "baselines": {"trivial": {"log_loss": 0.69}, "linear": {"log_loss": 0.2}},
        "difference": 1e-7,
        "tolerance": 1e-4,
        "explanations": {"shap": "trustworthy", "lime": "weak, because R² is 0.2"},
    }
    return Evidence(**{**facts, **changes})


def failed(gate, **changes):
    return [c.name for c in judge(gate, evidence(**changes), goal=GOAL) if not c.passed]


def test_the_default_gate_wants_more_than_guessing():
    assert failed(Gate()) == []
    assert failed(Gate(), metrics={"log_loss": 0.7}) == ["beats the trivial baseline"]


def test_equal_to_a_baseline_is_not_better():
    assert failed(Gate(), metrics={"log_loss": 0.69}) == ["beats the trivial baseline"]


@pytest.mark.parametrize(
    ("gate", "expected"),
    [
        (Gate(minimum={"accuracy": 0.9}), []),
        (Gate(minimum={"accuracy": 0.91}), ["accuracy"]),
        (Gate(maximum={"log_loss": 0.3}), []),
        (Gate(maximum={"log_loss": 0.29}), ["log_loss"]),
        (Gate(minimum={"roc_auc": 0.5}), ["roc_auc"]),
        (Gate(baselines=("trivial", "linear")), ["beats the linear baseline"]),
        (Gate(faithfulness="require"), ["explanations, lime"]),
    ],
)
def test_each_knob_demands_its_condition(gate, expected):
    assert failed(gate) == expected


def test_a_graph_that_differs_fails():
    assert failed(Gate(), difference=1e-3) == ["the graph says what the network said"]
    assert failed(Gate(), difference=float("nan")) == ["the graph says what the network said"]


def test_more_is_better_for_a_metric_that_grows():
    gate = Gate(metric="accuracy")
    goal = metric_of(gate, task="classification")
    scores = {"trivial": {"accuracy": 0.95}}
    found = judge(gate, evidence(baselines=scores), goal=goal)
    assert [c.passed for c in found if "trivial" in c.name] == [False]


def test_names_that_nobody_measured_are_refused_all_at_once():
    gate = Gate(minimum={"acuracy": 0.9}, metric="logloss", baselines=("linnear",))
    with pytest.raises(ConfigError) as error:
        judge(gate, evidence(), goal=metric_of(gate, task="classification"))
    assert len(error.value.problems) == 3
    assert "gate.minimum.acuracy" in str(error.value)
    assert "did you mean 'accuracy'?" in str(error.value)
    assert "did you mean 'linear'?" in str(error.value)


@pytest.mark.parametrize(
    ("margin", "champion", "passed"),
    [(0, 0.31, True), (0, 0.3, False), (0, 0.29, False), (0.05, 0.34, False), (0.05, 0.36, True)],
)
def test_the_champion_is_to_be_beaten_by_the_margin(margin, champion, passed):
    rival = Champion(version="3", value=champion)
    found = against_champion(Gate(margin=margin), value=0.3, champion=rival, goal=GOAL)
    assert found.passed is passed
    assert "version 3" in found.name


def test_where_there_is_no_champion_none_is_to_be_beaten():
    assert against_champion(Gate(), value=0.3, champion=None, goal=GOAL).passed


@pytest.mark.parametrize(("rule", "passed"), [("keep", False), ("replace", True)])
def test_a_champion_that_cannot_be_run_is_kept_unless_the_gate_says_otherwise(rule, passed):
    rival = Champion(version="1", value=None, note="column 'age' is missing")
    found = against_champion(Gate(incomparable=rule), value=0.3, champion=rival, goal=GOAL)
    assert found.passed is passed
    assert "column 'age' is missing" in str(found)


@pytest.mark.parametrize(
    ("gate", "conditions", "experiment", "alias", "why"),
    [
        (Gate(), [PASSED], None, "champion", "every condition passed"),
        (Gate(), [PASSED, FAILED], None, "challenger", "a condition failed"),
        (Gate(), [PASSED], "busty-lav", "challenger", "'busty-lav' is a DVC experiment"),
        (Gate(alias="manual"), [PASSED], None, "challenger", "gate.alias is manual"),
    ],
)
def test_the_alias_and_its_reason(gate, conditions, experiment, alias, why):
    found, reason = alias_for(gate, conditions, experiment=experiment)
    assert found == alias
    assert why in reason
