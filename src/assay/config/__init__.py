"""Configuration: Hydra composes, pydantic checks, plain dataclasses leave the room."""
