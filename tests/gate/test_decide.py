"""The gate's verdicts, condition by condition."""

import pytest

from assay.errors import ConfigError
from assay.gate.condition import Condition
from assay.gate.decide import Evidence, alias_for, judge, metric_of
from assay.gate.knobs import Gate

GOAL = metric_of(Gate(), task="classification")
PASSED = Condition(name="a", wanted="b", found="c", passed=True)
FAILED = Condition(name="a", wanted="b", found="c", passed=False)


def measured(**values):
    return {name: {"value": v, "low": v, "high": v} for name, v in values.items()}


def evidence(**changes):
    undefined = {"value": None, "low": None, "high": None, "reason": "only 1 of the 2 classes"}
    facts = {
        "metrics": {**measured(accuracy=0.9, log_loss=0.3, ece=0.04), "roc_auc": undefined},
        "baselines": {"trivial": measured(log_loss=0.69), "linear": measured(log_loss=0.2)},
        "difference": 1e-7,
        "tolerance": 1e-4,
        "warnings": ["target leaks: x alone predicts the target"],
        "latency_ms": (1.5, 1.4, 1.7),
        "size_bytes": 1500,
        "explanations": {"shap": "trustworthy", "lime": "weak, because R² is 0.2"},
    }
    return Evidence(**{**facts, **changes})


def failed(gate, **changes):
    return [c.name for c in judge(gate, evidence(**changes), goal=GOAL) if not c.passed]


def test_the_default_gate_wants_more_than_guessing():
    assert failed(Gate()) == []
    assert failed(Gate(), metrics=measured(log_loss=0.7)) == ["beats the trivial baseline"]


def test_a_baseline_is_beaten_where_the_paired_interval_says_so():
    shown = {}
    for high in (-0.01, 0.01):
        beside = {"linear": {"log_loss": {"value": -0.1, "low": -0.2, "high": high}}}
        near = {"trivial": measured(log_loss=0.69), "linear": measured(log_loss=0.4)}
        found = judge(
            Gate(baselines=("linear",)), evidence(baselines=near, beside=beside), goal=GOAL
        )
        shown[high] = next(c for c in found if "linear" in c.name)
    assert shown[-0.01].passed and shown[-0.01].word == "superior"
    assert not shown[0.01].passed and shown[0.01].word == "undecided"
    assert "gain +0.1 (-0.01 to +0.2), paired bootstrap" in str(shown[0.01])


def test_a_gain_that_was_asked_for_must_be_shown_too():
    beside = {"trivial": {"log_loss": {"value": -0.39, "low": -0.5, "high": -0.2}}}
    assert failed(Gate(baseline_gain=0.2), beside=beside) == []
    assert failed(Gate(baseline_gain=0.3), beside=beside) == ["beats the trivial baseline"]


def test_a_bound_within_the_interval_is_said_to_be_left_to_chance():
    metrics = {**evidence().metrics, "accuracy": {"value": 0.9, "low": 0.86, "high": 0.94}}
    for bound, is_across in ((0.89, True), (0.91, True), (0.85, False), (0.95, False)):
        gate = Gate(minimum={"accuracy": bound})
        (found,) = (
            c for c in judge(gate, evidence(metrics=metrics), goal=GOAL) if c.name == "accuracy"
        )
        assert found.passed is (bound <= 0.9)
        assert ("reaches over the bound" in found.reason) is is_across


def test_equal_to_a_baseline_is_not_better():
    assert failed(Gate(), metrics=measured(log_loss=0.69)) == ["beats the trivial baseline"]


@pytest.mark.parametrize(
    ("gate", "expected"),
    [
        (Gate(minimum={"accuracy": 0.9}), []),
        (Gate(minimum={"accuracy": 0.91}), ["accuracy"]),
        (Gate(maximum={"log_loss": 0.3}), []),
        (Gate(maximum={"log_loss": 0.29}), ["log_loss"]),
        (Gate(minimum={"roc_auc": 0.5}), ["roc_auc"]),
        (Gate(baselines=("trivial", "linear")), ["beats the linear baseline"]),
        (Gate(baseline_gain=0.3), []),
        (Gate(baseline_gain=0.4), ["beats the trivial baseline"]),
        (Gate(faithfulness="require"), ["explanations, lime"]),
        (Gate(calibration=0.04), []),
        (Gate(calibration=0.03), ["calibration"]),
        (Gate(checks="require"), ["the checks of the data"]),
        (Gate(latency_ms=2), []),
        (Gate(latency_ms=1), ["latency of one row, 95th percentile"]),
        (Gate(size_mb=0.002), []),
        (Gate(size_mb=0.001), ["size of the graph"]),
    ],
)
def test_each_knob_demands_its_condition(gate, expected):
    assert failed(gate) == expected


def test_a_metric_that_is_undefined_on_these_rows_says_why():
    gate = Gate(minimum={"roc_auc": 0.5})
    (found,) = [c for c in judge(gate, evidence(), goal=GOAL) if c.name == "roc_auc"]
    assert str(found).endswith("found an undefined value (only 1 of the 2 classes): failed")


def test_a_margin_of_nothing_is_refused_where_something_may_be_lost():
    with pytest.raises(ConfigError, match=r"gate\.margin: expected more than 0 .* got 0"):
        judge(Gate(champion="not_inferior"), evidence(), goal=GOAL)


def test_a_graph_that_differs_fails():
    assert failed(Gate(), difference=1e-3) == ["the graph says what the network said"]
    assert failed(Gate(), difference=float("nan")) == ["the graph says what the network said"]


def test_more_is_better_for_a_metric_that_grows():
    gate = Gate(metric="accuracy")
    goal = metric_of(gate, task="classification")
    scores = {"trivial": measured(accuracy=0.95)}
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
