"""How far a fit is: a bar where someone watches, a line now and then where nobody does.

A line comes after the first epoch, after each tenth of the epochs, and at least every half minute.
"""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Mapping

from tqdm import tqdm

log = logging.getLogger(__name__)

_LINES = 10
_LONGEST_SILENCE_SECONDS = 30.0


class Progress:
    """A bar on a terminal's stderr, else lines in the log; nothing where ``is_shown`` is false."""

    def __init__(self, *, epochs: int, objective: str, is_shown: bool) -> None:
        self._epochs, self._objective = epochs, objective
        is_terminal = sys.stderr.isatty()
        self._has_lines = is_shown and not is_terminal
        self._last_line = 0.0
        self._bar = tqdm(
            total=epochs, unit="epoch", disable=not (is_shown and is_terminal), leave=False
        )

    def step(self, epoch: int, row: Mapping[str, float]) -> None:
        """Show the row of an epoch, counted from 1."""
        loss, value = row["train_loss"], row[f"valid_{self._objective}"]
        self._bar.set_postfix_str(f"loss {loss:.4g}, {self._objective} {value:.4g}", refresh=False)
        self._bar.update()
        if self._has_lines and self._is_due(epoch):
            self._last_line = time.monotonic()
            self._log(epoch, loss=loss, value=value)

    def _is_due(self, epoch: int) -> bool:
        is_tenth = epoch % max(1, self._epochs // _LINES) == 0
        is_silent = time.monotonic() - self._last_line > _LONGEST_SILENCE_SECONDS
        return epoch == self._epochs or is_tenth or is_silent

    def _log(self, epoch: int, *, loss: float, value: float) -> None:
        text = "epoch %d/%d: loss %.4g, valid %s %.4g"
        log.info(text, epoch, self._epochs, loss, self._objective, value)

    def close(self) -> None:
        """Take the bar away."""
        self._bar.close()
