"""Names of the baselines that are trained beside a network, where there is something to hold it against."""

from __future__ import annotations

FROM_NOTHING = "from_nothing"
"""What transfer is held against: the same network and training, with weights of its own."""
WITHOUT_SAMPLES = "without_samples"
"""What a classifier with samples among its training batches is held against: the same without them."""
TRAINED_BESIDE = (FROM_NOTHING, WITHOUT_SAMPLES)
