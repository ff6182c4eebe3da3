"""Windows over series on one regular axis of time: what lies before each moment, and what follows it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
import pandas as pd
from annotated_types import Ge
from numpy.lib.stride_tricks import sliding_window_view

from assay.data.ragged import InMemory, Ragged
from assay.data.raw import Forecasting, Raw, Roles
from assay.errors import ConfigError, DataError

_BEGINS, _ORIGIN, _ENDS = "begins", "origin", "ends"


@dataclass(frozen=True, kw_only=True)
class Windows:
    """``horizon`` steps are forecast from the ``window`` steps before them, every ``stride`` steps.

    ``season`` is the period of the naive forecast in steps, 1 for none. A gap of up to
    ``longest_gap`` steps takes the value before it; windows with longer ones, or with any in what is
    to be forecast, are left out. With ``level: last`` a network sees and forecasts differences to
    the last step, so that it follows a series to where it has not been; ``none`` leaves values as
    they are. With ``look_back`` the first windows of a split may begin in the split before it;
    what they forecast never does.
    """

    window: Annotated[int, Ge(2)] = 48
    horizon: Annotated[int, Ge(1)] = 12
    stride: Annotated[int, Ge(1)] = 1
    season: Annotated[int, Ge(1)] = 1
    longest_gap: Annotated[int, Ge(0)] = 4
    level: Literal["last", "none"] = "last"
    look_back: bool = False

    def __post_init__(self) -> None:
        if self.season > self.window:
            raise ConfigError(
                [
                    f"data.windows.season: the naive forecast repeats the last season, so {self.season} "
                    f"steps must lie in a window of {self.window}: lengthen data.windows.window"
                ]
            )


def cut(
    table: pd.DataFrame, *, series: tuple[str, ...], knobs: Windows, source: str, time: str = ""
) -> Raw:
    """Return every whole window over a table of numbers, one line a step of a regular axis.

    Its first columns are the ``series`` to forecast, the others covariates of which the past is
    known. ``time`` is what the user's file calls that axis. Raises DataError where no window is left.
    """
    values = table.to_numpy(np.float32)
    span = knobs.window + knobs.horizon
    starts = np.arange(0, len(values) - span + 1, knobs.stride)
    if not len(starts):
        raise DataError(
            f"{source}: {len(values)} steps are fewer than a window of {knobs.window} and the "
            f"{knobs.horizon} to forecast: shorten data.windows.window or data.windows.horizon"
        )
    ahead = sliding_window_view(values[:, : len(series)], knobs.horizon, axis=0)
    is_open = np.isnan(ahead[starts + knobs.window]).any(axis=(1, 2))
    is_torn = _longest_gaps(values, knobs.window)[starts] > knobs.longest_gap
    kept = starts[~(is_open | is_torn)]
    if not len(kept):
        raise DataError(
            f"{source}: none of {len(starts)} windows is whole: {int(is_open.sum())} miss values of "
            f"what is to be forecast, {int(is_torn.sum())} have a gap of more than "
            f"data.windows.longest_gap={knobs.longest_gap} steps"
        )
    return Raw(
        frame=_frame(table.index, kept, knobs),
        roles=Roles(id=_ORIGIN, time=_ORIGIN),
        task="forecasting",
        series=_past(values, kept, knobs.window),
        channels=tuple(map(str, table.columns)),
        targets=np.ascontiguousarray(ahead[kept + knobs.window].transpose(0, 2, 1)),
        forecast=Forecasting(
            series=series,
            season=knobs.season,
            window=knobs.window,
            level=knobs.level,
            look_back=knobs.look_back,
            starts=kept,
            steps=len(values),
            time=time,
        ),
        notes=_notes(len(starts), is_open, is_torn & ~is_open, knobs),
        source=source,
    )


def filled(steps: np.ndarray) -> np.ndarray:
    """Return windows (rows, steps, channels) with each missing value taken from the step before.

    What is missing at a window's beginning takes the first known value; a channel without any stays
    as it is. Nothing is taken from outside of the window.
    """
    known = ~np.isnan(steps)
    places = np.where(known, np.arange(steps.shape[1])[None, :, None], -1)
    last = np.maximum.accumulate(places, axis=1)
    first = known.argmax(axis=1)[:, None]
    return np.take_along_axis(steps, np.where(last < 0, first, last), axis=1)


def _longest_gaps(values: np.ndarray, window: int) -> np.ndarray:
    """Return the longest run of missing values of any column, for each place of a window."""
    run = np.zeros(values.shape, np.int64)
    for step, is_missing in enumerate(np.isnan(values)):
        run[step] = np.where(is_missing, (run[step - 1] if step else 0) + 1, 0)
    within = np.minimum(sliding_window_view(run.max(axis=1), window), np.arange(1, window + 1))
    return np.asarray(within.max(axis=1))


def _past(values: np.ndarray, starts: np.ndarray, window: int) -> Ragged:
    steps = sliding_window_view(values, window, axis=0)[starts].transpose(0, 2, 1)
    flat = InMemory(array=filled(steps).reshape(-1, values.shape[1]))
    return Ragged(flat, np.arange(len(starts) + 1, dtype=np.int64) * window)


def _frame(times: pd.Index, starts: np.ndarray, knobs: Windows) -> pd.DataFrame:
    words = _words(times)
    last = starts + knobs.window - 1
    return pd.DataFrame(
        {_BEGINS: words[starts], _ORIGIN: words[last], _ENDS: words[last + knobs.horizon]}
    )


def _words(times: pd.Index) -> np.ndarray:
    """Return times as people write them: dates without the hour where all are at midnight."""
    if not isinstance(times, pd.DatetimeIndex):
        return times.to_numpy()
    is_daily = bool((times == times.normalize()).all())
    words = times.strftime("%Y-%m-%d" if is_daily else "%Y-%m-%d %H:%M:%S")
    return words.to_numpy(object)


def _notes(count: int, is_open: np.ndarray, is_torn: np.ndarray, knobs: Windows) -> tuple[str, ...]:
    found = {
        "values of what is to be forecast are missing": int(is_open.sum()),
        f"a gap of more than {knobs.longest_gap} steps": int(is_torn.sum()),
    }
    return tuple(f"{n} of {count} windows, {why}" for why, n in found.items() if n)
