"""One page of interactive pictures of a search, from Optuna's own; it needs no network."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from html import escape
from typing import Any, TypeAlias

import optuna
from optuna import visualization
from optuna.importance import get_param_importances
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState
from plotly import graph_objects

from assay.tuning.attempts import is_ended, key_of
from assay.tuning.worker import Studies

_MOST_IN_A_GRID = 4
_COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00")
_STYLE = """
body{font:16px/1.5 system-ui,sans-serif;color:#1a1a1a;background:#fff;max-width:72rem;margin:2rem auto;
padding:0 1.2rem}h1{font-size:1.7rem;margin-bottom:.2rem}h2{margin:2.2rem 0 0;font-size:1.25rem}
p{color:#6e6e6e;margin:0 0 .6rem}
"""
_Drawn: TypeAlias = tuple[str, str, Any]


def page(studies: Studies, *, names: Sequence[str]) -> str:
    """Return the page of the trials that have ended; ``names`` are those of the objectives.

    It has the whole of plotly.js within it, once. A picture for which there are too few trials is
    left away.
    """
    study = _study(studies)
    parts: list[str] = []
    for heading, words, figure in _drawn(study, names):
        figure.update_layout(
            template="plotly_white",
            colorway=_COLORS,
            title=None,
            margin={"t": 30, "l": 70, "b": 60},
        )
        drawing = figure.to_html(full_html=False, include_plotlyjs=not parts)
        parts.append(f"<h2>{heading}</h2><p>{words}</p>{drawing}")
    title = f"Search: {_counted(study)}"
    head = f"<!doctype html><html lang=en><meta charset=utf-8><title>{escape(title)}</title>"
    lead = f"<p>{escape(', '.join(names).replace('_', ' '))} on the validation split</p>"
    return "\n".join([head, f"<style>{_STYLE}</style><h1>{escape(title)}</h1>{lead}", *parts, ""])


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


def _drawn(study: optuna.Study, names: Sequence[str]) -> Iterator[_Drawn]:
    """Yield heading, how to read it, and the picture, of those that there are trials for."""
    complete = [trial for trial in study.trials if trial.state == TrialState.COMPLETE]
    if complete and len(names) > 1:
        yield (
            "Pareto front",
            "Coloured: no other trial is better in one objective and no worse in the rest.",
            visualization.plot_pareto_front(study, target_names=list(names)),
        )
    for place, name in enumerate(names):
        ours = [trial for trial in complete if math.isfinite(trial.values[place])]
        yield from _of_objective(study, ours, name=name, place=place)
    if study.trials:
        words = "When each trial ran and how it ended: gaps are workers without work."
        yield "Timeline", words, visualization.plot_timeline(study)


def _of_objective(
    study: optuna.Study, complete: Sequence[FrozenTrial], *, name: str, place: int
) -> Iterator[_Drawn]:
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
            "(PED-ANOVA, Watanabe et al. 2023, arXiv:2304.10255); a guess where trials are few.",
            _bars(important),
        )
    if not keys:
        return
    yield (
        f"Slices of {words}",
        "The objective against one parameter at a time; darker is later.",
        visualization.plot_slice(study, params=keys, **known).update_layout(width=None),
    )
    if len(few := [*important, *(k for k in keys if k not in important)][:_MOST_IN_A_GRID]) > 1:
        yield (
            f"Pairs of parameters for {words}",
            f"The objective over two parameters at a time, of the {len(few)} that matter most.",
            visualization.plot_contour(study, params=few, **known).update_layout(height=820),
        )
    yield (
        f"All parameters at once for {words}",
        "A line a finished trial; drag along an axis to see only some.",
        visualization.plot_parallel_coordinate(study, params=keys, **known),
    )


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
