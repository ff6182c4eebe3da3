"""The mean of several networks: of one model from several seeds, or of registered versions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar

from annotated_types import Ge
from torch import nn

from assay.layers.known import adapted_body, known_model
from assay.layers.members import Members
from assay.layers.shape import Gives, InputKind, Shape
from assay.layers.versions import version_body


@dataclass(frozen=True, kw_only=True)
class Ensemble:
    """``seeds`` networks of the model ``of`` with ``settings``, each from weights of its own.

    They see the same batches and learn by themselves. With ``versions``, registered versions such as
    ``models:/digits/3`` that were trained on the same prepared data, nothing is trained: their
    weights are taken as they are. ``pins`` are filled in when the configuration is composed: digests
    of the versions' files, and of the members' modules.
    """

    takes: ClassVar[tuple[InputKind, ...]] = ("vector", "image", "sequence", "tokens")
    gives: ClassVar[tuple[Gives, ...]] = ("row", "step")

    of: str = "mlp"
    settings: Mapping[str, Any] = field(default_factory=dict)
    seeds: Annotated[int, Ge(1)] = 3
    versions: tuple[str, ...] = ()
    pins: Mapping[str, str] = field(default_factory=dict)

    def build(self, shape: Shape, outputs: int) -> nn.Module:
        """Return a module from the input to the mean answer of its members."""
        if self.versions:
            bodies = [version_body(v, self.pins.get(v), shape, outputs) for v in self.versions]
        else:
            member = known_model(self.of, self.settings)
            bodies = [adapted_body(member, shape, outputs) for _ in range(self.seeds)]
        return Members(bodies, answers=shape.answers)
