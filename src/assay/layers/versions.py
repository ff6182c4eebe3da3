"""Bodies of registered versions, rebuilt from what was kept beside their graphs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import nn

from assay.artifacts.borrowed import borrowed
from assay.artifacts.files import read_yaml
from assay.data.spec import read_spec
from assay.errors import ArtifactError, ConfigError
from assay.layers.known import adapted_body, known_model
from assay.layers.shape import Model, Shape

WEIGHTS, EFFECTIVE, SPEC = "weights.safetensors", "effective.yaml", "spec.json"
_BODY = "body."


def version_body(version: str, digest: str | None, shape: Shape, outputs: int) -> nn.Module:
    """Return the body of a registered version with its weights, none of which is trained further.

    Raises ConfigError when it was made for other inputs or classes than ``shape`` and ``outputs``.
    """
    body = version_network(version, digest, shape=shape)
    found = read_spec(borrowed(digest, of=version) / SPEC).outputs
    if found != outputs:
        raise ConfigError(
            [f"model.versions: {version} ends in {found} outputs, this data asks for {outputs}"]
        )
    return body.requires_grad_(False)


def version_network(
    version: str, digest: str | None, *, shape: Shape, is_trained: bool = True
) -> nn.Module:
    """Return the body of a registered version with its own outputs, from inputs of ``shape``.

    Unless ``is_trained``, its weights are fresh.
    Raises ConfigError where its weights do not fit inputs of that shape.
    """
    folder = borrowed(digest, of=version)
    body = adapted_body(_model(folder), shape, read_spec(folder / SPEC).outputs)
    if is_trained:
        _load(body, folder / WEIGHTS, version)
    return body


def _model(folder: Path) -> Model:
    node: Any = read_yaml(folder / EFFECTIVE)["model"]
    name = str(node["_target_"]).rsplit(".", 2)[-2]
    return known_model(name, {k: v for k, v in node.items() if k != "_target_"})


def _load(body: nn.Module, file: Path, version: str) -> None:
    try:
        weights = {n.removeprefix(_BODY): t for n, t in load_file(file).items()}
        inner: Any = body.body
        inner.load_state_dict(weights)
    except (SafetensorError, FileNotFoundError) as error:
        raise ArtifactError(f"{file} cannot be read: {error}") from error
    except RuntimeError as error:
        reason = " ".join(str(error).split())[:300]
        raise ConfigError([f"model: {version} does not fit these inputs: {reason}"]) from error
