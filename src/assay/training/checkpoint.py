"""Checkpoints of one fit: whole or absent, the last two of them, tensors and numbers and strings only."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch

from assay.artifacts.files import digest, flush_folder, read_json, write_json
from assay.errors import ArtifactError
from assay.training.knobs import Checkpointing

log = logging.getLogger(__name__)

State = dict[str, Any]
_KEPT = 2
_LARGEST_SHARE = 0.05


class Checkpoints:
    """The checkpoints in a folder, and when the next one is due.

    Due is every so many steps or seconds, whichever comes first. Seconds are stretched where
    needed, so that writing by the clock takes at most a twentieth of the time.
    """

    def __init__(self, folder: Path, knobs: Checkpointing) -> None:
        self._folder, self._knobs = folder, knobs
        self._step = 0
        self._written_at = time.monotonic()
        self._not_before = 0.0

    def is_due(self, step: int) -> bool:
        """Whether to write one now, ``step`` steps into the fit."""
        steps, seconds = self._knobs.every_steps, self._knobs.every_seconds
        if steps is not None and step - self._step >= steps:
            return True
        if seconds is None or step == self._step:
            return False
        return time.monotonic() >= max(self._written_at + seconds, self._not_before)

    def write(self, state: Mapping[str, Any], *, step: int) -> None:
        """Write a checkpoint and drop all but the last two.

        A disk that refuses it costs a warning, not the fit.
        """
        started = time.monotonic()
        try:
            self._write(state, step)
        except (OSError, RuntimeError, ArtifactError) as error:
            log.warning("no checkpoint at step %d: %s", step, error)
        now = time.monotonic()
        self._step, self._written_at = step, now
        self._not_before = now + (now - started) / _LARGEST_SHARE

    def _write(self, state: Mapping[str, Any], step: int) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        file = self._folder / f"step-{step:09d}.ckpt"
        draft = file.with_suffix(".draft")
        try:
            with draft.open("wb") as opened:
                torch.save(dict(state), opened)
                opened.flush()
                os.fsync(opened.fileno())
            facts = {"sha256": digest(draft), "bytes": draft.stat().st_size, "step": step}
            write_json(file.with_suffix(".json"), facts)
            draft.replace(file)
            flush_folder(self._folder)
        finally:
            draft.unlink(missing_ok=True)
        for old in sorted(self._folder.glob("step-*.ckpt"))[:-_KEPT]:
            old.unlink()
            old.with_suffix(".json").unlink(missing_ok=True)

    def read(self) -> State | None:
        """Return the latest whole checkpoint; None where there is none.

        A damaged one is passed over, with a warning, for the one before.
        """
        for file in sorted(self._folder.glob("step-*.ckpt"), reverse=True):
            try:
                state = _checked(file)
            except (ArtifactError, OSError) as error:
                log.warning("%s; it is passed over", error)
                continue
            self._step = int(file.stem.removeprefix("step-"))
            return state
        return None

    def clear(self) -> None:
        """Remove every checkpoint."""
        for file in self._files():
            file.unlink(missing_ok=True)

    def _files(self) -> Iterator[Path]:
        yield from self._folder.glob("step-*")


def _checked(file: Path) -> State:
    facts = read_json(file.with_suffix(".json"))
    if not isinstance(facts, dict) or file.stat().st_size != facts.get("bytes"):
        raise ArtifactError(f"{file} is damaged: it was cut short or grew")
    if digest(file) != facts.get("sha256"):
        raise ArtifactError(f"{file} is damaged: its SHA-256 is another")
    try:
        state: State = torch.load(file, map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises what its zip reader and unpickler happen to raise
        raise ArtifactError(f"{file} cannot be read: {type(error).__name__}") from error
    return state
