"""Hand out what a registered version was trained to: weights, knobs and specification.

Run as ``python -m assay.tracking.lend URI``; prints the version's address and the digest under
which its files are kept in the home.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

from assay.artifacts.borrowed import keep
from assay.errors import TrackingError, exit_plainly
from assay.tracking.registry import fetch, resolve

_NAME = "assay.tracking.lend"
_FILES = ("weights.safetensors", "effective.yaml", "spec.json")


def main(uri: str) -> None:
    """Keep a version's files and print how they are found."""
    version = resolve(uri)
    with tempfile.TemporaryDirectory() as scratch:
        origin = fetch(version, Path(scratch)) / "origin"
        files = [origin / name for name in _FILES]
        if missing := [file.name for file in files if not file.is_file()]:
            raise TrackingError(
                f"{version.uri} was registered without {', '.join(missing)}: register it again"
            )
        name = keep(files)
    sys.stdout.write(json.dumps({"version": version.uri, "digest": name}) + "\n")


if __name__ == "__main__":
    with exit_plainly(_NAME):
        main(*sys.argv[1:])
