"""Where a fit writes down how far it is, and goes on from."""

from __future__ import annotations

import logging
from collections.abc import Callable

from assay.signals import HeldSignals
from assay.training.checkpoint import Checkpoints, State

log = logging.getLogger(__name__)


class Safekeeping:
    """Writes checkpoints when they are due, and one before a signal ends the fit.

    Without ``checkpoints`` it does nothing, and signals act at once.
    """

    def __init__(self, checkpoints: Checkpoints | None) -> None:
        self._checkpoints = checkpoints
        self.signals = HeldSignals()

    def read(self) -> State | None:
        """Return the state to go on from; None to begin."""
        return None if self._checkpoints is None else self._checkpoints.read()

    def mark(self, state: Callable[[], State], *, step: int) -> None:
        """Be called wherever the fit could go on from, ``step`` steps after its start."""
        if self._checkpoints is None:
            return
        if self.signals.is_pending:
            self._checkpoints.write(state(), step=step)
            log.info("stopped at step %d: the same command goes on from there", step)
            self.signals.deliver()
        elif self._checkpoints.is_due(step):
            self._checkpoints.write(state(), step=step)
