"""Which metrics a task has, by name, told before anything is measured."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from assay.data.spec import Task
from assay.metrics.scores import weighted

OF_SAMPLES = ("frechet", "coverage", "density", "missing_classes", "copied", "gain_of_samples")
"""What is measured of generated samples; see ``metrics.generation``."""

_TARGET: Mapping[Task, tuple[int, ...]] = {
    "multilabel": (1, 2),
    "forecasting": (1, 1, 1),
    "tagging": (1, 1),
    "language_modelling": (1, 1),
}
_OUTPUT: Mapping[Task, tuple[int, ...]] = {
    "classification": (1, 2),
    "multilabel": (1, 2),
    "forecasting": (1, 1, 1),
    "tagging": (1, 1, 3),
    "reconstruction": (1, 2),
}
_SPANS = ("O", "B-X", "I-X")
_ONE_ROW = (1,)


def metric_names(task: Task, *, has_costs: bool = False) -> tuple[str, ...]:
    """Return the names of the task's metrics; ``cost`` is one where mistakes have costs.

    Those of spans are among them: only the data says whether its tags mark spans.
    """
    if task == "generation":
        return OF_SAMPLES
    metrics = weighted(
        task,
        target=np.zeros(_TARGET.get(task, _ONE_ROW), int),
        output=np.full(_OUTPUT.get(task, _ONE_ROW), 0.5),
        classes=_SPANS,
        naive=(1.0,),
        costs=(1.0, 1.0) if has_costs else (),
    )
    return tuple(metrics(np.ones((1, 1))))
