"""How far a fit is: a bar where someone watches, a line now and then where nobody does."""

from __future__ import annotations

import logging
import sys
from collections.abc import Mapping

from tqdm import tqdm

log = logging.getLogger(__name__)

_LINES = 10


class Progress:
    """A bar on a terminal's stderr, else lines in the log; nothing where ``is_shown`` is false."""

    def __init__(self, *, epochs: int, objective: str, is_shown: bool) -> None:
        self._epochs, self._objective = epochs, objective
        is_terminal = sys.stderr.isatty()
        self._has_lines = is_shown and not is_terminal
        self._bar = tqdm(
            total=epochs, unit="epoch", disable=not (is_shown and is_terminal), leave=False
        )

    def step(self, epoch: int, row: Mapping[str, float]) -> None:
        """Show the row of an epoch, counted from 1."""
        loss, value = row["train_loss"], row[f"valid_{self._objective}"]
        self._bar.set_postfix_str(f"loss {loss:.4g}, {self._objective} {value:.4g}", refresh=False)
        self._bar.update()
        if self._has_lines and (
            epoch == self._epochs or epoch % max(1, self._epochs // _LINES) == 0
        ):
            self._log(epoch, loss=loss, value=value)

    def _log(self, epoch: int, *, loss: float, value: float) -> None:
        text = "epoch %d/%d: loss %.4g, valid %s %.4g"
        log.info(text, epoch, self._epochs, loss, self._objective, value)

    def close(self) -> None:
        """Take the bar away."""
        self._bar.close()
