"""How rates differ between groups of people: selection, true and false positive rates.

Rates, their differences (largest minus smallest) and ratios (smallest over largest) are those of
fairlearn (Weerts et al. 2023, jmlr.org/papers/v24/23-0389.html); the intervals are from the bootstrap
of ``metrics.intervals``. The largest of several rates is never below the smallest, so an interval
of a difference says how large it may be, and leaves out 0 also where groups are treated alike.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
from fairlearn.metrics import (
    MetricFrame,
    false_positive_rate,
    selection_rate,
    true_positive_rate,
)

from assay.metrics.dependence import Dependence
from assay.metrics.intervals import draws
from assay.metrics.knobs import Evaluate
from assay.metrics.ranking import ratio

RATES: Mapping[str, Callable[..., float]] = {
    "selection_rate": selection_rate,
    "true_positive_rate": true_positive_rate,
    "false_positive_rate": false_positive_rate,
}


def fairness(
    *,
    group: np.ndarray,
    is_positive: np.ndarray,
    is_selected: np.ndarray,
    knobs: Evaluate,
    dependence: Dependence,
) -> dict[str, Any]:
    """Return the rates of each group with ``knobs.slice_rows`` rows or more, differences and ratios.

    ``group`` (N,) is what a row's group is called; ``is_positive`` and ``is_selected`` (N,) whether it
    is, and is said to be, of the class in question. Smaller groups are ``left_out``. A rate that no
    row of a group could show is None, and left out of difference and ratio.
    """
    names, counts = np.unique(group, return_counts=True)
    kept = [str(n) for n, count in zip(names, counts, strict=True) if count >= knobs.slice_rows]
    small = {str(n): int(c) for n, c in zip(names, counts, strict=True) if str(n) not in kept}
    if len(kept) < 2:
        reason = f"fewer than two groups have {knobs.slice_rows} rows (evaluate.slice_rows)"
        return {"left_out": small, "reason": reason}
    here = np.isin(group, kept)
    group, is_positive, is_selected = group[here], is_positive[here], is_selected[here]
    rates = _rates(group, is_positive, is_selected, kept)
    drawn = [rates(w) for w in draws("classification", is_positive, knobs, dependence.of(here))]
    resampled = {name: np.concatenate([part[name] for part in drawn]) for name in RATES}
    by_group, difference, quotient = _of_fairlearn(group, is_positive, is_selected)
    return {
        "groups": {
            name: {
                "rows": int((group == name).sum()),
                **{
                    rate: _interval(by_group[rate][name], resampled[rate][:, place], knobs)
                    for rate in RATES
                },
            }
            for place, name in enumerate(kept)
        },
        "difference": {
            rate: _interval(difference[rate], _spread(resampled[rate]), knobs) for rate in RATES
        },
        "ratio": {
            rate: _interval(quotient[rate], _quotient(resampled[rate]), knobs) for rate in RATES
        },
        "left_out": small,
    }


def _rates(
    group: np.ndarray, is_positive: np.ndarray, is_selected: np.ndarray, names: list[str]
) -> Callable[[np.ndarray], dict[str, np.ndarray]]:
    """Return a function from weights (B, N) to each rate by group (B, groups)."""
    member = np.stack([group == name for name in names], axis=1).astype(float)
    positive, selected = is_positive[:, None], is_selected[:, None]

    def rates(weights: np.ndarray) -> dict[str, np.ndarray]:
        def share(of: np.ndarray) -> np.ndarray:
            return ratio(weights @ (member * of * selected), weights @ (member * of))

        return {
            "selection_rate": share(np.ones_like(positive)),
            "true_positive_rate": share(positive),
            "false_positive_rate": share(~positive),
        }

    return rates


def _of_fairlearn(
    group: np.ndarray, is_positive: np.ndarray, is_selected: np.ndarray
) -> tuple[Any, Any, Any]:
    frame = MetricFrame(
        metrics={name: _where_defined(name, rate) for name, rate in RATES.items()},
        y_true=is_positive.astype(int),
        y_pred=is_selected.astype(int),
        sensitive_features=group.astype(str),
    )
    return frame.by_group, frame.difference(), frame.ratio()


def _where_defined(name: str, rate: Callable[..., float]) -> Callable[..., float]:
    """Return the rate, NaN where no row could show it; fairlearn says 0 there."""
    needed = {"true_positive_rate": 1, "false_positive_rate": 0}.get(name)

    def value(y_true: Any, y_pred: Any) -> float:
        if needed is not None and needed not in set(y_true):
            return float("nan")
        return float(rate(y_true, y_pred, pos_label=1))

    return value


def _ends(by_group: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the smallest and the largest defined rate; infinite where there is none."""
    is_unknown = np.isnan(by_group)
    low = np.where(is_unknown, np.inf, by_group).min(1)
    return low, np.where(is_unknown, -np.inf, by_group).max(1)


def _spread(by_group: np.ndarray) -> np.ndarray:
    low, high = _ends(by_group)
    return np.asarray(high - low)


def _quotient(by_group: np.ndarray) -> np.ndarray:
    return ratio(*_ends(by_group))


def _interval(value: Any, resampled: np.ndarray, knobs: Evaluate) -> dict[str, float | None]:
    defined = resampled[np.isfinite(resampled)]
    if not np.isfinite(value):
        return {"value": None, "low": None, "high": None}
    if len(defined) < len(resampled) / 2:
        return {"value": float(value), "low": None, "high": None}
    low, high = np.quantile(defined, [(1 - knobs.confidence) / 2, (1 + knobs.confidence) / 2])
    return {"value": float(value), "low": float(low), "high": float(high)}


def fairness_words(found: list[dict[str, Any]]) -> Iterator[str]:
    """Yield a sentence for each sensitive column: the rates that differ most."""
    for entry in found:
        head = f"{entry['column']}, predicted '{entry['positive']}'"
        if "reason" in entry:
            yield f"{head}: not compared, {entry['reason']}"
            continue
        parts = [_difference(entry, rate) for rate in RATES]
        yield f"{head}: " + "; ".join(part for part in parts if part)


def _difference(entry: dict[str, Any], rate: str) -> str:
    found, quotient = entry["difference"][rate], entry["ratio"][rate]
    if found["value"] is None or found["low"] is None:
        return ""
    known = {n: g[rate]["value"] for n, g in entry["groups"].items()}
    values = {n: value for n, value in known.items() if value is not None}
    if found["value"] == 0:
        return f"{rate.replace('_', ' ')} {next(iter(values.values())):.2f} in each"
    least, most = min(values, key=values.__getitem__), max(values, key=values.__getitem__)
    part = f", ratio {quotient['value']:.2f}" if quotient["value"] is not None else ""
    return (
        f"{rate.replace('_', ' ')} {least} {values[least]:.2f}, {most} {values[most]:.2f}, "
        f"difference {found['value']:.2f} ({found['low']:.2f} to {found['high']:.2f}){part}"
    )
