"""What the ready-made experiments reach on their test splits, over seeds, beside what they should.

Run: python benchmarks/quality.py [NAME ...] [--seeds 3] [--texts sentiment.csv]. Each is the real
stages, from compose to evaluate, one after the other in this process, in a clone of HEAD; a seed
changes training and search, never the split. It goes on where it was cut off: what was measured is
kept by its settings in the home's folder ``benchmarks``, with the commit that it was measured at
(``--again`` measures anew). Writes docs/results.md, of which the notes are kept in
benchmarks/notes.yaml.
"""

from __future__ import annotations

import argparse
import importlib
import json
import logging
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from assay.artifacts.manifest import artifact
from assay.artifacts.paths import home
from assay.config.load import load
from assay.pipeline.fitting.fingerprint import name_of

ROOT = Path(__file__).parents[1]
BIN = Path(sys.executable).parent
RESULTS, NOTES = ROOT / "docs/results.md", ROOT / "benchmarks/notes.yaml"
STAGES = ("compose", "prepare", "search", "train", "export", "evaluate")
RECORDS = home() / "benchmarks"  # before the clone gets a home of its own


@dataclass(frozen=True)
class Goal:
    """What an experiment should reach: ``wanted`` in words, ``gain`` above 0 where it is reached.

    ``beside`` is the baseline that it is held against.
    """

    metric: str
    wanted: str
    gain: Callable[[float, float], float]
    beside: str = ""


def at_least(metric: str, bound: float) -> Goal:
    """Return the goal of a figure by itself."""
    return Goal(metric, f"at least {bound:g}", lambda ours, _: ours - bound)


GOALS: dict[str, Goal] = {
    "digits-cnn": at_least("accuracy", 0.98),
    "mnist-cnn": at_least("accuracy", 0.97),
    "digits-mlp": at_least("accuracy", 0.96),
    "digits-gru": at_least("accuracy", 0.96),
    "mnist-transformer": at_least("accuracy", 0.94),
    "unequal-gru": at_least("accuracy", 0.95),
    "sequences-lstm": at_least("accuracy", 0.95),
    "sequences-transformer": at_least("accuracy", 0.95),
    "cancer-mlp": at_least("accuracy", 0.95),
    "credit-mlp": at_least("accuracy", 0.75),
    "diabetes-mlp": at_least("r2", 0.40),
    "digits-gan": at_least("coverage", 0.6),
    "digits-anomaly": Goal("auroc", "above PCA", lambda ours, pca: ours - pca, "pca"),
    "stream-anomaly": Goal("auroc", "above PCA", lambda ours, pca: ours - pca, "pca"),
    "co2-forecast": Goal(
        "mase", "15 % below seasonal naive", lambda ours, naive: 0.85 * naive - ours, "trivial"
    ),
    "prose-lm": Goal(
        "perplexity", "below trigram", lambda ours, trigram: trigram - ours, "trigram"
    ),
    **{
        f"sentiment-{model}": Goal(
            "accuracy", "TF-IDF less 0.03", lambda ours, bag: ours - bag + 0.03, "words"
        )
        for model in ("mlp", "gru", "transformer")
    },
    "sentiment-pretrained": Goal(
        "accuracy", "TF-IDF and 0.04", lambda ours, bag: ours - bag - 0.04, "words"
    ),
    "mnist-transfer": Goal(
        "accuracy",
        "from nothing and 0.05",
        lambda ours, nothing: ours - nothing - 0.05,
        "from_nothing",
    ),
}
ALSO: dict[str, Goal] = {
    "digits-gan": Goal("missing_classes", "none of 1000 samples", lambda ours, _: -ours)
}
"""A further goal of an experiment, of the same runs."""
FIRST = {"mnist-transfer": "digits-cnn"}
"""Which experiment registers the version that another one builds on."""


