"""What a search says while it runs."""

import logging

from assay.tuning.progress import shown, summary
from assay.tuning.trial import Result, Trial


def trial(number, state, value=None, **more):
    return Trial(
        number=number, state=state, value=value, values={}, reason="", seconds=1.0, curve={}, **more
    )


def test_the_summary_counts_states_and_names_the_best():
    best = trial(1, "complete", 0.25)
    result = Result(trials=(trial(0, "pruned"), best, trial(2, "failed")), best=best)
    line = summary(result, objective="log_loss")
    assert line == "1 complete, 1 pruned, 1 failed, best log_loss 0.25 (trial 1)"


def test_what_was_trained_again_is_told_by_its_mean():
    best = trial(1, "complete", 0.1, repeats=(0.3, 0.2))
    result = Result(
        trials=(trial(0, "complete", 0.4, repeats=(0.4,)), best), again_ended=3, best=best
    )
    line = summary(result, objective="rmse")
    assert line == "2 complete, 3 trained again, best rmse 0.2 ± 0.1 over 3 seeds (trial 1)"


def test_without_a_terminal_each_trial_is_a_line(caplog):
    caplog.set_level(logging.INFO)
    best = trial(0, "complete", 0.5)
    with shown(objective="rmse") as show:
        show(Result(total=3))
        show(Result(trials=(best,), total=3, fresh=1, best=best))
    assert [r.message for r in caplog.records] == [
        "search: 1 of 3 trials: 1 complete, best rmse 0.5 (trial 0)"
    ]


def test_each_further_seed_is_a_line_too_and_an_earlier_start_is_told_once(caplog):
    caplog.set_level(logging.INFO)
    results = [trial(0, "complete", 0.5, repeats=again) for again in ((), (0.7,), (0.7, 0.9))]
    with shown(objective="rmse") as show:
        for best in (*results, results[-1]):
            show(Result(trials=(best,), total=1, again_ended=len(best.repeats), best=best))
    assert [r.message for r in caplog.records] == [
        "search: 1 of 1 trials: 1 complete, best rmse 0.5 (trial 0)",
        "search: these trials ended in an earlier start; it goes on from there",
        "search: 1 of 1 trials: 1 complete, 1 trained again, best rmse 0.6 ± 0.14 over 2 seeds (trial 0)",
        "search: 1 of 1 trials: 1 complete, 2 trained again, best rmse 0.7 ± 0.2 over 3 seeds (trial 0)",
    ]
