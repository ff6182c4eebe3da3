"""Ctrl-C and SIGTERM, held back until what must not be cut in half is whole."""

from __future__ import annotations

import os
import signal
import threading
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
        if threading.current_thread() is threading.main_thread():
            self._is_over = False
            for number in _SIGNALS:
                handler = signal.getsignal(number)
                if handler not in (signal.SIG_IGN, None) and not _is_held(handler):
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


def _is_held(handler: object) -> bool:
    return isinstance(getattr(handler, "__self__", None), HeldSignals)
