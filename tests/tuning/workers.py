"""A search by several processes: at module level, so that a process can be handed it."""

import json
import os
import signal
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from assay.space import Interval
from assay.tuning.problem import Problem
from assay.tuning.trial import Score

PROBLEM = Problem(study="s", space={"x": Interval(low=0.0, high=1.0)})


@dataclass(frozen=True, kw_only=True)
class Noted:
    """A trial writes a line on where it began; the chosen ones kill their process once."""

    folder: Path
    deadly: tuple[int, ...] = ()
    seconds: float = 0.02

    @contextmanager
    def __call__(self, share):
        def run(draw, report):
            line = {"number": draw.number, "pid": os.getpid(), "x": draw.values["x"]}
            line |= {"repeat": draw.repeat, "seed": draw.seed, "share": share.environment}
            with Path(self.folder, "lines").open("a") as lines:
                lines.write(json.dumps(line) + "\n")
            if draw.number in self.deadly and draw.attempt == 0 and not draw.repeat:
                os.kill(os.getpid(), signal.SIGKILL)
            time.sleep(self.seconds)
            return Score(value=draw.values["x"])

        yield run

    def lines(self):
        """Return what was written."""
        return [json.loads(line) for line in Path(self.folder, "lines").read_text().splitlines()]
