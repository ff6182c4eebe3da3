"""Models: one file each, a frozen dataclass of knobs that builds a plain torch module."""
