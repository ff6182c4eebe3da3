"""What can be turned about training."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Literal

from annotated_types import Ge, Gt, Lt

from assay.augmentation.knobs import Augmentation

OptimizerName = Literal["sgd", "adam", "adamw", "rmsprop"]
ScheduleName = Literal["constant", "linear", "cosine", "step", "onecycle"]
LossName = Literal["auto", "cross_entropy", "focal", "mse", "mae", "huber"]
Precision = Literal["auto", "32", "bf16-mixed", "16-mixed"]
Device = Literal["auto", "cpu", "cuda", "mps"]


@dataclass(frozen=True, kw_only=True)
class EarlyStopping:
    """Stop after ``patience`` epochs without a gain of more than ``min_delta``; null never stops.

    The gain is that of the task's objective on the validation split.
    """

    patience: Annotated[int, Ge(1)] | None = 8
    min_delta: Annotated[float, Ge(0)] = 0.0


@dataclass(frozen=True, kw_only=True)
class Checkpointing:
    """How often a fit that may be resumed writes down where it is, also within an epoch.

    Whichever comes first; null for both writes at a signal alone. It changes no result.
    """

    every_steps: Annotated[int, Ge(1)] | None = None
    every_seconds: Annotated[float, Gt(0)] | None = 30.0


@dataclass(frozen=True, kw_only=True)
class Training:
    """How a network is fitted.

    ``lr`` is the highest learning rate that ``schedule`` reaches after ``warmup`` (a share of all
    steps). ``limit_batches`` cuts epochs short, for trying things out. ``loss`` auto is
    cross-entropy for classes and mean squared error for numbers; ``label_smoothing``,
    ``class_weights`` and ``focal_gamma`` concern classes, and ``huber_delta`` is in standard
    deviations of the target. ``gradient_clip`` bounds the norm of the gradient; null does not.
    ``average`` is the decay of an exponential moving average of the weights, which then is what is
    validated and kept (Polyak averaging; 0.99 forgets in some hundred steps); null takes the weights.
    ``threads`` null leaves torch's own number.
    """

    max_epochs: Annotated[int, Ge(1)] = 30
    batch_size: Annotated[int, Ge(2)] = 64
    limit_batches: Annotated[int, Ge(1)] | None = None
    optimizer: OptimizerName = "adamw"
    lr: Annotated[float, Gt(0)] = 3e-3
    momentum: Annotated[float, Ge(0), Lt(1)] = 0.9
    weight_decay: Annotated[float, Ge(0)] = 1e-2
    schedule: ScheduleName = "cosine"
    warmup: Annotated[float, Ge(0), Lt(1)] = 0.05
    loss: LossName = "auto"
    label_smoothing: Annotated[float, Ge(0), Lt(1)] = 0.0
    class_weights: Literal["none", "balanced"] = "none"
    focal_gamma: Annotated[float, Ge(0)] = 2.0
    huber_delta: Annotated[float, Gt(0)] = 1.0
    gradient_clip: Annotated[float, Gt(0)] | None = 1.0
    average: Annotated[float, Gt(0), Lt(1)] | None = None
    early_stopping: EarlyStopping = field(default_factory=EarlyStopping)
    checkpoint: Checkpointing = field(default_factory=Checkpointing)
    precision: Precision = "auto"
    device: Device = "auto"
    threads: Annotated[int, Ge(1)] | None = None
    deterministic: bool = True
    augmentation: Augmentation = field(default_factory=Augmentation)
