"""What a model's body is given, and what it is to give."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal, Protocol

from torch import nn

from assay.data.spec import Task

InputKind = Literal["vector", "image", "sequence", "tokens"]
Gives = Literal["row", "step", "input", "sample"]
Answers = Literal["class", "labels", "numbers"]


@dataclass(frozen=True)
class Shape:
    """The input of a body by kind, the sizes of one row of it, and the form of what is asked for.

    Kinds: ``vector``: (features,), float32 (batch, features); ``image``: (channels, height, width);
    ``sequence``: (steps, channels), float32 (batch, steps, channels), zero after a row's end;
    ``tokens``: (steps, vocabulary), int64 (batch, steps), 0 after a row's end. ``steps`` is the
    length of the longest row that training saw; a batch is as long as its own longest row.
    Sequences and tokens come with ``lengths``, int64 (batch,), each at least 1.

    ``gives`` is what the body returns: ``row`` (batch, outputs); ``step`` (batch, steps, outputs);
    ``input`` what it was given, again; ``sample`` things like it, from noise.
    ``is_causal`` asks that no step sees a later one.
    ``answers`` says what the outputs are: the logits of one of several classes, of each of several
    labels, or numbers. ``one_hot`` lists, for a vector, the (first, count) of features that are one
    column's categories.
    """

    kind: InputKind
    sizes: tuple[int, ...]
    gives: Gives = "row"
    is_causal: bool = False
    answers: Answers = "numbers"
    one_hot: tuple[tuple[int, int], ...] = ()


class Model(Protocol):
    """A model's knobs: a frozen dataclass that can build the body of a network.

    ``takes`` lists the kinds of input that the body accepts, the preferred one first; a model that
    can give other forms than ``row`` lists all that it can in a class variable ``gives``.
    """

    takes: ClassVar[tuple[InputKind, ...]]

    def build(self, shape: Shape, outputs: int) -> nn.Module:
        """Return a module from a batch of ``shape`` (with lengths, where it has them) to its form."""


_FORMS: Mapping[Task, Gives] = {
    "classification": "row",
    "multilabel": "row",
    "regression": "row",
    "forecasting": "row",
    "language_modelling": "step",
    "tagging": "step",
    "reconstruction": "input",
    "generation": "sample",
}


_ANSWERS: Mapping[Task, Answers] = {
    "classification": "class",
    "multilabel": "labels",
    "language_modelling": "class",
    "tagging": "class",
}


def answers_of(task: Task) -> Answers:
    """Return what the outputs of a task are."""
    return _ANSWERS.get(task, "numbers")


def form_of(task: Task) -> Gives:
    """Return the form of what a task asks of a body."""
    return _FORMS[task]


def forms_of(model: Model | type[Model]) -> tuple[Gives, ...]:
    """Return the forms that a model's body can give: rows, unless it says otherwise."""
    forms: tuple[Gives, ...] = getattr(model, "gives", ("row",))
    return forms
