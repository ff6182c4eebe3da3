"""Ctrl-C and SIGTERM, held back until what must not be cut in half is whole."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType, TracebackType

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class HeldSignals:
    """Within the block a first signal waits to be delivered; a second one acts at once.

    Signals that the process ignores stay ignored. Outside the main thread, and in a block within
    another, nothing changes.
    """

    def __init__(self) -> None:
        self._handlers: dict[int, signal._HANDLER] = {}
        self._number: int | None = None
        self._is_over = False

    @property
    def is_pending(self) -> bool:
        """Whether a signal waits."""
        return self._number is not None

    def deliver(self) -> None:
        """Let the waiting signal, if any, do what it would have done."""
        number, self._number = self._number, None
        if number is None:
            return
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
        if error is None:
            self.deliver()

    def _hold(self, number: int, frame: FrameType | None) -> None:
        acts = self.is_pending or self._is_over
        self._number = number
        if acts:
            self.deliver()


@contextmanager
def acting() -> Iterator[None]:
    """Have signals act again within a block that holds them, the one that waits before all."""
    holders = [_holder(signal.getsignal(number)) for number in _SIGNALS]
    held = holders[0] or holders[1]  # one of them may be ignored
    if held is None or not _can_be_interrupted():
        yield
        return
    try:
        held.__exit__(None, None, None)
        yield
    finally:
        held.__enter__()


def _can_be_interrupted() -> bool:
    return threading.current_thread() is threading.main_thread()


def _holder(handler: object) -> HeldSignals | None:
    owner = getattr(handler, "__self__", None)
    return owner if isinstance(owner, HeldSignals) else None