def main() -> None:
    """Measure what has not been measured yet, a seed of all before the next, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", default=[])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--texts", type=Path, help="the CSV that the sentiment experiments name")
    parser.add_argument("--again", action="store_true", help="measure anew what is named")
    parser.add_argument("--page", action="store_true", help="measure nothing, write the page alone")
    words = parser.parse_args()
    names = [name for name in words.names or GOALS if (ROOT / f"experiments/{name}.yaml").is_file()]
    if not words.page:
        measure(names, seeds=words.seeds, texts=words.texts, again=words.again)
    RESULTS.write_text("\n".join(page()) + "\n", encoding="utf-8")
    print(f"written: {RESULTS.relative_to(ROOT)}")


def measure(names: list[str], *, seeds: int, texts: Path | None, again: bool) -> None:
    """Run what is missing in one clone of HEAD."""
    logging.disable(logging.INFO)
    wanted = [(name, seed) for seed in range(seeds) for name in names]
    with tempfile.TemporaryDirectory() as folder:
        clone = Path(folder) / "clone"
        subprocess.run(["git", "clone", "--quiet", str(ROOT), str(clone)], check=True)
        os.environ.update({"ASSAY_HOME": str(clone / ".assay"), "HF_HUB_OFFLINE": "1"})
        os.chdir(clone)
        if texts:
            add_texts(clone, texts)
        for name, seed in wanted:
            file = RECORDS / record_name(name, seed)
            if file.is_file() and not again:
                continue
            if name.startswith("sentiment") and not texts:
                print(f"{name}: left out, it needs --texts")
                continue
            found = run(clone, name, seed)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(json.dumps(found, indent=1))
            print(
                f"{name:22} seed {seed}: {found['value']:.4f} ({found['seconds']:.0f} s)",
                flush=True,
            )


def add_texts(clone: Path, texts: Path) -> None:
    """Make the labelled sentences a data set of the clone."""
    shutil.copyfile(texts, clone / "sentiment.csv")
    command = [BIN / "assay", "add", "sentiment.csv", "--text", "text", "--target", "label"]
    env = {**os.environ, "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"}
    subprocess.run(command, cwd=clone, check=True, capture_output=True, env=env)


def settings(name: str, seed: int) -> dict[str, Any]:
    """Return an experiment with a seed, with fewer resamples: intervals are not looked at.

    Nor are its explanations, so what it says of them is left out, and so are threads, which change
    the rounding alone.
    """
    params: dict[str, Any] = yaml.safe_load((ROOT / f"experiments/{name}.yaml").read_text())
    own = {key: value for key, value in (params["set"] or {}).items() if key != "explain"}
    if "training" in own:
        own["training"] = {k: v for k, v in own["training"].items() if k != "threads"}
    more = {"seed": seed, "evaluate": {"resamples": 20}}
    return {**params, "set": {**own, **more}}


def record_name(name: str, seed: int) -> str:
    """Return the file of what these very settings gave."""
    return f"quality-{name}-{seed}-{name_of(settings(name, seed), length=12)}.json"


def run(clone: Path, name: str, seed: int) -> dict[str, Any]:
    """Run the stages and return what the test split says, and the baseline beside it."""
    if (first := FIRST.get(name)) and not (clone / ".assay/first").is_file():
        stages(clone, settings(first, 0), (*STAGES, "explain", "register"))
        (clone / ".assay/first").touch()
    started = time.process_time()
    stages(clone, settings(name, seed), STAGES)
    goal = GOALS[name]
    metrics = json.loads((clone / "artifacts/evaluate/metrics.json").read_text())
    baselines = json.loads((clone / "artifacts/evaluate/baselines.json").read_text())
    return {
        "value": metrics[goal.metric]["value"],
        "metrics": values(metrics),
        "baselines": {key: values(found["metrics"]) for key, found in baselines.items()},
        "classes": shares_of_samples(clone),
        "seconds": time.process_time() - started,
        "commit": commit(),
    }


def stages(clone: Path, params: Mapping[str, Any], names: Iterable[str]) -> None:
    """Run stages in this process, as ``python -m assay.stages`` does in one each."""
    (clone / "params.yaml").write_text(yaml.safe_dump(dict(params), sort_keys=False))
    for name in names:
        stage: Any = importlib.import_module(f"assay.stages.{name}")
        is_first = name == "compose"
        stage.run(
            stage.Params() if is_first else load(stage.Params, artifact("compose", "config.yaml"))
        )


def values(metrics: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Return metrics without their intervals."""
    return {name: found["value"] for name, found in metrics.items()}


def shares_of_samples(clone: Path) -> dict[str, float]:
    """Return the share of a generator's samples that its judge takes for each class."""
    slices = json.loads((clone / "artifacts/evaluate/slices.json").read_text())
    return {
        part["value"]: part["metrics"]["share_of_samples"]["value"]
        for part in slices
        if "share_of_samples" in part["metrics"]
    }


def commit() -> str:
    """Return the abbreviated commit that is measured."""
    words = ["git", "rev-parse", "--short", "HEAD"]
    return subprocess.run(
        words, cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout.strip()


def page() -> list[str]:
    """Return the lines of docs/results.md."""
    notes: Mapping[str, Any] = yaml.safe_load(NOTES.read_text())
    lines = [*notes["head"].splitlines(), ""]
    lines += ["| experiment | metric | test split | seeds | yardstick | wanted | reached |"]
    lines += ["|---|---|---|---|---|---|---|"]
    lines += [row(name, goal, found) for name, goal, found in measured()]
    for title, text in notes["sections"].items():
        lines += ["", f"## {title}", "", *text.rstrip().splitlines()]
    return lines


def measured() -> list[tuple[str, Goal, list[dict[str, Any]]]]:
    """Return every goal with its records, by seed."""
    found = []
    for name, goal in GOALS.items():
        if (ROOT / f"experiments/{name}.yaml").is_file():
            files = [RECORDS / record_name(name, seed) for seed in range(10)]
            records = [json.loads(f.read_text()) for f in files if f.is_file()]
            found += [(name, each, records) for each in (goal, ALSO.get(name)) if each]
    return found


def row(name: str, goal: Goal, found: list[dict[str, Any]]) -> str:
    """Return a line of the table: mean and standard deviation over seeds, and the verdict."""
    if not found:
        return f"| {name} | {goal.metric} | not measured | 0 | | {goal.wanted} | |"
    ours = [record["metrics"][goal.metric] for record in found]
    theirs = [r["baselines"][goal.beside][goal.metric] if goal.beside else 0.0 for r in found]
    mean, beside = statistics.fmean(ours), statistics.fmean(theirs)
    verdict = "yes" if goal.gain(mean, beside) >= 0 else "no"
    shown = f"{goal.beside.replace('_', ' ')} {beside:.3f}" if goal.beside else ""
    cells = [name, goal.metric, spread(ours), str(len(ours)), shown, goal.wanted, verdict]
    return f"| {' | '.join(cells)} |"


def spread(numbers: list[float]) -> str:
    """Return mean and standard deviation, or the one number there is."""
    if len(numbers) == 1:
        return f"{numbers[0]:.3f}"
    return f"{statistics.fmean(numbers):.3f} ± {statistics.stdev(numbers):.3f}"


if __name__ == "__main__":
    main()
