"""Networks with their weights, and their answers for a split; imports no Lightning."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from assay.data.prepared import Split
from assay.data.ragged import of_one_width
from assay.data.spec import Spec
from assay.errors import ArtifactError
from assay.layers.network import Network
from assay.layers.shape import Model

_ROWS = 1024
_NUMBERS = 1 << 20


def build_network(model: Model, spec: Spec, *, seed: int) -> Network:
    """Return a fresh network whose weights are a pure function of the arguments.

    Raises ConfigError when the model cannot take this kind of data.
    """
    torch.manual_seed(seed)
    return Network(spec=spec, model=model)


def write_weights(path: Path, weights: Mapping[str, Tensor]) -> None:
    """Write tensors as safetensors: no code, no pickle. ArtifactError when the disk refuses."""
    try:
        save_file({name: tensor.contiguous() for name, tensor in weights.items()}, path)
    except SafetensorError as error:
        raise ArtifactError(f"{path} cannot be written: {error}") from error


def load_network(model: Model, spec: Spec, *, weights: Path) -> Network:
    """Return a network with the weights of a file, in evaluation mode.

    Raises ArtifactError when the file is missing, damaged or made for another network.
    """
    network = Network(spec=spec, model=model)
    try:
        network.load_state_dict(load_file(weights))
    except FileNotFoundError as error:
        raise ArtifactError(f"{weights} is missing: run 'dvc repro train' to make it") from error
    except SafetensorError as error:
        raise ArtifactError(f"{weights} is damaged, not safetensors: {error}") from error
    except RuntimeError as error:
        raise ArtifactError(
            f"{weights} holds other tensors than this model has: run 'dvc repro train' to make "
            f"it again ({' '.join(str(error).split())})"
        ) from error
    return network.eval()


def predict(network: Network, split: Split) -> np.ndarray:
    """Return what metrics take, float32: probabilities (rows, classes), values (rows,) and so on.

    Works through the split in batches, so memory does not grow with images.
    """
    size = split.rows_at_once(most_rows=_ROWS, most_numbers=_NUMBERS, outputs=network.outputs)
    network.eval()
    with torch.inference_mode():
        answers = [_answer(network, split, start, size) for start in range(0, len(split), size)]
    return np.concatenate(of_one_width(answers))


def _answer(network: Network, split: Split, start: int, size: int) -> np.ndarray:
    batch = split.batch(np.arange(start, min(start + size, len(split))))
    inputs = {name: torch.from_numpy(array) for name, array in batch.items()}
    answer: np.ndarray = network.scores(**inputs).numpy()
    return answer
