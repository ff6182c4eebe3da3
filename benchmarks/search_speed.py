"""How soon a search reaches what 40 unpruned random trials reach, beside Hydra's Optuna sweeper.

Run: ``python benchmarks/search_speed.py [--seeds 5] [--trials 40] [--workers 2] [--data digits]
[--model cnn] [--epochs 30]``. For each seed the target is the best of so many unpruned random
trials. Then ``conf/search/tpe.yaml`` on Assay's engine, and the sweeper with its own defaults on the
joblib launcher, search with the same trial function, workers and threads until a trial reaches it,
in three times as many trials at most. Printed are the seconds from the first trial's begin; a search
that ran out of trials counts with the time that it had, marked with >. Exit status 1 where the ratio
of the sums is above one half, or Assay ran out of trials.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import hydra
import psutil
from omegaconf import DictConfig

from assay.config.compose import compose_params
from assay.config.load import build, merged, typed
from assay.config.space import parse_space
from assay.metrics.objective import objective
from assay.pipeline.composing.schema import SCHEMA
from assay.pipeline.fitting.candidate import try_candidate
from assay.pipeline.fitting.inputs import prepared_inputs
from assay.pipeline.searching.trials import built
from assay.space import Choice, Dimension, extremes
from assay.stages import prepare
from assay.tuning.knobs import Search, with_warmup
from assay.tuning.problem import Problem
from assay.tuning.share import Share
from assay.tuning.study import search
from assay.tuning.trial import Draw, Report, Score, TrialFunction

ROOT = Path(__file__).parents[1]
GOAL = 0.5
LONGER = 3
LOOK_SECONDS = 0.5
NOTES = Path("notes.jsonl")
METHODS = ("random", "assay", "hydra")


def main() -> None:
    """Print a row a seed."""
    arguments = parsed()
    if arguments.method:
        METHOD[arguments.method](arguments)
        return
    print(f"{'seed':<6}{'target':>9}{'random s':>10}{'assay s':>10}{'hydra s':>10}")
    totals, missed = dict.fromkeys(METHODS, 0.0), dict.fromkeys(METHODS, 0)
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        Path("search.yaml").write_text("{}\n")
        prepare.run(prepare.Params(data=build(composed(arguments)["data"], where="data")))
        for seed in range(arguments.seeds):
            row = measured(arguments, seed)
            for name in METHODS:
                totals[name] += row[name][0]
                missed[name] += not row[name][1]
            cells = "".join(f"{'' if row[n][1] else '>'}{row[n][0]:.1f}".rjust(10) for n in METHODS)
            print(f"{seed:<6}{row['target']:>9.5f}{cells}", flush=True)
    ratio = totals["assay"] / totals["hydra"]
    print(f"{ratio:.2f} of the time of Hydra's Optuna sweeper (goal {GOAL})")
    print(f"never reached it: {missed['assay']} of Assay's searches, {missed['hydra']} of Hydra's")
    sys.exit(0 if ratio <= GOAL and not missed["assay"] else 1)


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--trials", type=int, default=40)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--data", default="digits")
    parser.add_argument("--model", default="cnn")
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--method", choices=METHODS, help=argparse.SUPPRESS)
    parser.add_argument("--seed", type=int, default=0, help=argparse.SUPPRESS)
    return parser.parse_args()


def composed(arguments: argparse.Namespace) -> dict[str, Any]:
    knobs = {"max_epochs": arguments.epochs, "threads": 1}
    choices = {"data": arguments.data, "model": arguments.model, "training": "default"}
    params = {**choices, "search": "tpe", "gate": "default", "set": {"training": knobs}}
    return compose_params(ROOT / "conf", params, schema=SCHEMA)


def measured(arguments: argparse.Namespace, seed: int) -> dict[str, Any]:
    """Return the target, and for each method the seconds until it was reached, and whether."""
    sign = 1 if objective(prepared_inputs().spec.task).direction == "minimize" else -1
    row: dict[str, Any] = {}
    for name in METHODS:
        NOTES.unlink(missing_ok=True)
        run_until([name, "--seed", str(seed)], target=row.get("target"), sign=sign)
        trials = noted()
        ended = sorted((t for t in trials if "value" in t), key=lambda t: t["end"])
        if name == "random":
            row["target"] = sign * min(sign * t["value"] for t in ended)
        begin = min(t["begin"] for t in trials)
        reached = [t["end"] for t in ended if is_there(t["value"], row["target"], sign)]
        row[name] = ((reached or [max(t["end"] for t in trials)])[0] - begin, bool(reached))
    return row


def run_until(method: Sequence[str], *, target: float | None, sign: int) -> None:
    """Run a method in a process of its own, to its end or until a trial reached the target."""
    words = [sys.executable, __file__, *sys.argv[1:], "--method", *method]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent)}
    with Path("said.log").open("w") as said:
        process = psutil.Popen(words, env=environment, stdout=said, stderr=said)
        while process.poll() is None:
            time.sleep(LOOK_SECONDS)
            if any(is_there(t["value"], target, sign) for t in noted() if "value" in t):
                for one in (process, *process.children(recursive=True)):
                    with suppress(psutil.NoSuchProcess):
                        one.kill()
                process.wait()
                return
    if process.returncode:
        sys.exit(Path("said.log").read_text())


def is_there(value: float, target: float | None, sign: int) -> bool:
    return target is not None and sign * value <= sign * target + 1e-12


def noted() -> list[dict[str, float]]:
    """Return what is known of the trials so far; a line that is being written is left out."""
    text = NOTES.read_text() if NOTES.exists() else ""
    return [json.loads(line) for line in text.splitlines(keepends=True) if line.endswith("\n")]


@lru_cache
def inputs() -> Any:
    """Read the splits once in a process."""
    return prepared_inputs()


def trial(values: Mapping[str, Any], report: Report, *, arguments: argparse.Namespace) -> float:
    """Fit and score a setting, and note when and what came of it."""
    config = composed(arguments)
    model, training = built(merged({k: config[k] for k in ("model", "training")}, values))
    watched = f"valid_{objective(inputs().spec.task).name}"
    note: dict[str, float] = {"begin": time.time()}
    try:
        outcome = try_candidate(
            inputs(),
            model=model,
            training=training,
            seed=arguments.seed,
            on_epoch=lambda epoch, row: report(epoch, row[watched]),
        )
        note["value"] = outcome.value
    finally:
        note["end"] = time.time()
        with NOTES.open("a") as notes:
            notes.write(json.dumps(note) + "\n")
    return outcome.value


@dataclass(frozen=True, kw_only=True)
class Work:
    """The trial function on Assay's engine."""

    arguments: argparse.Namespace

    @contextmanager
    def __call__(self, share: Share) -> Iterator[TrialFunction]:
        """Give the function that runs a trial."""

        def run(draw: Draw, report: Report) -> Score:
            return Score(value=trial(draw.values, report, arguments=self.arguments))

        yield run


