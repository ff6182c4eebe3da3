"""A generated stream of pulses from two sensors, with faults whose places are known."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Annotated, ClassVar, Literal

import numpy as np
import pandas as pd
from annotated_types import Ge

from assay.data.ragged import ragged
from assay.data.raw import Label, Raw, Roles
from assay.data.spec import Kind
from assay.data.splitting import Splitting

NORMAL = "none"
_WINDOW = 48
_SHORTEST, _LONGEST = 16.0, 26.0  # steps from pulse to pulse
_FADE, _LAG = 0.25, 3
_NOISE = 0.05
_FAULTY = 0.08  # share of windows

Fault = Callable[[np.ndarray, np.random.Generator], None]


@dataclass(frozen=True, kw_only=True)
class SyntheticStream:
    """``windows`` windows of 48 steps that follow each other, none of which reaches into another.

    Every fault lies within one window, and that window's ``fault`` says which: the labels are true
    because the stream was made with them.
    """

    kind: ClassVar[Kind] = "sequence"
    task: ClassVar[Literal["reconstruction"]] = "reconstruction"
    windows: Annotated[int, Ge(100)] = 3000
    seed: Annotated[int, Ge(0)] = 0
    split: Splitting = field(default_factory=Splitting)

    def read(self) -> Raw:
        """Return the windows in the order of time, with what is wrong in each."""
        rng = np.random.default_rng(self.seed)
        rows = _pulses(self.windows * _WINDOW, rng).reshape(self.windows, _WINDOW, 2)
        names = np.full(self.windows, NORMAL, dtype=object)
        for place in np.flatnonzero(rng.random(self.windows) < _FAULTY):
            names[place] = str(rng.choice(list(_FAULTS)))
            _FAULTS[names[place]](rows[place], rng)
        frame = pd.DataFrame({"start": np.arange(self.windows) * _WINDOW, "fault": names})
        anomalies: tuple[Label, ...] = tuple(_FAULTS)
        return Raw(
            frame=frame,
            roles=Roles(target="fault", time="start"),
            task=self.task,
            anomalies=anomalies,
            series=ragged(list(rows.astype(np.float32))),
            channels=("pressure", "flow"),
            source="generated",
        )


def _pulses(steps: int, rng: np.random.Generator) -> np.ndarray:
    """Return (steps, 2): pulses whose distance wanders, and what follows them three steps later."""
    wander = np.cumsum(rng.normal(0, 0.02, steps))
    middle, half = (_SHORTEST + _LONGEST) / 2, (_LONGEST - _SHORTEST) / 2
    phase = np.cumsum(1 / (middle + half * np.sin(wander))) % 1
    pressure = np.exp(-phase / _FADE) * (1 - np.exp(-phase / 0.03))
    flow = 0.6 * np.roll(pressure, _LAG) ** 2
    return np.stack([pressure, flow], axis=1) + rng.normal(0, _NOISE, (steps, 2))


def _part(rng: np.random.Generator, *, shortest: int, longest: int) -> slice:
    length = int(rng.integers(shortest, longest + 1))
    start = int(rng.integers(0, _WINDOW - length + 1))
    return slice(start, start + length)


def _spike(rows: np.ndarray, rng: np.random.Generator) -> None:
    rows[_part(rng, shortest=1, longest=2), rng.integers(2)] += rng.choice([-1, 1]) * 0.35


def _stuck(rows: np.ndarray, rng: np.random.Generator) -> None:
    part, sensor = _part(rng, shortest=6, longest=12), rng.integers(2)
    rows[part, sensor] = rows[part.start, sensor]


def _shaken(rows: np.ndarray, rng: np.random.Generator) -> None:
    part = _part(rng, shortest=8, longest=16)
    rows[part] += rng.normal(0, 1.5 * _NOISE, rows[part].shape)


def _shifted(rows: np.ndarray, rng: np.random.Generator) -> None:
    rows[_part(rng, shortest=10, longest=30), rng.integers(2)] += rng.choice([-1, 1]) * 0.1


def _torn(rows: np.ndarray, rng: np.random.Generator) -> None:
    """The second sensor follows the first later than it should."""
    rows[:, 1] = np.roll(rows[:, 1], int(rng.integers(1, 3)))


def _weak(rows: np.ndarray, rng: np.random.Generator) -> None:
    """A pulse does not come with its full height."""
    rows[_part(rng, shortest=12, longest=18)] *= 0.6


_FAULTS: dict[str, Fault] = {
    "spike": _spike,
    "stuck": _stuck,
    "shaken": _shaken,
    "shifted": _shifted,
    "torn": _torn,
    "weak": _weak,
}
