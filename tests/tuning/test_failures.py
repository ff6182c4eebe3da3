"""What becomes of a trial that fails, and when failures end the search."""

import pytest
import torch
from tests.tuning.bowl import SPACE, bowl

from assay.errors import ConfigError, TrainingError
from assay.tuning.attempt import failure


def raises(*errors):
    """Return a trial function that raises the errors in trials 1, 2 and so on."""

    def run(values, report, number):
        if 1 <= number <= len(errors):
            raise errors[number - 1]
        return bowl(values, report, number)

    return run


def a_gigantic_tensor():
    try:
        torch.empty(2**50)
    except RuntimeError as error:
        return error


@pytest.mark.parametrize(
    "error", [MemoryError(), torch.OutOfMemoryError("CUDA out of memory"), a_gigantic_tensor()]
)
def test_out_of_memory_fails_a_trial_with_that_reason(start, error):
    result = start(raises(error))
    assert [t.state for t in result.trials] == ["complete", "failed"] + ["complete"] * 6
    assert result.trials[1].reason.startswith(f"out of memory ({type(error).__name__}")


def test_an_exception_fails_a_trial_with_its_kind_and_words(start, caplog):
    result = start(raises(ZeroDivisionError("division by zero")))
    assert result.trials[1].reason == "ZeroDivisionError: division by zero"
    assert "search: trial 1 failed: ZeroDivisionError" in caplog.text
    assert start().fresh == 0


def test_every_problem_of_a_refused_configuration_is_told_in_one_line():
    told = failure(ConfigError(["model.width: too small", "model.depth: too large"]))
    assert "model.width: too small" in told and "model.depth: too large" in told
    assert "\n" not in told
    assert failure(ValueError("no such axis\nin a long trace")) == "ValueError: no such axis"


def test_a_search_bears_a_share_of_failures_and_then_says_which_trials_failed_and_why(start):
    ran = []

    def run(values, report, number):
        ran.append(number)
        return raises(ValueError("one"), MemoryError(), KeyError("three"))(values, report, number)

    message = (
        r"3 of the search's 8 trials failed, more than search.max_failure_rate lets it bear:\n"
        r"  - trial 1: ValueError: one\n  - trial 2: out of memory \(MemoryError\)\n"
        r"  - trial 3: KeyError: 'three'"
    )
    with pytest.raises(TrainingError, match=message):
        start(run, max_failure_rate=0.25)
    assert ran == [0, 1, 2, 3]
    with pytest.raises(TrainingError, match="3 of the search's 8"):
        start(run, max_failure_rate=0.25)
    assert ran == [0, 1, 2, 3]
    assert len(start(run, max_failure_rate=0.375).trials) == 8


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (
            {"space": {**SPACE, "model.width": SPACE["training.lr"]}},
            "search.space.model.width: was ",
        ),
        ({"space": {"training.lr": SPACE["training.lr"]}}, "is now absent"),
        ({"directions": ("maximize",)}, "directions: was minimize, is now maximize"),
        ({"facts": {"objective": "rmse"}}, "objective: was log_loss, is now rmse"),
        ({"sampler": "random"}, "search.sampler: was tpe, is now random"),
        ({"seed": 1}, "seed: was 0, is now 1"),
    ],
)
def test_a_study_that_searched_something_else_is_refused(start, change, says):
    first = start(trials=1, facts={"objective": "log_loss"})
    with pytest.raises(ConfigError, match=says) as error:
        start(**{"trials": 1, "facts": {"objective": "log_loss"}, **change})
    assert "study 's' searched something else, and is left as it is" in str(error.value)
    assert start(trials=1, facts={"objective": "log_loss"}).trials == first.trials
