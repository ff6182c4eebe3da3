"""Signals that wait until what must be whole is whole."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator

import pytest

from assay import signals
from assay.signals import HeldSignals, acting

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Came(BaseException):
    """What the process's own handler raises, with the signal's number."""


def _raise(number: int, _frame: object) -> None:
    raise Came(number)


@pytest.fixture(autouse=True)
def _own_handlers() -> Iterator[None]:
    before = {n: signal.signal(n, _raise) for n in SIGNALS}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def send(number: int) -> None:
    os.kill(os.getpid(), number)


@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_takes_effect_when_the_block_ends(number: int) -> None:
    done = []
    with pytest.raises(Came) as came, HeldSignals():
        send(number)
        done.append("whole")
    assert (done, came.value.args) == (["whole"], (number,))
    with pytest.raises(Came):
        send(number)


def test_the_same_one_again_acts_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signals, "AGAIN_SECONDS", 0.0)
    done = []
    with pytest.raises(Came), HeldSignals():
        send(signal.SIGINT)
        send(signal.SIGINT)
        done.append("not reached")
    assert done == []


def test_one_that_the_kernel_repeats_counts_once() -> None:
    done = []
    with pytest.raises(Came), HeldSignals():
        send(signal.SIGTERM)
        send(signal.SIGTERM)
        done.append("whole")
    assert done == ["whole"]


def test_what_a_closed_terminal_sends_counts_once() -> None:
    """SIGHUP to all, and SIGTERM from the end of the process above."""
    done = []
    with pytest.raises(Came) as came, HeldSignals():
        send(signal.SIGHUP)
        send(signal.SIGTERM)
        done.append("whole")
    assert (done, came.value.args) == (["whole"], (signal.SIGHUP,))


def test_of_blocks_within_another_the_outermost_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signals, "AGAIN_SECONDS", 0.0)
    done = []
    with pytest.raises(Came), HeldSignals():
        with HeldSignals():
            send(signal.SIGTERM)
        done.append("whole")
    assert done == ["whole"]
    with pytest.raises(Came), HeldSignals(), HeldSignals():
        send(signal.SIGTERM)
        send(signal.SIGTERM)
        done.append("not reached")
    assert done == ["whole"]


def test_an_error_of_the_block_does_not_swallow_the_signal() -> None:
    """A trial that is pruned in the very epoch in which Ctrl-C came: the search must end."""
    with pytest.raises(Came) as came, HeldSignals():
        send(signal.SIGTERM)
        raise ValueError("x")
    assert isinstance(came.value.__context__, ValueError)
    with pytest.raises(SystemExit), HeldSignals():
        send(signal.SIGTERM)
        raise SystemExit
    assert signal.getsignal(signal.SIGTERM) is _raise


def test_one_that_comes_as_the_block_is_left_is_not_lost() -> None:
    """The handlers are put back one after the other: a signal between them acts."""
    held = HeldSignals()
    held.__enter__()
    waiting = signal.getsignal(signal.SIGTERM)
    held.__exit__(None, None, None)
    signal.signal(signal.SIGTERM, waiting)
    with pytest.raises(Came):
        send(signal.SIGTERM)


def test_what_the_process_ignores_stays_ignored() -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    with HeldSignals() as held:
        send(signal.SIGTERM)
        assert not held.is_pending


def test_in_another_thread_nothing_changes() -> None:
    seen = []

    def look() -> None:
        with HeldSignals():
            seen.append(signal.getsignal(signal.SIGTERM))

    thread = threading.Thread(target=look)
    thread.start()
    thread.join()
    assert seen == [_raise]


def test_within_a_block_they_can_be_let_act() -> None:
    done = []
    with pytest.raises(Came), HeldSignals():
        with acting():
            done.append("none waits")
        send(signal.SIGTERM)
        done.append("held")
        with acting():
            done.append("not reached")
    assert done == ["none waits", "held"]
    with HeldSignals():
        with pytest.raises(Came), acting():
            send(signal.SIGINT)
        with HeldSignals() as inner, pytest.raises(Came), acting():
            send(signal.SIGINT)
        send(signal.SIGTERM)
        assert not inner.is_pending
        with pytest.raises(Came), acting():
            pass
    assert signal.getsignal(signal.SIGTERM) is _raise


def test_where_ctrl_c_is_ignored_sigterm_is_let_act() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with HeldSignals(), pytest.raises(Came), acting():
        send(signal.SIGTERM)


def test_outside_of_a_block_acting_changes_nothing() -> None:
    with acting():
        assert signal.getsignal(signal.SIGTERM) is _raise
