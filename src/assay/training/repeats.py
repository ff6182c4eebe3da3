"""Knobs of the fits beside the one of record: other seeds, and parts of the training rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from annotated_types import Ge, Gt, Lt


@dataclass(frozen=True, kw_only=True)
class Repeats:
    """How often training is repeated to see how far its result is luck, and what more rows would give.

    ``seeds`` more seeds are tried, those that follow the configured one. For each of ``shares`` of
    the training rows, and each seed, a network is fitted on a random part of that size; smaller
    parts lie within larger ones. None of them is kept: the network of record is the same as without.
    """

    seeds: Annotated[int, Ge(0)] = 0
    shares: tuple[Annotated[float, Gt(0), Lt(1)], ...] = ()
