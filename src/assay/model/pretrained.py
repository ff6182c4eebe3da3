"""Transfer learning: a network that was trained elsewhere, with a new head."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated, ClassVar

from annotated_types import Ge, Le, Lt
from torch import Tensor, nn

from assay.artifacts.borrowed import borrowed
from assay.layers.hub import hub_body
from assay.layers.shape import InputKind, Shape
from assay.layers.versions import EFFECTIVE, version_network

_BODY = "trunk"


@dataclass(frozen=True, kw_only=True)
class Pretrained:
    """A trained trunk and a linear head.

    ``source`` is a model of Hugging Face ``transformers`` for images or texts, by the name of its
    repository, a folder of the project or ``package:NAME``; or a registered version of one's own,
    ``models:/NAME@champion``, whose last layer is replaced. ``digest`` is filled in when the
    configuration is composed. A ``frozen`` trunk stays as it is; else it learns at ``trunk_rate``
    times the learning rate (Howard and Ruder 2018, arXiv:1801.06146). ``from_nothing`` throws the
    weights away and keeps the architecture: what transfer must be better than.
    """

    takes: ClassVar[tuple[InputKind, ...]] = ("tokens", "image", "sequence", "vector")

    source: str = ""
    digest: str | None = None
    frozen: bool = False
    trunk_rate: Annotated[float, Ge(0), Le(1)] = 0.1
    dropout: Annotated[float, Ge(0), Lt(1)] = 0.1
    from_nothing: bool = False

    def build(self, shape: Shape, outputs: int) -> nn.Module:
        """Return a module from the input to (batch, outputs)."""
        folder = borrowed(self.digest, of=self.source or "model.source")
        if (folder / EFFECTIVE).is_file():
            whole = version_network(
                self.source, self.digest, shape=shape, is_trained=not self.from_nothing
            )
            trunk, width = _without_last_layer(whole)
        else:
            trunk, width = hub_body(folder, shape, of=self.source, is_trained=not self.from_nothing)
        is_frozen = self.frozen and not self.from_nothing
        rate = 1.0 if self.from_nothing else self.trunk_rate
        head = nn.Sequential(nn.Dropout(self.dropout), nn.Linear(width, outputs))
        return _Transferred(trunk, head, is_frozen=is_frozen, rate=rate)

    def yardstick(self) -> Pretrained:
        """Return the same architecture with weights of its own."""
        return replace(self, from_nothing=True)


class _Transferred(nn.Module):
    def __init__(self, trunk: nn.Module, head: nn.Module, *, is_frozen: bool, rate: float) -> None:
        super().__init__()
        self.trunk, self.head = trunk.requires_grad_(not is_frozen), head
        self._is_frozen, self._rate = is_frozen, rate

    def forward(self, *given: Tensor) -> Tensor:
        outputs: Tensor = self.head(self.trunk(*given))
        return outputs

    def train(self, mode: bool = True) -> _Transferred:
        """Leave a frozen trunk as it is when it is used: without dropout, with its own statistics."""
        super().train(mode)
        if self._is_frozen:
            self.trunk.eval()
        return self

    def rate_of(self, name: str) -> float:
        """Return the share of the learning rate that a parameter takes."""
        return self._rate if name.startswith(f"{_BODY}.") else 1.0


def _without_last_layer(body: nn.Module) -> tuple[nn.Module, int]:
    """Return a body whose last linear layer passes on what it was given, and the width of that."""
    name, last = [(n, m) for n, m in body.named_modules() if isinstance(m, nn.Linear)][-1]
    parent, _, child = name.rpartition(".")
    setattr(body.get_submodule(parent), child, nn.Identity())
    return body, last.in_features
