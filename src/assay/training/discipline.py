"""Make Lightning a good guest: no chatter, no signal handlers of its own, no swallowed Ctrl-C."""

from __future__ import annotations

import logging
import signal
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from pytorch_lightning import Callback, LightningModule, Trainer

_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_LOGGERS = ("pytorch_lightning", "lightning", "lightning_fabric", "lightning.pytorch")


class KeepSignals(Callback):
    """Put the process's own handlers back once Lightning has installed its SIGTERM handler."""

    def __init__(self) -> None:
        self._handlers = {number: signal.getsignal(number) for number in _SIGNALS}

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Run right after Lightning registered its handlers."""
        self.restore()

    def restore(self) -> None:
        """Set the handlers that were in force; only the main thread can."""
        if threading.current_thread() is threading.main_thread():
            for number, handler in self._handlers.items():
                signal.signal(number, handler if handler is not None else signal.SIG_DFL)


@contextmanager
def unswallowed(signals: KeepSignals) -> Iterator[None]:
    """Raise KeyboardInterrupt as itself: Lightning turns it into ``exit(1)``."""
    try:
        yield
    except SystemExit as stop:
        if isinstance(stop.__context__, KeyboardInterrupt):
            raise KeyboardInterrupt from None
        raise
    finally:
        signals.restore()


@contextmanager
def silence() -> Iterator[None]:
    """Keep Lightning's remarks on hardware, loaders and folders out of the block."""
    loggers = [logging.getLogger(name) for name in _LOGGERS]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", module=r"pytorch_lightning|lightning_fabric|torch")
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
