"""The way out: metrics gathered into batches, and everything kept when the store goes away."""

from __future__ import annotations

import logging
import threading
import time
import uuid
from collections import defaultdict
from collections.abc import Mapping
from types import TracebackType

from assay.secrets import masked, shown
from assay.signals import HeldSignals
from assay.tracking.delivery import Change, deliver, is_lost
from assay.tracking.environment import MlflowException
from assay.tracking.last_word import LastWord, tell_last_words
from assay.tracking.spool import Spool, is_refused, replay_leftovers, spool_folder
from assay.tracking.store import KEY, REQUEST_SECONDS, Store, patience

log = logging.getLogger(__name__)
BATCH = 500
FLUSH_SECONDS = 5.0
RETRY_SECONDS = 30.0
WARN_SECONDS = 60.0
SEND_SECONDS = 5

Row = tuple[str, float, int, int]


class Outbox:
    """Sends the changes of one process to the store, in order; never raises for a lost store.

    Metrics wait until there are ``BATCH`` of them or ``FLUSH_SECONDS`` have passed. While the
    store is away, changes go to a spool, and the store is tried again every ``RETRY_SECONDS``, so
    a training waits at most ``SEND_SECONDS`` in each such span. Signals never cut a change in half.
    """

    def __init__(self, store: Store) -> None:
        self.store = store
        self._waiting: dict[str, list[Row]] = defaultdict(list)
        self._count = 0
        self._flushed = time.monotonic()
        self._spool: Spool | None = None
        self._ids: dict[str, str] = {}
        self._retry_at = 0.0
        self._warn_at = 0.0
        self._lost = 0
        self._refused = 0
        self._lock = threading.RLock()
        self._last_word = LastWord(spool_folder(store))

    def __enter__(self) -> Outbox:
        with patience(SEND_SECONDS):
            if sent := replay_leftovers(self.store):
                log.info("tracking: sent %d changes that an earlier run had kept", sent)
        tell_last_words(self.store, spool_folder(self.store))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def metrics(self, run_id: str, values: Mapping[str, float], *, step: int) -> None:
        """Gather metrics of a step, stamped with the present time."""
        now = int(time.time() * 1000)
        with HeldSignals(), self._lock:
            self._waiting[run_id] += [(name, value, now, step) for name, value in values.items()]
            self._count += len(values)
            if self._count >= BATCH or time.monotonic() - self._flushed >= FLUSH_SECONDS:
                self.flush()

    def create(self, name: str, tags: Mapping[str, str]) -> str:
        """Open a run and return its id, a provisional one while the store is away."""
        start = int(time.time() * 1000)
        provisional = f"local-{uuid.uuid4().hex}"
        name, tags = masked(name), {k: shown(k, v) for k, v in tags.items()}
        tags[KEY] = provisional  # by which a run is found that was opened unnoticed
        with HeldSignals(), self._lock:
            if self._is_open():
                try:
                    with patience(SEND_SECONDS):
                        return self.store.open_run(name, self._resolved(tags), start=start)
                except (MlflowException, OSError) as error:
                    self._lose(error)
            kept = {"op": "create", "run": provisional, "name": name, "start": start, "tags": tags}
            self._keep(kept)
            return provisional

    def post(self, change: Change) -> None:
        """Send a change, after the metrics that wait for its run, or keep it."""
        with HeldSignals(), self._lock:
            if change["op"] == "status":
                self.flush()
            if not self._is_open() or not self._sent(change):
                self._keep(change)

    def flush(self) -> None:
        """Send the metrics that wait."""
        with HeldSignals(), self._lock:
            self._count, self._flushed = 0, time.monotonic()
            for run_id in list(self._waiting):
                self.post({"op": "metrics", "run": run_id, "values": self._waiting[run_id]})
                del self._waiting[run_id]

    def close(self) -> None:
        """Send everything that waits or was kept; what still cannot go stays for the next run."""
        with HeldSignals(), self._lock:
            self.flush()
            self._retry_at = 0.0
            is_open = self._is_open()
            self._last_word.release()
            if self._lost:
                log.warning("tracking: %d changes could not be sent nor kept: lost", self._lost)
            if self._refused > 1:
                log.warning("tracking: the store refused %d changes in all", self._refused)
            if is_open:
                return
            assert self._spool is not None
            log.warning("tracking: the store is away; the next run sends what was kept")
            self._spool.release()

    def _is_open(self) -> bool:
        """Tell whether changes may go straight to the store; now and then, try to get there."""
        if self._spool is None:
            return True
        if time.monotonic() < self._retry_at:
            return False
        self._retry_at = time.monotonic() + RETRY_SECONDS
        if not self._answers():
            return False
        self._spool.replay()
        self._spool.say_dropped()
        self._ids.update(self._spool.ids)
        if not self._spool.is_empty:
            return False
        self._spool.release()
        self._spool = None
        log.info("tracking: the store is back%s", "" if self._lost else " and has everything")
        return True

    def _answers(self) -> bool:
        """Ask for little first: a server that hangs must not hold up the training for long."""
        try:
            with patience(SEND_SECONDS):
                self.store.client.get_experiment(self.store.experiment_id)
        except (MlflowException, OSError):
            return False
        return True

    def _sent(self, change: Change) -> bool:
        run: str = change["run"]
        try:
            with patience(REQUEST_SECONDS if change["op"] == "artifact" else SEND_SECONDS):
                deliver(self.store, change, self._ids.get(run, run))
        except (MlflowException, OSError) as error:
            if is_lost(error) and not is_refused(self.store, error):
                self._lose(error)
                return False
            self._refused += 1
            self._warn(f"the store refused {change['op']}: {error}")
        return True

    def _resolved(self, tags: Mapping[str, str]) -> dict[str, str]:
        return {name: self._ids.get(value, value) for name, value in tags.items()}

    def _lose(self, error: Exception) -> None:
        self._retry_at = time.monotonic() + RETRY_SECONDS
        self._warn(f"the store is away, changes are kept and sent later: {_brief(error)}")

    def _keep(self, change: Change) -> None:
        try:
            if self._spool is None:
                self._spool = Spool.new(self.store)
            self._spool.append(change)
        except OSError as error:
            if change["op"] == "status" and self._last_word.say(change):
                return
            self._lost += 1
            self._warn(f"a change is lost, {change['op']} cannot be kept: {error}")

    def _warn(self, text: str) -> None:
        if time.monotonic() >= self._warn_at:
            self._warn_at = time.monotonic() + WARN_SECONDS
            log.warning("tracking: %s", text)


def _brief(error: Exception) -> str:
    return str(error).splitlines()[0][:300]
