"""No secret in the configuration: it is kept in DVC's cache and shown in MLflow, in full."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from hydra.core.override_parser.types import Override, QuotedString

from assay.errors import ConfigError
from assay.secrets import secrets_of


def refuse_secrets(node: Mapping[str, Any], problems: Sequence[str] = ()) -> None:
    """Raise ConfigError where a value looks like a secret, by its key or as an address.

    The message names the key, never the value. ``problems`` are those found before.
    """
    if found := [_sentence(key) for key in dict.fromkeys(secrets_of(node))]:
        raise ConfigError([*problems, *found])


def refuse_secret_overrides(overrides: Sequence[Override]) -> None:
    """Raise ConfigError for overrides that hold a secret, before Hydra writes them to a file."""
    refuse_secrets({o.key_or_group: list(_values(o)) for o in overrides})


def _sentence(key: str) -> str:
    name = key.split(".")[-1]
    return (
        f"{key}: this looks like a secret, and the configuration is kept and shown in full (in "
        f"DVC's cache and in MLflow); put the secret into an environment variable and write the "
        f"variable's name here, under a key such as {name}_env"
    )


def _values(override: Override) -> Iterator[Any]:
    if override.is_sweep_override():
        yield override.input_line.partition("=")[2] if override.input_line else "a sweep"
    elif not override.is_delete():
        yield _plain(override.value())


def _plain(value: Any) -> Any:
    if isinstance(value, QuotedString):
        return value.text
    if isinstance(value, Mapping):
        return {str(_plain(key)): _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list) else value