def engine(arguments: argparse.Namespace, *, trials: int, **other: Any) -> None:
    """Search as the stage does: the knobs of conf/search/tpe.yaml, but for the ``other`` ones."""
    config = composed(arguments)
    own = with_warmup(typed(Search, config["search"], where="search"), epochs=arguments.epochs)
    knobs = replace(own, trials=trials, workers=arguments.workers, finalists=0, **other)
    nodes = {key: config[key] for key in ("model", "training")}
    goal = objective(prepared_inputs().spec.task)
    search(
        Work(arguments=arguments),
        problem=Problem(
            study=f"{arguments.method} {arguments.seed}",
            space=parse_space(config["search"]["space"], config=nodes),
            directions=(goal.direction,),
            seed=arguments.seed,
        ),
        knobs=knobs,
        storage=Path("study.db"),
    )


def sweeper(arguments: argparse.Namespace) -> None:
    """Run the official sweeper as its users do: an application with a space, and a launcher."""
    config = composed(arguments)
    nodes = {key: config[key] for key in ("model", "training")}
    space = parse_space(config["search"]["space"], config=nodes)
    direction = objective(prepared_inputs().spec.task).direction

    def job(values: DictConfig) -> float:
        flat = {key.replace("__", "."): value for key, value in values.items()}
        # By name: what joblib pickles of a script loses its cache of the splits.
        again = importlib.import_module(Path(__file__).stem)
        return float(again.trial(flat, lambda epoch, value: None, arguments=arguments))

    own = [f"+{key.replace('.', '__')}={written(space[key])}" for key in space]
    sys.argv = [
        *("search_speed", "-m", "hydra/sweeper=optuna", "hydra/launcher=joblib"),
        *(
            f"hydra.sweeper.n_trials={LONGER * arguments.trials}",
            f"hydra.sweeper.n_jobs={arguments.workers}",
        ),
        *(f"hydra.sweeper.sampler.seed={arguments.seed}", f"hydra.sweeper.direction={direction}"),
        *(f"hydra.launcher.n_jobs={arguments.workers}", "hydra.job.chdir=false", *own),
    ]
    hydra.main(config_path=str(Path.cwd()), config_name="search")(job)()
    for worker in psutil.Process().children(recursive=True):
        worker.kill()  # joblib's wait for more work
    os._exit(0)


def written(dimension: Dimension) -> str:
    """Return a dimension in the words of the official sweeper, whose whole numbers are casts."""
    if isinstance(dimension, Choice):
        return f"choice({','.join(map(str, dimension.values))})"
    low, high = extremes(dimension)
    if dimension.step:
        return f"range({low},{high + dimension.step},{dimension.step})"
    ends = f"interval({low},{high})"
    sweep = f"int({ends})" if dimension.is_integer else ends
    return f"tag(log,{sweep})" if dimension.is_log else sweep


METHOD = {
    "random": lambda arguments: engine(
        arguments, trials=arguments.trials, sampler="random", pruner="none"
    ),
    "assay": lambda arguments: engine(arguments, trials=LONGER * arguments.trials),
    "hydra": sweeper,
}


if __name__ == "__main__":
    main()
