"""Proof that a fit cannot be lost: SIGKILL at random moments, and the same bits at the end.

Run: ``python benchmarks/kill.py [--kills 20] [--models mlp cnn] [--epochs 12] [--seed 0]``. For each
model under conf/model/ the train stage runs on digits once undisturbed. Then it is started, killed
at a random moment and started again, until it was killed so often; whenever it comes to its end
before that, another begins from nothing. Attempts are forked from this process, which has imported
everything, so that kills hit the fit and not the imports. At every end the weights, the history and
effective.yaml must be those of the undisturbed stage, byte for byte, and its one MLflow run must have
each epoch once. Exit status 1 where they are not.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from assay.artifacts.files import digest, read_json
from assay.config.compose import compose_params
from assay.config.load import build
from assay.pipeline.composing.schema import SCHEMA
from assay.stages import prepare, search, train
from assay.tracking.environment import MlflowClient
from assay.tuning.knobs import Search

ROOT = Path(__file__).parents[1]
COMPARED = ("weights.safetensors", "history.csv", "effective.yaml")
OUTPUT = Path("artifacts/train")
LONGEST_SECONDS = 600


@dataclass
class Tally:
    """What happened to one family."""

    seconds: float
    kills: int = 0
    ends: int = 0
    resumed: int = 0
    wrong: list[str] = field(default_factory=list)


def main() -> None:
    """Print a row a model."""
    arguments = parsed()
    rng = random.Random(arguments.seed)
    is_good = True
    print(f"{'model':<14}{'fit s':>7}{'kills':>7}{'resumed':>9}{'ends':>6}  weights, history, run")
    for model in arguments.models:
        with tempfile.TemporaryDirectory() as folder:
            os.chdir(folder)
            os.environ["ASSAY_HOME"] = str(Path(folder, "home"))
            tally = family(model, arguments, rng)
            os.chdir(ROOT)
        said = "; ".join(tally.wrong) or "as undisturbed"
        row = f"{model:<14}{tally.seconds:>7.1f}{tally.kills:>7}{tally.resumed:>9}{tally.ends:>6}"
        print(f"{row}  {said}", flush=True)
        is_good &= not tally.wrong
    sys.exit(0 if is_good else 1)


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    known = sorted(file.stem for file in (ROOT / "conf/model").glob("*.yaml"))
    parser.add_argument("--models", nargs="+", choices=known, default=known)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args()


def family(model: str, arguments: argparse.Namespace, rng: random.Random) -> Tally:
    """Kill the training of one model so often, and compare every end of it."""
    config = composed(model, epochs=arguments.epochs)
    params = train.Params(model=config["model"], training=config["training"], seed=config["seed"])
    ended(lambda: begin(config))
    started = time.monotonic()
    ended(lambda: train.run(params))
    tally = Tally(seconds=time.monotonic() - started)
    undisturbed = outputs()
    while tally.kills < arguments.kills:
        shutil.rmtree(OUTPUT, ignore_errors=True)
        runs = train_runs()
        while not attempt(params, tally, rng, is_last=tally.kills >= arguments.kills):
            continue
        tally.ends += 1
        tally.wrong += differences(undisturbed, runs, epochs=arguments.epochs)
    return tally


def composed(model: str, *, epochs: int) -> dict[str, Any]:
    knobs = {
        "max_epochs": epochs,
        "early_stopping": {"patience": None},
        "checkpoint": {"every_seconds": 0.1},
    }
    choices = {"data": "digits", "model": model, "training": "default", "search": "none"}
    params = {**choices, "gate": "default", "set": {"training": knobs}}
    return compose_params(ROOT / "conf", params, schema=SCHEMA)


def begin(config: Mapping[str, Any]) -> None:
    prepare.run(prepare.Params(data=build(config["data"], where="data")))
    nodes = {key: config[key] for key in ("model", "training", "seed")}
    search.run(search.Params(**nodes, search=Search(trials=0)))


def forked(function: Callable[[], None]) -> int:
    """Start a child that runs the function and ends with 0, or 1 on an error; its process id."""
    sys.stdout.flush()
    process = os.fork()
    if process:
        return process
    status = 1
    try:
        os.dup2(os.open("output.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND), 2)
        function()
        status = 0
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(status)


def ended(function: Callable[[], None]) -> None:
    _, status = os.waitpid(forked(function), 0)
    if status:
        sys.exit(f"an undisturbed stage failed:\n{Path('output.log').read_text()}")


def attempt(params: train.Params, tally: Tally, rng: random.Random, *, is_last: bool) -> bool:
    """Run the stage, and kill it unless it ends first; tell whether it ended."""
    tally.resumed += bool(list(Path("home/checkpoints").glob("*/*.ckpt")))
    process = forked(lambda: train.run(params))
    wait = LONGEST_SECONDS if is_last else rng.uniform(0, 0.6 * tally.seconds)
    end = time.monotonic() + wait
    while time.monotonic() < end:
        found, status = os.waitpid(process, os.WNOHANG)
        if found:
            if status:
                sys.exit(f"a stage failed:\n{Path('output.log').read_text()}")
            return True
        time.sleep(0.002)
    os.kill(process, signal.SIGKILL)
    os.waitpid(process, 0)
    tally.kills += 1
    return is_done()


def is_done() -> bool:
    """Whether the stage had done all its work when it was killed: no checkpoint, every output."""
    return (OUTPUT / "run.json").is_file() and not list(Path("home/checkpoints").glob("*/*.ckpt"))


def outputs() -> dict[str, str]:
    return {name: digest(OUTPUT / name) for name in COMPARED}


def train_runs() -> dict[str, Any]:
    """Return, for each MLflow run of the stage, its status and the steps of its training loss."""

    def ask() -> None:
        client = MlflowClient(f"sqlite:///{Path('home/mlflow.db').resolve()}")
        experiments = [e.experiment_id for e in client.search_experiments()]
        found = client.search_runs(experiments, "tags.stage = 'train'")
        runs = {}
        for run in found:
            history = client.get_metric_history(run.info.run_id, "train_loss")
            runs[run.info.run_id] = [run.info.status, [metric.step for metric in history]]
        Path("runs.json").write_text(json.dumps(runs))

    ended(ask)  # in a child: an open database would not survive the next fork
    return dict(read_json(Path("runs.json")))


def differences(
    undisturbed: Mapping[str, str], before: Mapping[str, Any], *, epochs: int
) -> list[str]:
    """Say what is not as it should be."""
    found = outputs()
    wrong = [f"{name} differs" for name in COMPARED if found[name] != undisturbed[name]]
    if list(Path("home/checkpoints").glob("[!.]*")):
        wrong.append("a checkpoint was left")
    new = [run for run_id, run in train_runs().items() if run_id not in before]
    if new != [["FINISHED", list(range(1, epochs + 1))]]:
        wrong.append(f"expected one finished run with each epoch once, found {new}")
    return wrong


if __name__ == "__main__":
    main()
