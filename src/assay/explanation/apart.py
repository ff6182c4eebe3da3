"""How far a model's predictions differ from row to row, beside those of networks that learned nothing.

Two equal untrained networks spread by chance up to eight times as much as each other (the logarithm's
standard deviation over seeds was 0.09 to 0.43 for seven models and data sets), so that one of them is
no measure: what is needed is more than all but one in a hundred untrained networks would have.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from scipy.stats import t

TELLS_APART = 0.02
"""The least spread, as a share of what is possible: a random network's limit is never below it."""
TWINS = 12
_LEVEL = 0.99

Apart = Mapping[str, float | None]


def spread_of(output: np.ndarray) -> float:
    """Return the standard deviation over rows, the root mean square over outputs (rows, outputs)."""
    return float(np.sqrt(output.var(axis=0).mean()))


def apart(output: np.ndarray, *, reach: float | None, untrained: Sequence[float]) -> Apart:
    """Compare the spread of ``output`` with what is possible and with spreads of untrained networks.

    ``reach`` is how far predictions could differ. ``share`` is the spread over it, ``times`` the
    spread over the untrained networks' geometric mean, and ``needed`` what ``times`` must exceed; None
    where that is not known. A spread below ``TELLS_APART`` of the reach counts as that.
    """
    spread = spread_of(output)
    if reach is None or not reach > 0:
        return {"share": None, "times": None, "needed": None}
    if len(untrained) < 2:
        return {"share": spread / reach, "times": None, "needed": None}
    logs = np.log(np.maximum(np.array(untrained) / reach, TELLS_APART))
    typical = float(np.exp(logs.mean()))
    return {
        "share": spread / reach,
        "times": spread / reach / typical,
        "needed": _prediction_bound(logs) / typical,
    }


def _prediction_bound(logs: np.ndarray) -> float:
    """Return what another draw of the same normal distribution exceeds once in a hundred times.

    Hahn and Meeker 1991, Statistical Intervals, section 4.8: one-sided, for a single draw.
    """
    count = len(logs)
    factor = float(t.ppf(_LEVEL, count - 1)) * np.sqrt(1 + 1 / count)
    return float(np.exp(logs.mean() + factor * logs.std(ddof=1)))


def reasons_against(found: Apart) -> list[str]:
    """Say in words why there is little to explain; nothing where predictions are told apart."""
    share, times, needed = (found[name] for name in ("share", "times", "needed"))
    if share is not None and not share >= TELLS_APART:
        return [
            f"the model hardly tells rows apart: its predictions spread by {share:.1%} of what they "
            "could, and there is next to nothing to explain"
        ]
    if times is not None and needed is not None and not times >= needed:
        return [
            f"its predictions spread only {times:.2g} times as much as those of random weights, of which "
            f"one in a hundred reaches {needed:.2g} times: there is little that it learned"
        ]
    return []
