"""Where nobody watches: a line after the first epoch, each tenth of them, and the last."""

from __future__ import annotations

import logging

import pytest

from assay.training.progress import Progress

ROW = {"train_loss": 0.5, "valid_log_loss": 0.25}


def _lines(caplog: pytest.LogCaptureFixture, *, epochs: int, is_shown: bool = True) -> list[str]:
    with caplog.at_level(logging.INFO, logger="assay"):
        progress = Progress(epochs=epochs, objective="log_loss", is_shown=is_shown)
        for epoch in range(1, epochs + 1):
            progress.step(epoch, ROW)
        progress.close()
    return [record.getMessage() for record in caplog.records]


def test_a_long_fit_speaks_now_and_then(caplog: pytest.LogCaptureFixture) -> None:
    lines = _lines(caplog, epochs=1000)
    assert len(lines) == 11
    assert lines[0] == "epoch 1/1000: loss 0.5, valid log_loss 0.25"
    assert lines[-1].startswith("epoch 1000/1000")


def test_nothing_is_said_where_nothing_is_asked(caplog: pytest.LogCaptureFixture) -> None:
    assert _lines(caplog, epochs=10, is_shown=False) == []
