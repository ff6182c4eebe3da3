"""Models of Hugging Face ``transformers`` as trunks: images or tokens to one vector a row."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from assay.errors import ArtifactError, ConfigError
from assay.layers.preprocess import mask
from assay.layers.shape import Shape

_COLOURS = 3


def hub_body(
    folder: Path, shape: Shape, *, of: str, is_trained: bool = True
) -> tuple[nn.Module, int]:
    """Return a trunk with the weights in ``folder`` (safetensors), or fresh ones, and its width.

    Raises ConfigError for data that the model cannot take, ArtifactError for files it cannot read.
    """
    model = _load(folder, of, is_trained=is_trained)
    if isinstance(getattr(getattr(model, "pooler", None), "dense", None), nn.Linear):
        model.pooler = None  # its output is not used, so it would never learn
    if shape.kind == "tokens":
        _require_vocabulary(model, shape, of)
        return TextTrunk(model), int(model.config.hidden_size)
    if shape.kind != "image" or hasattr(model, "embed_tokens") or _takes_text(model):
        raise ConfigError([f"model.source: {of} cannot take {shape.kind} input"])
    trunk = ImageTrunk(model, channels=shape.sizes[0])
    with torch.inference_mode():
        width = int(trunk.eval()(torch.zeros(1, *shape.sizes)).shape[1])
    return trunk.train(), width


class TextTrunk(nn.Module):
    """Tokens and lengths to the mean of the last hidden states of a row's own tokens."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, tokens: Tensor, lengths: Tensor) -> Tensor:
        """Return float32 (batch, width)."""
        is_inside = mask(lengths, steps=tokens.shape[1])
        hidden = self.model(input_ids=tokens, attention_mask=is_inside.long()).last_hidden_state
        weight = is_inside.unsqueeze(2).to(hidden.dtype)
        mean: Tensor = (hidden * weight).sum(dim=1) / weight.sum(dim=1)
        return mean


class ImageTrunk(nn.Module):
    """Images to the mean of the last feature map, or of the patches' hidden states.

    A grey image is repeated for each colour, and one of another size than the model's is resized.
    """

    def __init__(self, model: nn.Module, *, channels: int) -> None:
        super().__init__()
        config: Any = model.config
        self.model = model
        self.times = getattr(config, "num_channels", _COLOURS) // channels or 1
        size = getattr(config, "image_size", None)
        self.size = (size, size) if isinstance(size, int) else size

    def forward(self, images: Tensor) -> Tensor:
        """Return float32 (batch, width)."""
        images = images.repeat(1, self.times, 1, 1)
        if self.size is not None and images.shape[2:] != torch.Size(self.size):
            images = functional.interpolate(images, size=self.size, mode="bilinear")
        hidden: Tensor = self.model(pixel_values=images).last_hidden_state
        return hidden.mean(dim=(2, 3)) if hidden.ndim == 4 else hidden.mean(dim=1)


def _load(folder: Path, of: str, *, is_trained: bool) -> Any:
    try:
        transformers = importlib.import_module("transformers")
    except ImportError as error:
        raise ConfigError(
            [f"model.source: {of} needs the package transformers: pip install 'assay[pretrained]'"]
        ) from error
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    try:
        safe = {"local_files_only": True, "trust_remote_code": False}
        made = {"attn_implementation": "eager", "dtype": torch.float32}
        if is_trained:
            return transformers.AutoModel.from_pretrained(
                folder, use_safetensors=True, **safe, **made
            )
        config = transformers.AutoConfig.from_pretrained(folder, **safe)
        return transformers.AutoModel.from_config(config, **made)
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        reason = " ".join(str(error).split())[:300]
        raise ArtifactError(f"{of} cannot be read as a model of transformers: {reason}") from error


def _takes_text(model: Any) -> bool:
    return getattr(model, "main_input_name", "") == "input_ids"


def _require_vocabulary(model: Any, shape: Shape, of: str) -> None:
    if not _takes_text(model):
        raise ConfigError([f"model.source: {of} cannot take {shape.kind} input"])
    if shape.sizes[1] > model.config.vocab_size:
        raise ConfigError(
            [
                f"model.source: {of} knows {model.config.vocab_size} tokens, the data has "
                f"{shape.sizes[1]}: tokenize the texts as the model does (data.tokenizer: {of})"
            ]
        )
