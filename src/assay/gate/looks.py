"""How the level is spent over the looks at one test split.

Every graph that was measured on the same test rows was a chance to win by luck. The k-th of them
is tested at level / (k (k + 1)). These sum to the level over all k, so by Boole's inequality the
chance that a model which is no better ever becomes champion is at most the level, however often
one tries (alpha spending: Lan and DeMets 1983, doi:10.1093/biomet/70.3.659).
"""

from __future__ import annotations


def spent_level(level: float, *, looks: int) -> float:
    """Return the level of a test at the ``looks``-th look, the first of which is 1."""
    return level / (looks * (looks + 1))
