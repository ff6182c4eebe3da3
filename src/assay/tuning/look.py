"""One page of interactive pictures of a search, from Optuna's own; it needs no network."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import optuna
from optuna import visualization
from optuna.importance import get_param_importances
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState
from plotly import graph_objects

from assay.tuning.attempts import is_ended, key_of
from assay.tuning.sheet import Drawn, sheet
from assay.tuning.worker import Studies

_ONE_PAIR, _MOST_IN_A_GRID = 2, 4
_WIDE = 20  # an axis on which the largest is so many times the least is logarithmic


def page(studies: Studies, *, names: Sequence[str]) -> str:
    """Return the page of the trials that have ended; ``names`` are those of the objectives.

    A picture for which there are too few trials is left away.
    """
    study = _study(studies)
    lead = f"{', '.join(names).replace('_', ' ')} on the validation split"
    return sheet(f"Search: {_counted(study)}", lead, list(_drawn(study, names)))


def _study(studies: Studies) -> optuna.Study:
    """Return a study in memory of each trial's last attempt, under the trial's own number."""
    attempts = studies.open().trials.attempts()
    ended = {key_of(attempt)[0]: attempt for attempt in attempts if is_ended(attempt)}
    study = optuna.create_study(directions=list(studies.problem.directions))
    study.add_trials([ended[number] for number in sorted(ended)])
    return study


def _counted(study: optuna.Study) -> str:
    states = [trial.state for trial in study.trials]
    shown = {
        TrialState.COMPLETE: "complete",
        TrialState.PRUNED: "stopped early",
        TrialState.FAIL: "failed",
    }
    counts = [f"{states.count(state)} {word}" for state, word in shown.items() if state in states]
    return ", ".join([f"{len(states)} trials", *counts])


def _drawn(study: optuna.Study, names: Sequence[str]) -> Iterator[Drawn]:
    """Yield heading, how to read it, and the picture, of those that there are trials for."""
    complete = [trial for trial in study.trials if trial.state == TrialState.COMPLETE]
    if complete and len(names) > 1:
        yield (
            "Pareto front",
            "Red: no other trial is better in one objective and no worse in the rest.",
            _scaled(visualization.plot_pareto_front(study, target_names=list(names)), complete),
        )
    for place, name in enumerate(names):
        ours = [trial for trial in complete if math.isfinite(trial.values[place])]
        yield from _of_objective(study, ours, name=name, place=place)
    if study.trials:
        words = "When each trial ran and how it ended: gaps are workers without work."
        yield "Timeline", words, visualization.plot_timeline(study)


def _of_objective(
    study: optuna.Study, complete: Sequence[FrozenTrial], *, name: str, place: int
) -> Iterator[Drawn]:
    if not complete:
        return
    words, is_one = name.replace("_", " "), len(study.directions) == 1
    known: dict[str, Any] = {"target_name": name}
    known |= {} if is_one else {"target": _target(place)}
    yield (
        f"History of {words}",
        "A point a finished trial, and the best so far." if is_one else "A point a finished trial.",
        visualization.plot_optimization_history(study, **known),
    )
    keys = _varied(complete)
    important = _important(study, keys, place=place)
    if important:
        yield (
            f"What matters for {words}",
            "Each parameter's share of the difference between the better trials and all "
            "(PED-ANOVA, Watanabe et al. 2023, arXiv:2304.10255), of those that every trial has; "
            "a guess where trials are few.",
            _bars(important),
        )
    if not keys:
        return
    yield (
        f"Slices of {words}",
        "The objective against one parameter at a time; darker is later.",
        _unquoted(_sparse(visualization.plot_slice(study, params=keys, **known))).update_layout(
            width=None
        ),
    )
    if len(few := _in_pairs(complete, [*dict.fromkeys([*important, *keys])])) > 1:
        yield (
            f"Pairs of parameters for {words}",
            "The objective over two numbers at a time, guessed between the trials, which are points.",
            _sparse(visualization.plot_contour(study, params=few, **known)).update_layout(
                height=480 if len(few) == _ONE_PAIR else 820
            ),
        )
    yield (
        f"All parameters at once for {words}",
        "A line a finished trial, the darker the better; drag along an axis to see only some. "
        "None: the parameter does not exist beside the others.",
        visualization.plot_parallel_coordinate(study, params=keys, **known),
    )


def _scaled(front: Any, complete: Sequence[FrozenTrial]) -> Any:
    """Let the axes of an objective be logarithmic on which a few large values would hide the rest."""
    axes = (front.update_xaxes, front.update_yaxes)
    for values, update in zip(zip(*(t.values for t in complete), strict=True), axes, strict=False):
        if min(values) > 0 and max(values) > _WIDE * min(values) and len(complete[0].values) == 2:
            update(type="log", dtick=1)
    return front


def _sparse(figure: Any) -> Any:
    """Label the powers of ten alone where an axis is logarithmic: small pictures hold no more."""
    for axis in (*figure.select_xaxes({"type": "log"}), *figure.select_yaxes({"type": "log"})):
        axis.update(dtick=1, exponentformat="power")
    return figure


def _unquoted(figure: Any) -> Any:
    """Take the quotes off the words along an axis."""
    for trace in figure.data:
        trace.x = [x.strip("'") if isinstance(x, str) else x for x in trace.x]
    for axis in figure.select_xaxes(lambda axis: axis.categoryarray):
        axis.categoryarray = [str(x).strip("'") for x in axis.categoryarray]
    return figure


def _in_pairs(complete: Sequence[FrozenTrial], keys: Sequence[str]) -> list[str]:
    """Return the first few parameters that are numbers and exist beside each other in some trial.

    Between two words there is nothing to draw.
    """
    chosen: list[str] = []
    for key in keys:
        having = [trial.params for trial in complete if key in trial.params]
        is_number = all(type(params[key]) in (int, float) for params in having)
        is_beside = all(any(other in params for params in having) for other in chosen)
        if is_number and is_beside:
            chosen.append(key)
    return chosen[:_MOST_IN_A_GRID]


def _bars(important: Mapping[str, float]) -> Any:
    """Draw what ``_important`` found: Optuna's own picture would compute it once more."""
    keys, shares = [*important][::-1], [*important.values()][::-1]
    bars = graph_objects.Bar(
        x=shares, y=keys, orientation="h", text=[f"{share:.0%}" for share in shares]
    )
    return graph_objects.Figure(bars).update_xaxes(title="share", tickformat=".0%")


def _target(place: int) -> Callable[[FrozenTrial], float]:
    return lambda trial: float(trial.values[place])


def _varied(complete: Sequence[FrozenTrial]) -> list[str]:
    """Return the parameters of which the finished trials tried several values."""
    keys = sorted({key for trial in complete for key in trial.params})
    return [
        key for key in keys if len({str(t.params[key]) for t in complete if key in t.params}) > 1
    ]


def _important(study: optuna.Study, keys: Sequence[str], *, place: int) -> dict[str, float]:
    """Return the parameters by importance, nothing where the trials are too few or too alike."""
    complete = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    everywhere = [key for key in keys if all(key in trial.params for trial in complete)]
    sign = 1 if study.directions[place] == StudyDirection.MINIMIZE else -1
    if len({trial.values[place] for trial in complete}) < 2 or not everywhere:
        return {}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that low values are taken for the better ones
            return get_param_importances(
                study, params=everywhere, target=lambda trial: sign * float(trial.values[place])
            )
    except (ValueError, RuntimeError):
        return {}
