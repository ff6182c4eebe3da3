"""The tracking store: made to its end, without runs of the dead, with all that was kept for it."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from assay.artifacts.paths import home
from assay.doctor.finding import Account, Finding, Place
from assay.doctor.sizes import shown, size_of
from assay.errors import TrackingError
from assay.secrets import masked
from assay.tracking.address import tracking_uri
from assay.tracking.health import (
    Kept,
    StoreState,
    close_orphans,
    damaged_spools,
    dead_runs,
    mend_store,
    replay_leftovers,
    spools,
    store_state,
)
from assay.tracking.leftovers import existing_store, orphaned_artifacts
from assay.tracking.store import Store, open_store

NAME = "tracking"
_EMPTY = "not there yet: the first run makes it"


def find(place: Place) -> Account:
    """Look at the store, the runs that say RUNNING, what is kept to be sent, and lost artifacts."""
    state = store_state()
    if state and not state.is_healthy:
        return Account(looked_at="", findings=[_unhealthy(state), *_spooled(None)])
    store = existing_store()
    findings = [*_spooled(store), *_running(store), *_lost()]
    looked_at = f"{masked(store.uri)}, no run of a dead process" if store else _EMPTY
    return Account(looked_at=looked_at, findings=findings)


def _unhealthy(state: StoreState) -> Finding:
    if not state.problem:
        what = f"{state.file} was begun and not made to its end ({len(state.drafts)} drafts)"
        return Finding(what=what, remedy="removes them", mend=partial(mend_store, state))
    what = state.problem.partition(";")[0]
    if state.runs != 0:
        holds = "cannot be read" if state.runs is None else f"holds {state.runs} runs or models"
        remedy = f"it {holds}, so it is yours to judge: restore a copy, or move it away"
        return Finding(what=what, remedy=remedy)
    mend = partial(mend_store, state)
    return Finding(
        what=what, remedy="keeps it beside and makes it anew: it holds no run", mend=mend
    )


def _running(store: Store | None) -> Iterator[Finding]:
    dead = dead_runs(store) if store else []
    if store and dead:
        names = ", ".join(f"{run.name} ({run.run_id[:8]})" for run in dead[:4])
        more = f" and {len(dead) - 4} more" if len(dead) > 4 else ""
        what = f"{_count(len(dead), 'run')} of dead processes still RUNNING: {names}{more}"
        remedy = "closes them as KILLED"
        mend = partial(_close, store)
        yield Finding(what=what, remedy=remedy, mend=mend, is_guarded=True)


def _close(store: Store) -> str:
    return f"{_count(close_orphans(store), 'run')} closed as KILLED"


def _count(number: int, what: str) -> str:
    return f"1 {what}" if number == 1 else f"{number} {what}s"


def _spooled(store: Store | None) -> Iterator[Finding]:
    """Yield what is kept, by the store that it is for: only the present one can get it."""
    kept = [each for each in spools() if not each.is_held]
    ours = masked(store.uri if store else tracking_uri())
    for address in sorted({each.address for each in kept}):
        of_it = [each for each in kept if each.address == address]
        what = (
            f"{_count(sum(k.changes for k in of_it), 'change')} ({_size(of_it)}) kept for {address}"
        )
        if address == ours and store:
            mend = partial(_send, what)
            yield Finding(what=what, remedy="sends them", mend=mend, is_guarded=True)
        else:
            remedy = f"once it is there: MLFLOW_TRACKING_URI={address} assay doctor --fix"
            yield Finding(what=what, remedy=remedy)
    if damaged := damaged_spools():
        what = f"{_count(len(damaged), 'file')} of kept changes could not be read whole"
        remedy = f"look at them, then remove them: {home() / 'spool'}"
        yield Finding(what=what, remedy=remedy, is_note=True)


def _size(kept: list[Kept]) -> str:
    return shown(sum(each.bytes for each in kept))


def _send(what: str) -> str:
    store = open_store()
    sent = replay_leftovers(store)
    if any(not kept.is_held for kept in spools(store)):
        raise TrackingError(f"{what}: the store took {sent} of them")
    return f"{_count(sent, 'change')} sent"


def _lost() -> Iterator[Finding]:
    """Folders of artifacts without a run are only told: another database may know them."""
    if folders := orphaned_artifacts():
        size = shown(sum(map(size_of, folders)))
        what = (
            f"{_count(len(folders), 'folder')} of artifacts ({size}) belong to no run of the store"
        )
        remedy = f"if no other database knows them, remove them: {folders[0]}"
        yield Finding(what=what, remedy=f"{remedy}{', ...' if folders[1:] else ''}", is_note=True)
