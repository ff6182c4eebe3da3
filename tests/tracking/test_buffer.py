from __future__ import annotations

import logging
from typing import Any

import pytest

from assay.tracking import buffer, last_word, spool
from assay.tracking.buffer import BATCH, Outbox
from assay.tracking.environment import MlflowException
from assay.tracking.resume import child_run
from assay.tracking.store import open_store
from assay.tracking.tracked import Tracked

LOST = MlflowException("API request failed with exception: connection refused")


class Switch:
    """Counts what is delivered, and can take the store away."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.is_away = False
        self.sent: list[str] = []
        self._deliver = buffer.deliver
        for module in (buffer, spool):
            monkeypatch.setattr(module, "deliver", self.deliver)
            monkeypatch.setattr(module, "is_refused", lambda *_: not self.is_away)
        self._open_run = buffer.Store.open_run
        monkeypatch.setattr(buffer.Store, "open_run", lambda *a, **k: self.open_run(*a, **k))

    def deliver(self, store: Any, change: Any, run_id: str) -> None:
        if self.is_away:
            raise LOST
        self.sent.append(change["op"])
        self._deliver(store, change, run_id)

    def open_run(self, *words: Any, **more: Any) -> str:
        if self.is_away:
            raise LOST
        return self._open_run(*words, **more)


@pytest.fixture
def switch(home, monkeypatch) -> Switch:
    return Switch(monkeypatch)


@pytest.fixture
def store(home):
    return open_store()


def open_tracked(outbox: Outbox) -> Tracked:
    return Tracked(outbox, outbox.create("run", {}))


def losses(store, run_id: str) -> list[float]:
    return [m.value for m in store.client.get_metric_history(run_id, "loss")]


def kept(home) -> list[str]:
    return sorted(p.name for p in home.glob("spool/*/*") if p.suffix != ".last")


def test_metrics_go_out_by_the_batch_not_one_by_one(store, switch):
    with Outbox(store) as outbox:
        tracked = open_tracked(outbox)
        for step in range(3 * BATCH + 10):
            tracked.log_metrics({"loss": 1.0}, step=step)
        assert len(switch.sent) <= 5
        assert len(losses(store, tracked.run_id)) >= 3 * BATCH
    assert len(losses(store, tracked.run_id)) == 3 * BATCH + 10


def test_metrics_do_not_wait_longer_than_they_should(store, switch, monkeypatch):
    monkeypatch.setattr(buffer, "FLUSH_SECONDS", 0.0)
    with Outbox(store) as outbox:
        tracked = open_tracked(outbox)
        tracked.log_metrics({"loss": 1.0})
        assert losses(store, tracked.run_id) == [1.0]


def test_what_was_logged_while_the_store_was_away_arrives_when_it_is_back(
    store, switch, home, project, monkeypatch
):
    monkeypatch.setattr(buffer, "RETRY_SECONDS", 0.0)
    with Outbox(store) as outbox:
        tracked = open_tracked(outbox)
        tracked.log_metrics({"loss": 3.0}, step=0)
        outbox.flush()
        switch.is_away = True
        tracked.log_metrics({"loss": 2.0}, step=1)
        outbox.flush()
        (project / "plot.txt").write_text("as it was")
        tracked.log_artifact(project / "plot.txt", "plots")
        (project / "plot.txt").unlink()
        tracked.set_tags({"order": "first"})
        tracked.set_tags({"order": "second"})
        assert kept(home)
        switch.is_away = False
        tracked.log_metrics({"loss": 1.0}, step=2)
        outbox.flush()
        assert losses(store, tracked.run_id) == [3.0, 2.0, 1.0]
    assert store.client.get_run(tracked.run_id).data.tags["order"] == "second"
    assert store.client.list_artifacts(tracked.run_id, "plots")[0].path == "plots/plot.txt"
    assert kept(home) == []


def test_the_next_run_sends_what_a_lost_one_kept_and_opens_its_trials(store, switch, home):
    with Outbox(store) as outbox:
        search = open_tracked(outbox)
        switch.is_away = True
        with child_run(search, "trial 0") as trial:
            trial.log_metrics({"loss": 0.5})
        with pytest.raises(ValueError, match="x"), child_run(search, "trial 1"):
            raise ValueError("x")
        search.close("FINISHED")
    assert len(kept(home)) == 2, "the changes and their lock"
    switch.is_away = False
    with Outbox(store):
        pass
    query = f"tags.`mlflow.parentRunId` = '{search.run_id}'"
    trials = store.client.search_runs([store.experiment_id], query)
    ends = {t.info.run_name: (t.info.status, t.data.metrics) for t in trials}
    assert ends == {"trial 0": ("FINISHED", {"loss": 0.5}), "trial 1": ("FAILED", {})}
    assert store.client.get_run(search.run_id).info.status == "FINISHED"
    assert kept(home) == []


def test_a_replay_that_is_cut_off_goes_on_where_it_stopped(store, switch, home, monkeypatch):
    with Outbox(store) as outbox:
        tracked = open_tracked(outbox)
        switch.is_away = True
        with child_run(tracked, "trial") as trial:
            for step in range(5):
                trial.log_metrics({"loss": float(step)}, step=step)
                outbox.flush()
    switch.is_away = False
    budget = iter(range(2))
    deliver = switch.deliver

    def tired(*words: Any) -> None:
        switch.is_away = next(budget, None) is None
        deliver(*words)

    monkeypatch.setattr(spool, "deliver", tired)
    with Outbox(store):
        assert kept(home)
    monkeypatch.setattr(spool, "deliver", deliver)
    switch.is_away = False
    with Outbox(store):
        assert kept(home) == []
    (trial,) = store.client.search_runs([store.experiment_id], "attributes.run_name = 'trial'")
    assert losses(store, trial.info.run_id) == [0.0, 1.0, 2.0, 3.0, 4.0]


def test_a_torn_last_line_does_not_stop_the_replay(store, switch, home):
    with Outbox(store) as outbox:
        tracked = open_tracked(outbox)
        switch.is_away = True
        tracked.set_tags({"note": "kept"})
    (file,) = home.glob("spool/*/*.jsonl")
    with file.open("a") as opened:
        opened.write('{"op": "ta')
    switch.is_away = False
    with Outbox(store):
        pass
    assert store.client.get_run(tracked.run_id).data.tags["note"] == "kept"
    assert kept(home) == []


def test_a_process_at_work_keeps_its_own_file(store, switch, home):
    with Outbox(store) as outbox:
        tracked = open_tracked(outbox)
        switch.is_away = True
        tracked.set_tags({"note": "mine"})
        switch.is_away = False
        assert spool.replay_leftovers(store) == 0
        assert kept(home)
    assert store.client.get_run(tracked.run_id).data.tags["note"] == "mine"


def test_what_the_store_refuses_is_dropped_and_said(store, switch, home, caplog):
    with Outbox(store) as outbox, caplog.at_level(logging.WARNING):
        tracked = open_tracked(outbox)
        tracked.log_params({"lr": 0.1})
        tracked.log_params({"lr": 0.2})
        tracked.log_params({"lr": 0.3})
        tracked.set_tags({"note": "after"})
    assert caplog.text.count("refused params") == 1
    assert "refused 2 changes in all" in caplog.text
    run = store.client.get_run(tracked.run_id)
    assert (run.data.params, run.data.tags["note"]) == ({"lr": "0.1"}, "after")
    assert kept(home) == []


def test_one_warning_a_minute(store, switch, caplog):
    with caplog.at_level(logging.WARNING), Outbox(store) as outbox:
        tracked = open_tracked(outbox)
        switch.is_away = True
        for _ in range(50):
            tracked.set_tags({"a": "b"})
        assert len(caplog.records) == 1
        switch.is_away = False


def test_a_disk_that_is_full_as_well_stops_nothing(store, switch, monkeypatch, caplog):
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(spool.Spool, "append", full)
    with caplog.at_level(logging.WARNING), Outbox(store) as outbox:
        tracked = open_tracked(outbox)
        switch.is_away = True
        tracked.log_metrics({"loss": 1.0})
        tracked.close("FINISHED")
    assert "is away" in caplog.text


def test_an_end_that_nothing_takes_is_told_by_the_next_start(store, switch, home, monkeypatch):
    """A full disk takes neither the store's page nor the spool's line."""

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    append = spool.Spool.append
    monkeypatch.setattr(spool.Spool, "append", full)
    with Outbox(store) as outbox:
        tracked = open_tracked(outbox)
        free = open_tracked(outbox)
        switch.is_away = True
        with pytest.raises(ValueError, match="x"), tracked.closing():
            raise ValueError("x")
    switch.is_away = False
    monkeypatch.setattr(spool.Spool, "append", append)
    with Outbox(store):
        assert store.client.get_run(tracked.run_id).info.status == "RUNNING", "we are at work"
    monkeypatch.setattr(last_word, "is_gone", lambda _: True)
    with Outbox(store):
        assert store.client.get_run(tracked.run_id).info.status == "FAILED"
        assert store.client.get_run(free.run_id).info.status == "RUNNING"
    assert not list(home.glob("spool/*/*.last"))
