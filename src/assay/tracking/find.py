"""Look up runs: by id or its beginning, and the runs below one, best first."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from assay.errors import TrackingError
from assay.secrets import masked
from assay.tracking.environment import MlflowException
from assay.tracking.store import Store, open_store
from assay.tracking.tracked import KIND, PARENT, TRIAL

PAGE = 1000
_RECENT = 5
BEST = "best_trial"
DRAWN = "drawn"  # the keys whose values a trial drew
_STUDY = "study"
_HEX = frozenset("0123456789abcdef")


@dataclass(frozen=True, kw_only=True)
class Found:
    """A run as the store has it; times in milliseconds since 1970."""

    run_id: str
    name: str
    status: str
    kind: str
    parent: str | None
    start: int
    params: Mapping[str, str]
    metrics: Mapping[str, float]
    tags: Mapping[str, str]
    store: Store

    def text(self, path: str) -> str:
        """Return a text artifact. Raises TrackingError when the run has none of that path."""
        with tempfile.TemporaryDirectory() as folder:
            try:
                file = self.store.client.download_artifacts(self.run_id, path, folder)
                return Path(file).read_text(encoding="utf-8")
            except (MlflowException, OSError) as error:
                names = ", ".join(f.path for f in self.store.client.list_artifacts(self.run_id))
                raise TrackingError(
                    f"run {self.run_id} ({self.name}) has no artifact '{path}'; there is: {names}"
                ) from error


def find_run(run_id: str, *, kinds: tuple[str, ...] = ()) -> Found:
    """Return the run of an id, or of the beginning of one that no other run shares.

    ``kinds`` limits the search: pipeline, stage, trial, run, sweep. Raises TrackingError when
    there is none, or more than one.
    """
    store = open_store()
    wanted = run_id.strip().lower()
    if not wanted or not set(wanted) <= _HEX:
        raise TrackingError(f"expected a run id such as 3f9c0a12, but got {run_id!r}")
    runs = _search(store, f"attributes.run_id LIKE '{wanted}%'")
    found = [run for run in runs if not kinds or run.kind in kinds]
    if len(found) == 1:
        return found[0]
    if found:
        names = ", ".join(f"{run.run_id[:12]} ({run.name})" for run in found[:5])
        raise TrackingError(f"run '{run_id}' is more than one: {names}; give more of the id")
    raise TrackingError(_none_found(store, run_id, kinds, others=runs))


def children(
    parent: Found, *, objective: str | None = None, direction: Literal["minimize", "maximize"]
) -> list[Found]:
    """Return the runs below a run: those with the objective first, best to worst, then others."""
    runs = _search(parent.store, f"tags.`{PARENT}` = '{parent.run_id}'")
    if objective is None:
        return sorted(runs, key=lambda run: run.start)
    sign = 1.0 if direction == "minimize" else -1.0

    def rank(run: Found) -> tuple[bool, float, int]:
        value = run.metrics.get(objective, float("nan"))
        return value != value, 0.0 if value != value else sign * value, run.start

    return sorted(runs, key=rank)


def search_of(run: Found) -> Found:
    """Return the run that has trials below it: a sweep, or of a pipeline its stage ``search``.

    Raises TrackingError where there is none.
    """
    if run.kind == "pipeline":
        stages = children(run, direction="minimize")
        run = next((stage for stage in reversed(stages) if _is_search(stage)), run)
    if run.kind == "sweep" or (_is_search(run) and _STUDY in run.tags):
        return run
    raise TrackingError(f"{run.name} ({run.run_id[:8]}) holds no search: expected the id of one")


def trial_of(search: Found, number: int) -> Found:
    """Return a search's trial of a number, wherever it ran. TrackingError where there is none."""
    study = search.tags.get(_STUDY)
    if study is None:
        raise TrackingError(
            f"{search.name} ({search.run_id[:8]}) has no numbered trials: name one of its runs, "
            "as run:ID"
        )
    found = _search(search.store, f"tags.`{TRIAL}` = '{study} {number} 0'")
    if not found:
        raise TrackingError(f"{search.name} ({search.run_id[:8]}) has no trial {number}")
    return found[0]


def _is_search(run: Found) -> bool:
    return run.kind == "stage" and run.tags.get("stage") == "search"


def latest(*, kind: str, count: int = 10) -> list[Found]:
    """Return the latest runs of a kind, newest first."""
    return _search(open_store(), f"tags.`{KIND}` = '{kind}'", limit=count)


def _search(store: Store, query: str, *, limit: int | None = None) -> list[Found]:
    found: list[Found] = []
    token: str | None = None
    try:
        while True:
            page = store.client.search_runs(
                [store.experiment_id], query, max_results=limit or PAGE, page_token=token
            )
            found += [_found(store, run) for run in page]
            token = page.token
            if not token or limit:
                return found
    except MlflowException as error:
        raise TrackingError(
            f"the tracking store {masked(store.uri)} cannot be searched: {masked(str(error))}"
        ) from error


def _found(store: Store, run: Any) -> Found:
    tags = dict(run.data.tags)
    return Found(
        run_id=run.info.run_id,
        name=run.info.run_name,
        status=run.info.status,
        kind=tags.get(KIND, ""),
        parent=tags.get(PARENT),
        start=run.info.start_time,
        params=dict(run.data.params),
        metrics=dict(run.data.metrics),
        tags=tags,
        store=store,
    )


def _none_found(store: Store, run_id: str, kinds: tuple[str, ...], *, others: list[Found]) -> str:
    what = " or ".join(kinds) or "run"
    if others:
        other = others[0]
        return f"expected a {what}, but {run_id} is a {other.kind or 'run'} ({other.name})"
    wanted = kinds or ("run",)
    recent = [r for k in wanted for r in _search(store, f"tags.`{KIND}` = '{k}'", limit=_RECENT)]
    recent = sorted(recent, key=lambda run: -run.start)[:_RECENT]
    names = ", ".join(f"{run.run_id[:12]} ({run.name})" for run in recent) or "none yet"
    return f"{masked(store.uri)} has no {what} '{run_id}'; the latest: {names}"
