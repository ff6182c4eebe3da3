"""Windows over series that are to be divided by time: do they fit into every part of it?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, cast

import click

from assay.data.raw import DataSet, Raw
from assay.errors import DataError
from assay.split.assign import assign

_LOOK_BACK = "windows.look_back"


def with_windows_that_fit(data: DataSet, raw: Raw, settings: Sequence[str]) -> tuple[DataSet, Raw]:
    """Return the data set and its rows, with windows that look back where they fit no other way.

    Says so. ``settings`` are what the user asked for: what is said there stays. Raises DataError where
    a split has no window even so.
    """
    if raw.forecast is None:
        return data, raw
    try:
        assign(raw, splitting=data.split, task="forecasting")
    except DataError:
        if raw.forecast.look_back or any(word.startswith(_LOOK_BACK) for word in settings):
            raise
    else:
        return data, raw
    knobs = cast(Any, data)  # what reads series has windows
    fitting: DataSet = replace(knobs, windows=replace(knobs.windows, look_back=True))
    found = fitting.read()
    assign(found, splitting=data.split, task="forecasting")
    steps, window, horizon = raw.forecast.steps, raw.forecast.window, knobs.windows.horizon
    click.echo(
        f"{_LOOK_BACK}: true, since {steps} steps leave a split shorter than a window of {window} and "
        f"the {horizon} to forecast: its first windows begin in the split before it, what they "
        "forecast never does; shorter windows (--set windows.window=...) need no such thing"
    )
    return fitting, found
