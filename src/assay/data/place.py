"""Where the data of the pipeline of record may lie: in the project, so that DVC sees it change."""

from __future__ import annotations

import os
from pathlib import Path

from assay.errors import ConfigError


def require_own_data(path: object) -> None:
    """Raise ConfigError for a ``data.path`` that is absolute or leaves the project.

    Links are followed: DVC itself makes them, into a cache that may lie anywhere.
    """
    if not isinstance(path, str):
        return
    inside = Path(os.path.normpath(path))
    if "\0" in path or inside.is_absolute() or inside.parts[:1] in ((), ("..",), ("~",)):
        raise ConfigError(
            [
                f"data.path: {path!r} lies outside of the project, where DVC sees no change: make it "
                "a data set with 'assay add FILE --target COLUMN', or look at it with 'assay run'"
            ]
        )
