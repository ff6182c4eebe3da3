"""Run ready-made experiments by ``assay run`` for a batch each, in one process: imports cost most.

Called with words to put behind each name: ``python every.py NAME [WORD ...] -- NAME ...``; prints a
JSON line each, of its status and of what it said last.
"""

from __future__ import annotations

import json
import sys
from itertools import groupby

from click.testing import CliRunner

from assay.cli.main import assay

_SHORT = ["training.max_epochs=1", "training.limit_batches=1"]


def run(name: str, *more: str) -> None:
    """Run one and say how it ended."""
    done = CliRunner().invoke(assay, ["run", "--from", name, *_SHORT, *more])
    said = (done.output.strip().splitlines() or [""])[-1]
    failed = repr(done.exception) if done.exception and done.exit_code else ""
    print("RAN " + json.dumps({"name": name, "status": done.exit_code, "said": said + failed}))


if __name__ == "__main__":
    for is_end, words in groupby(sys.argv[1:], key=lambda word: word == "--"):
        if not is_end:
            run(*words)
