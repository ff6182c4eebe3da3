"""Recurrent layers over rows of unequal length: packed in torch, ONNX's own operator in a graph.

Packed sequences cannot be exported, and layers that are not packed let padding into the backward
direction. ONNX's RNN, GRU and LSTM take the lengths, so both ways give the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, TypeAlias

import torch
from annotated_types import Ge, Lt
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from assay.errors import ConfigError
from assay.layers.shape import Shape
from assay.layers.steps import Pooled, StepInput, StepPooling, at_step

Cell = Literal["rnn", "gru", "lstm"]
_Cells: TypeAlias = nn.RNN | nn.GRU | nn.LSTM
_MODULES: Mapping[Cell, type[_Cells]] = {"rnn": nn.RNN, "gru": nn.GRU, "lstm": nn.LSTM}
# torch keeps the gates as r z n and i f g o, ONNX as z r h and i o f c.
_GATES: Mapping[Cell, tuple[int, ...]] = {"rnn": (0,), "gru": (1, 0, 2), "lstm": (0, 3, 1, 2)}
_OPSET = 14


class Recurrence(nn.Module):
    """Several recurrent layers: (batch, steps, width) to (batch, steps, directions x units)."""

    def __init__(
        self, cell: Cell, width: int, *, units: int, layers: int, dropout: float, is_both: bool
    ) -> None:
        super().__init__()
        self.cell, self.units, self.layers, self.is_both = cell, units, layers, is_both
        between = dropout if layers > 1 else 0.0
        self.recurrent = _MODULES[cell](
            width, units, layers, batch_first=True, dropout=between, bidirectional=is_both
        )

    def forward(self, steps: Tensor, lengths: Tensor) -> Tensor:
        """Return every step's state, zero after a row's end."""
        if torch.onnx.is_in_onnx_export() or torch.compiler.is_exporting():
            return self._in_a_graph(steps, lengths)
        packed = pack_padded_sequence(steps, lengths.cpu(), batch_first=True, enforce_sorted=False)
        states, _ = self.recurrent(packed)
        padded, _ = pad_packed_sequence(states, batch_first=True, total_length=steps.shape[1])
        return padded

    def _in_a_graph(self, steps: Tensor, lengths: Tensor) -> Tensor:
        states = steps.transpose(0, 1)
        for layer in range(self.layers):
            states = self._operator(layer, states, lengths.to(torch.int32))
        return states.transpose(0, 1)

    def _operator(self, layer: int, states: Tensor, lengths: Tensor) -> Tensor:
        """Return (steps, batch, directions x units) of one layer, by ONNX's operator."""
        ends = ("", "_reverse") if self.is_both else ("",)
        weights = [self._weights(f"l{layer}{end}") for end in ends]
        attributes: dict[str, Any] = {"hidden_size": self.units}
        attributes["direction"] = "bidirectional" if self.is_both else "forward"
        if self.cell == "gru":
            attributes["linear_before_reset"] = 1
        count, batch = states.shape[0], states.shape[1]
        found = torch.onnx.ops.symbolic(
            self.cell.upper(),
            (states, *(torch.stack(part) for part in zip(*weights, strict=True)), lengths),
            attributes,
            dtype=states.dtype,
            shape=(count, len(ends), batch, self.units),
            version=_OPSET,
        )
        return found.transpose(1, 2).reshape(count, batch, len(ends) * self.units)

    def _weights(self, suffix: str) -> tuple[Tensor, Tensor, Tensor]:
        """Return one direction's input and state weights and biases, in ONNX's order of gates."""
        named = [getattr(self.recurrent, f"{kind}_{suffix}") for kind in _KINDS]
        given, state, *biases = (self._reordered(tensor) for tensor in named)
        return given, state, torch.cat(biases)

    def _reordered(self, tensor: Tensor) -> Tensor:
        gates = tensor.chunk(len(_GATES[self.cell]))
        return torch.cat([gates[i] for i in _GATES[self.cell]])


_KINDS = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
Units: TypeAlias = Annotated[int, Ge(1)]
Dropout: TypeAlias = Annotated[float, Ge(0), Lt(1)]


class RecurrentBody(nn.Module):
    """Recurrent layers between an input layer and a linear head, for a row or for each step."""

    def __init__(
        self,
        cell: Cell,
        shape: Shape,
        outputs: int,
        *,
        units: int,
        layers: int,
        is_both: bool,
        pooling: StepPooling,
        dropout: float,
    ) -> None:
        super().__init__()
        if is_both and shape.is_causal:
            raise ConfigError(
                [
                    f"model.bidirectional: {cell} sees later steps in both directions, but this task "
                    "asks for the next one: set it to false"
                ]
            )
        self.first = StepInput(shape, units)
        self.recurrence = Recurrence(
            cell, units, units=units, layers=layers, dropout=dropout, is_both=is_both
        )
        self.pooled, self.gives, self.units = Pooled(pooling), shape.gives, units
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(units * (2 if is_both else 1), outputs)

    def forward(self, steps: Tensor, lengths: Tensor) -> Tensor:
        """Return (batch, outputs), or (batch, steps, outputs)."""
        states = self.recurrence(self.first(steps, lengths), lengths)
        if self.gives == "row":
            states = self._summary(states, lengths)
        outputs: Tensor = self.head(self.dropout(states))
        return outputs

    def _summary(self, states: Tensor, lengths: Tensor) -> Tensor:
        """Pool the steps; the backward direction has read the whole row at its first step."""
        if self.pooled.how != "last" or not self.recurrence.is_both:
            pooled: Tensor = self.pooled(states, lengths)
            return pooled
        forth = at_step(states[:, :, : self.units], lengths - 1)
        return torch.cat([forth, states[:, 0, self.units :]], dim=1)
