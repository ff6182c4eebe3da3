"""What a pretrained model must be given before it can be built: tiny models, by kind of input."""

import tempfile
from functools import cache
from pathlib import Path

from tests.tiny import kept, of_our_own, of_the_hub


@cache
def knobs(kind):
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        if kind in ("tokens", "image"):
            made = of_the_hub({"tokens": "bert", "image": "resnet"}[kind], folder)
        else:
            made = of_our_own(folder, kind={"vector": "table"}.get(kind, kind))
        return {"source": f"tests/{kind}", "digest": kept(made), "trunk_rate": 1.0}
