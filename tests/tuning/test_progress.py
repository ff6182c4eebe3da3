"""What a search says while it runs."""

import logging

from assay.tuning.progress import shown, summary
from assay.tuning.trial import Result, Trial


def trial(number, state, value=None):
    return Trial(
        number=number, state=state, value=value, values={}, reason="", seconds=1.0, curve={}
    )


def test_the_summary_counts_states_and_names_the_best():
    best = trial(1, "complete", 0.25)
    result = Result(trials=(trial(0, "pruned"), best, trial(2, "failed")), best=best)
    line = summary(result, objective="log_loss")
    assert line == "1 complete, 1 pruned, 1 failed, best log_loss 0.25 (trial 1)"


def test_without_a_terminal_each_trial_is_a_line(caplog):
    caplog.set_level(logging.INFO)
    best = trial(0, "complete", 0.5)
    with shown(objective="rmse") as show:
        show(Result(total=3))
        show(Result(trials=(best,), total=3, fresh=1, best=best))
    assert [r.message for r in caplog.records] == [
        "search: 1 of 3 trials: 1 complete, best rmse 0.5 (trial 0)"
    ]
