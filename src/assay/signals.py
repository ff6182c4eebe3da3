"""Ctrl-C, SIGTERM and SIGHUP, held back until what must not be cut in half is whole."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType, TracebackType

AGAIN_SECONDS = 0.5
_SIGNALS = tuple(
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
)


class HeldSignals:
    """Within the block a signal waits to be delivered; the same one again acts at once.

    Again is half a second later or more: Linux tells of a parent's end once for each of its threads.
    Of other signals none but the first counts: a closed terminal sends SIGHUP, and ends the DVC above,
    whose end sends SIGTERM.
    Signals that the process ignores stay ignored. Outside the main thread, and in a block within
    another, nothing changes.
    """

    def __init__(self) -> None:
        self._handlers: dict[int, signal._HANDLER] = {}
        self._came: list[int] = []
        self._since = 0.0
        self._is_over = False

    @property
    def is_pending(self) -> bool:
        """Whether a signal waits."""
        return bool(self._came)

    def deliver(self) -> None:
        """Let the waiting signal, if any, do what it would have done."""
        came, self._came = self._came, []
        if not came:
            return
        number = came[0]
        handler = self._handlers[number]
        if callable(handler):
            handler(number, None)
        else:
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)

    def __enter__(self) -> HeldSignals:
        if _can_be_interrupted():
            self._is_over = False
            for number in _SIGNALS:
                handler = signal.getsignal(number)
                if handler not in (signal.SIG_IGN, None) and _holder(handler) is None:
                    self._handlers[number] = handler
                    signal.signal(number, self._hold)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._is_over = True  # first: a signal may come between the lines below
        for number, handler in self._handlers.items():
            signal.signal(number, handler)
        if error is None or isinstance(error, Exception):  # one that is borne must not swallow it
            self.deliver()

    def _hold(self, number: int, frame: FrameType | None) -> None:
        now = time.monotonic()
        self._since = self._since if self._came else now
        is_again = number in self._came and now - self._since >= AGAIN_SECONDS
        self._came.append(number)
        if is_again or self._is_over:
            self.deliver()


@contextmanager
def acting() -> Iterator[None]:
    """Have signals act again within a block that holds them, the one that waits before all."""
    holders = [_holder(signal.getsignal(number)) for number in _SIGNALS]
    held = next(filter(None, holders), None)  # one of them may be ignored
    if held is None or not _can_be_interrupted():
        yield
        return
    try:
        held.__exit__(None, None, None)
        yield
    finally:
        held.__enter__()


@contextmanager
def ending(end: Callable[[BaseException | None], None]) -> Iterator[None]:
    """Call ``end`` as the block ends, with what it raised if anything, while signals wait.

    One that comes as a good end is told takes effect then, and ``end`` is called with it after all.
    """
    try:
        yield
        with HeldSignals():
            end(None)
    except BaseException as error:
        with HeldSignals():
            end(error)
        raise


def _can_be_interrupted() -> bool:
    return threading.current_thread() is threading.main_thread()


def _holder(handler: object) -> HeldSignals | None:
    owner = getattr(handler, "__self__", None)
    return owner if isinstance(owner, HeldSignals) else None
