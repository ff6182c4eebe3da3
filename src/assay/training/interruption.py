"""Ctrl-C and SIGTERM, held back until the fit is where it can be resumed from."""

from __future__ import annotations

import os
import signal
import threading
from types import FrameType, TracebackType

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Interruption:
    """Within the block a first signal waits to be delivered; a second one acts at once.

    Signals that the process ignores stay ignored. Outside the main thread nothing changes.
    """

    def __init__(self) -> None:
        self._handlers: dict[int, signal._HANDLER] = {}
        self._number: int | None = None

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

    def __enter__(self) -> Interruption:
        if threading.current_thread() is threading.main_thread():
            for number in _SIGNALS:
                handler = signal.getsignal(number)
                if handler not in (signal.SIG_IGN, None):
                    self._handlers[number] = handler
                    signal.signal(number, self._hold)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for number, handler in self._handlers.items():
            signal.signal(number, handler)
        if error is None:
            self.deliver()

    def _hold(self, number: int, frame: FrameType | None) -> None:
        is_second = self.is_pending
        self._number = number
        if is_second:
            self.deliver()
