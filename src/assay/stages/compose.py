"""Reads conf/ and params.yaml; writes artifacts/config.yaml, resolved and checked."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path

from assay.artifacts.files import write_yaml
from assay.artifacts.paths import CONFIG
from assay.artifacts.staging import staged
from assay.config.compose import compose_params, read_params
from assay.data.place import require_own_data
from assay.pipeline.composing.match import require_match
from assay.pipeline.composing.named import require_names
from assay.pipeline.composing.pin import pinned
from assay.pipeline.composing.schema import SCHEMA

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Params:
    """Nothing: compose makes what the other stages are given."""


def run(params: Params) -> None:
    """Compose the configuration that every later stage reads its keys from."""
    del params
    with staged("compose") as folder:
        config = compose_params(Path("conf"), read_params(Path("params.yaml")), schema=SCHEMA)
        require_match(config, conf=Path("conf"))
        require_own_data(config["data"].get("path"))
        require_names(config)
        write_yaml(folder / CONFIG.name, pinned(config))
    log.info(" ".join(f"{group}={option}" for group, option in config["choices"].items()))
