"""A warm start: settings that are known to be good, or the best trials of an earlier study."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import optuna

from assay.errors import ConfigError, nearest
from assay.space import Space, Value
from assay.tuning.attempts import ended_trials, of_engine
from assay.tuning.draw import holds
from assay.tuning.knobs import Search
from assay.tuning.problem import Problem, facts_of, said
from assay.tuning.storage import Place, open_storage, place_of, refusals

_WITHOUT_END = 2**63
_SEARCH = "search"


def warm_start(
    given: Sequence[Mapping[str, Value]],
    *,
    knobs: Search,
    problem: Problem,
    storage: Path | str,
    where: str = _SEARCH,
) -> list[dict[str, Value]]:
    """Return the given settings, and after them those of the earlier study that the knobs name.

    ``given`` has the keys of the space; ``where`` is the node in which all of this was asked for.
    Raises as ``checked_settings`` and ``best_settings``.
    """
    checked_settings(given, space=problem.space, where=where)
    settings = [dict(one) for one in given]
    if knobs.warm_study is None:
        return settings
    place, count = place_of(storage), knobs.warm_trials
    return settings + best_settings(
        place, knobs.warm_study, problem=problem, count=count, where=where
    )


def checked_settings(
    settings: Sequence[Mapping[str, Value]], *, space: Space, where: str = _SEARCH
) -> None:
    """Raise ConfigError for settings of keys that are not searched, or of values outside."""
    problems = [
        f"{where}.warm.{place}.{problem}"
        for place, given in enumerate(settings)
        for problem in _problems(given, space)
    ]
    if problems:
        raise ConfigError(problems)


def _problems(given: Mapping[str, Value], space: Space) -> Iterator[str]:
    for key, value in given.items():
        if key not in space:
            yield f"{key}: is not searched{nearest(key, space)}"
        elif not holds(space[key], value):
            yield f"{key}: {value!r} lies outside the space"


def best_settings(
    place: Place, study: str, *, problem: Problem, count: int, where: str = _SEARCH
) -> list[dict[str, Value]]:
    """Return the settings of the best trials of an earlier study, by its first objective.

    Raises ConfigError where there is no such study, or where it searched another space, with how
    the two differ; ArtifactError where the storage cannot be used.
    """
    with refusals(place):
        storage = open_storage(place)
        known = optuna.get_all_study_names(storage)
        if study not in known:
            raise ConfigError(
                [f"{where}.warm_study: there is no study '{study}'{nearest(study, known)}"]
            )
        earlier = optuna.load_study(study_name=study, storage=storage)
        _require_same_space(earlier, problem.space, where=where)
        trials = ended_trials(of_engine(earlier.get_trials(deepcopy=False)), total=_WITHOUT_END)
    sign = 1 if earlier.directions[0] == optuna.study.StudyDirection.MINIMIZE else -1
    complete = [trial for trial in trials if trial.value is not None]
    ranked = sorted(complete, key=lambda t: (sign * (t.value or 0.0), t.number))
    return [dict(trial.values) for trial in ranked[:count]]


def _require_same_space(earlier: optuna.Study, space: Space, *, where: str) -> None:
    new, every = said(space), facts_of(earlier) or {}
    old = {key: words for key, words in every.items() if key.startswith("search.space.")}
    if changed := [key for key in sorted({*old, *new}) if old.get(key) != new.get(key)]:
        head = f"{where}.warm_study: study '{earlier.study_name}' searched another space"
        lines = [f"{k}: was {old.get(k, 'absent')}, is now {new.get(k, 'absent')}" for k in changed]
        raise ConfigError([head, *lines])
