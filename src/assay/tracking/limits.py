"""MLflow's limits on names and texts, and how Assay keeps within them."""

from __future__ import annotations

import math
import re

METRICS_PER_BATCH = 1000
PARAMS_PER_BATCH = 100
KEY_LENGTH = 250
PARAM_LENGTH = 6000
TAG_LENGTH = 5000
DIGEST_LENGTH = 36
LARGEST = 1.7976931348623157e308
_NOT_IN_KEYS = re.compile(r"[^\w\-. :/]")


def key(name: str) -> str:
    """Return a name with the characters and the length that MLflow allows."""
    return _NOT_IN_KEYS.sub("_", name)[:KEY_LENGTH]


def cut(text: str, length: int) -> str:
    """Return a text of at most ``length`` characters that says so where it was cut."""
    if len(text) <= length:
        return text
    tail = f"... (cut, {len(text)} characters)"
    return text[: length - len(tail)] + tail


def finite(value: float) -> float:
    """Return infinite values as the largest that SQL can hold, of the same sign; NaN stays."""
    return math.copysign(LARGEST, value) if math.isinf(value) else float(value)
