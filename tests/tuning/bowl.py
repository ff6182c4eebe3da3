"""A space with every kind of dimension, and a function over it that has one lowest point."""

import math

from assay.space import Choice, Interval

SPACE = {
    "training.lr": Interval(low=1e-4, high=1e-1, is_log=True),
    "model.width": Interval(low=8, high=64, is_integer=True),
    "model.activation": Choice(values=("relu", "gelu", None, 2, True)),
}


def bowl(values, report, number):
    return (math.log10(values["training.lr"]) + 2.5) ** 2 + values["model.width"] / 100
