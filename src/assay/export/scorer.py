"""The network with its temperature: what the graph must reproduce, and how it runs in torch."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor, nn

from assay.data.prepared import Split
from assay.data.ragged import of_one_width
from assay.layers.answer import text_log_likelihood
from assay.layers.network import Network
from assay.layers.steps import at_step

_ROWS = 512
_NUMBERS = 1 << 22


class Scorer(nn.Module):
    """From the network's inputs, by position in the order of ``names``, to its answer.

    Returns probabilities (batch, classes) of the logits divided by ``temperature``, or values
    (batch,) in the target's own unit; for a reconstruction the pair (batch, 2, features) itself; for
    texts (batch, 1 + vocabulary) the log-likelihood and the next token's probabilities.
    """

    def __init__(self, network: Network, *, names: Sequence[str], temperature: float = 1.0) -> None:
        super().__init__()
        self.network, self.names, self.temperature = network, tuple(names), temperature
        self.eval()

    def forward(self, *tensors: Tensor) -> Tensor:
        """Return the answer for a batch."""
        outputs: Tensor = self.network(**dict(zip(self.names, tensors, strict=True)))
        if self.network.is_paired:
            return outputs
        answer: Tensor = self.network.answer(
            outputs if self.temperature == 1.0 else outputs / self.temperature
        )
        return self._of_texts(answer, *tensors) if self.network.is_language else answer

    def _of_texts(self, answer: Tensor, tokens: Tensor, lengths: Tensor) -> Tensor:
        """Put each text's log-likelihood before the probabilities of the token that follows it."""
        following = at_step(answer, lengths - 1).exp()
        likelihood = text_log_likelihood(answer, tokens, lengths)
        return torch.cat([likelihood.unsqueeze(1), following], dim=1)


def answers(scorer: Scorer, split: Split) -> np.ndarray:
    """Return the scorer's answers for every row of a split, in batches."""
    return _over(split, scorer.names, scorer, outputs=scorer.network.outputs)


def errors_of(pairs: np.ndarray) -> np.ndarray:
    """Return the mean square error (rows,) of pairs (rows, 2, features)."""
    return np.asarray(np.square(pairs[:, 0] - pairs[:, 1]).mean(axis=1))


def logits(network: Network, split: Split) -> np.ndarray:
    """Return the network's raw outputs for every row of a split, in batches."""
    names = tuple(split.inputs)

    def compute(*tensors: Tensor) -> Tensor:
        outputs: Tensor = network(**dict(zip(names, tensors, strict=True)))
        return outputs

    return _over(split, names, compute, outputs=network.outputs)


def _over(
    split: Split, names: Sequence[str], compute: Callable[..., Tensor], *, outputs: int
) -> np.ndarray:
    parts = []
    size = split.rows_at_once(most_rows=_ROWS, most_numbers=_NUMBERS, outputs=outputs)
    with torch.inference_mode():
        for start in range(0, len(split), size):
            batch = split.batch(np.arange(start, min(start + size, len(split))))
            parts.append(compute(*(torch.from_numpy(batch[name]) for name in names)).numpy())
    return np.concatenate(of_one_width(parts))
