"""The model card: a page of Markdown that says what a model is, what it showed, and how to use it.

After Mitchell et al. 2019, Model Cards for Model Reporting, doi:10.1145/3287560.3287596.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from assay.gate.condition import Condition

Measured: TypeAlias = Mapping[str, Mapping[str, Any]]
"""By a metric's name: ``value``, ``low`` and ``high``, any of them None."""


_GIVEN = {"image": "one image", "sequence": "one sequence", "text": "one text"}
_NAMED = 8
_IN_ORDER = ("train", "valid", "test")
_ARRAYS = {
    "image": "{'image': pixels}",
    "sequence": "{'sequence': steps, 'lengths': lengths}",
    "text": "{'tokens': ids, 'lengths': lengths}",
}
_FILES = {
    "table": "`in.csv` has the columns of the data, in any order",
    "image": "`in.csv` has an image a line, its pixels in columns `pixel_0` and following (0 to 255,\n"
    "channel by channel, row by row), or `in.npy` is an array of images",
    "sequence": "`in.csv` has a step a line, a column for each channel, and in `row` which sequence\n"
    "it belongs to",
    "forecasting": "`in.csv` has the steps up to the present, one a line, a column for each channel",
    "text": "`in.csv` has a text a line, in the column of texts of the data",
    "tagging": "`in.csv` has a text a line in the column `text`, its tokens with spaces between",
}
"""What a file for ``assay predict`` holds, by task or else by kind."""


@dataclass(frozen=True, kw_only=True)
class Facts:
    """All that a card tells; ``learned`` is in words how the training went.

    ``built_on`` are the addresses of a trunk and of a generator whose samples it was trained on.
    """

    name: str
    version: str
    verdict: str
    task: str
    kind: str
    target: str
    classes: Sequence[object]
    inputs: int
    choices: Mapping[str, str]
    rows: Mapping[str, int]
    split_by: str
    checks: Sequence[Mapping[str, Any]]
    training: Mapping[str, Any]
    metrics: Measured
    baselines: Mapping[str, Measured]
    comparisons: Sequence[str]
    explanations: Mapping[str, Mapping[str, Any]]
    conditions: Sequence[Condition]
    slices: Sequence[Mapping[str, Any]] = ()
    fairness: Sequence[Mapping[str, Any]] = ()
    ahead: str = ""
    window: int = 0
    important: Sequence[Mapping[Hashable, Any]] = ()
    tags: Mapping[str, str] = field(default_factory=dict)
    calibration: Mapping[str, Any] = field(default_factory=dict)
    decision: str = ""
    learned: Sequence[str] = ()
    built_on: Sequence[str] = ()
    looks: int = 1
    confidence: float = 0.95


def card(facts: Facts) -> str:
    """Return the card."""
    sections = (
        _head(facts),
        _data(facts),
        _training(facts),
        _metrics(facts),
        _slices(facts),
        _fairness(facts),
        _calibration(facts),
        _explanations(facts),
        _limits(facts),
        _gate(facts),
        _reproduce(facts),
        _load(facts),
    )
    return "\n".join(line for section in sections for line in section).rstrip() + "\n"


def _head(facts: Facts) -> Iterator[str]:
    chosen = ", ".join(f"{group}: `{option}`" for group, option in facts.choices.items())
    yield from (f"# {facts.name}, version {facts.version}", "", f"**{facts.verdict}**", "")
    inputs = _GIVEN.get(facts.kind, f"{facts.inputs} columns")
    yield from (f"{_purpose(facts, inputs)}. {chosen}.", "")


def _purpose(facts: Facts, inputs: str) -> str:
    if facts.task == "reconstruction":
        return f"Scores how badly {inputs} can be reconstructed, and flags what scores high"
    if facts.task == "multilabel":
        named = _some([f"`{label}`" for label in facts.classes])
        return f"Gives {inputs} any of {len(facts.classes)} labels ({named})"
    if facts.ahead:
        return f"Forecasts {facts.ahead} from the last {facts.window} steps"
    if facts.task == "generation":
        return f"Makes images like those of `{facts.choices['data']}` from noise"
    if facts.task == "language_modelling":
        return f"Says how probable each next token of {inputs} is, and goes on with it"
    if facts.task == "tagging":
        named = f"its `{facts.target}`, one of {len(facts.classes)}" if facts.target else ""
        return f"Gives each token of {inputs} {named or f'one of {len(facts.classes)} tags'}"
    what = f"one of {len(facts.classes)} classes" if facts.classes else "a number"
    return f"Predicts `{facts.target}` ({what}) from {inputs}"


def _data(facts: Facts) -> Iterator[str]:
    sizes = ", ".join(f"{n} {facts.rows[n]}" for n in sorted(facts.rows, key=_IN_ORDER.index))
    yield from ("## Data", "", f"Rows: {sizes}; split by {facts.split_by}.", "")
    found = [c for c in facts.checks if c.get("status") != "ok"]
    if not found:
        yield from (f"All {len(facts.checks)} checks of the data passed.", "")
        return
    yield from (f"- {c['status']}, {c['name']}: {c['found']}" for c in found)
    yield ""


def _training(facts: Facts) -> Iterator[str]:
    knobs = ", ".join(f"{key} {value}" for key, value in facts.training.items())
    yield from ("## Training", "", f"{knobs}.", "")
    if facts.learned:
        yield from (*(f"- {sentence}" for sentence in facts.learned), "")


def _metrics(facts: Facts) -> Iterator[str]:
    level = f"{100 * facts.confidence:g} %"
    yield from (f"## Metrics on the sealed test split, with {level} intervals", "")
    if drawn := _DRAWN.get(facts.split_by):
        yield from (f"The bootstrap behind the intervals draws {drawn}.", "")
    if facts.task == "classification" and len(facts.classes) == 2:
        yield from (f"Precision, recall and f1 are those of `{facts.classes[1]}`.", "")
    yield from _table(
        ["metric", "model", *facts.baselines],
        (
            [name, _interval(found), *(_value(b.get(name)) for b in facts.baselines.values())]
            for name, found in facts.metrics.items()
        ),
    )
    yield from (f"- {sentence}" for sentence in facts.comparisons)
    yield ""


_DRAWN = {
    "group": "whole groups, since rows of one group tell less than as many of their own",
    "time": "blocks of rows that follow each other, since those near in time resemble each other",
}
_OF_SLICES = (
    "coverage",
    "share_of_samples",
    "accuracy",
    "subset_accuracy",
    "f1_macro",
    "recall",
    "rmse",
    "r2",
)
_MOST_SLICES = 20


def _slices(facts: Facts) -> Iterator[str]:
    """Tell how the model does for each value of the columns that were to be looked at."""
    measured = [part for part in facts.slices if part["metrics"]]
    if not measured:
        return
    found = measured[0]["metrics"]
    names = ["flagged"] if "flagged" in found else [n for n in _OF_SLICES if n in found]
    beside = next((part["beside"] for part in measured if part.get("beside")), None)
    if beside and beside["metric"] not in names:
        names = [beside["metric"], *names]
    shown = measured[:_MOST_SLICES]
    yield from ("## By column" + (", the worst first" if beside else ""), "")
    yield from _table(
        ["column", "value", "rows", *names, *(["worse than the others, p"] if beside else [])],
        [
            [
                *(p["column"], p["value"], str(p["rows"])),
                *(_interval(p["metrics"][n]) for n in names),
                *([_p_value(p)] if beside else []),
            ]
            for p in shown
        ],
    )
    if len(measured) > len(shown):
        yield from (f"{len(measured) - len(shown)} more are in `slices.json`.", "")
    if beside:
        yield from ("p is after Holm's correction over every slice.", "")


def _p_value(part: Mapping[str, Any]) -> str:
    return f"{part['beside']['p_holm']:.2g}" if part.get("beside") else ""


def _fairness(facts: Facts) -> Iterator[str]:
    """Tell how rates differ between groups of people."""
    compared = [entry for entry in facts.fairness if "groups" in entry]
    if not compared:
        return
    yield from ("## Groups of people", "")
    yield from _table(
        ["column", "predicted", "rate", "groups", "difference", "ratio"],
        [
            [
                *(entry["column"], str(entry["positive"]), rate.replace("_", " ")),
                ", ".join(
                    f"{n} {_value(g[rate]) or 'undefined'}" for n, g in entry["groups"].items()
                ),
                *(_interval(entry[kind][rate]) for kind in ("difference", "ratio")),
            ]
            for entry in compared
            for rate in entry["difference"]
        ],
    )
    yield "The largest of several rates is never below the smallest, so an interval of a difference"
    yield from ("leaves out 0 also where groups are treated alike; its upper end bounds it.", "")


def _calibration(facts: Facts) -> Iterator[str]:
    """Tell whether its probabilities mean what they say; nothing of what has none."""
    error, temperature = facts.metrics.get("ece"), facts.calibration.get("temperature")
    if error is None or temperature is None:
        return
    yield from ("## Calibration", "")
    yield f"Expected calibration error on the test split: {_interval(error)}."
    if facts.decision:
        yield f"Classes are decided by what mistakes cost: {facts.decision}."
    if temperature == 1:
        yield from ("Its probabilities are the network's own: no temperature did better.", "")
        return
    before, after = (facts.calibration[f"log_loss_{when}"] for when in ("before", "after"))
    yield f"Logits are divided by {temperature:.3g}, fitted on the validation split, where the log"
    yield from (f"loss of held-out rows went from {before:.4g} to {after:.4g}.", "")


def _limits(facts: Facts) -> Iterator[str]:
    yield from ("## Limits", "")
    rows, looks = facts.rows.get("test", 0), facts.looks
    yield f"- All figures come from one test split of {rows} rows; a difference within the intervals"
    yield "  above is no difference."
    if looks > 1:
        yield f"- That split was looked at {looks} times: the best of so many tries is a little lucky."
    if facts.built_on:
        yield f"- It builds on {' and '.join(facts.built_on)}, trained on rows that are not compared"
        yield "  with this test split: were some of it among them, the figures flatter it."
    if facts.task == "classification":
        yield "- It names one of its classes whatever it is given, also for what is none of them."
    if not facts.slices:
        yield "- No column was named to slice by: how it does for parts of the data is not known."
    if untold := [f"{p['column']} {p['value']}" for p in facts.slices if not p["metrics"]]:
        yield f"- Too few rows to say anything of {_some(untold)}."
    if found := [str(c["name"]) for c in facts.checks if c.get("status") != "ok"]:
        yield f"- The checks of the data had something to say: {_some(found)}."
    if weak := [_plain(n) for n, f in facts.explanations.items() if f["verdict"] != "trustworthy"]:
        yield f"- Do not build on its explanations by {_some(weak)}."
    yield ""


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more


def _explanations(facts: Facts) -> Iterator[str]:
    """Tell what matters to the model, and how far each account of it can be believed."""
    if not facts.explanations:
        return
    yield from ("## Explanations", "")
    if facts.important and facts.task != "generation":
        told = ", ".join(f"{e['feature']} {_importance(e)}" for e in facts.important)
        yield from (f"What moves its predictions most, mean of |SHAP|: {told}.", "")
    scored = {n: f for n, f in facts.explanations.items() if "against_random" in f}
    if scored:
        yield from _table(
            ["method", "gain over random", "misses", "infidelity", "untrained", "verdict"],
            (
                [
                    *(_plain(name), _signed(found["against_random"])),
                    *(_misses(found), _median(found["infidelity"])),
                    *(_median(found["randomisation"]), found["verdict"]),
                ]
                for name, found in scored.items()
            ),
        )
        yield from (*_SCORES, "")
    rest = {n: f["verdict"] for n, f in facts.explanations.items() if n not in scored}
    yield from (f"- {_plain(name)}: {verdict}" for name, verdict in rest.items())
    yield ""


_SCORES = (
    "Gain: by how much insertion and deletion of the features that it names beat a random order.",
    "Misses: how far its parts are from adding up to the prediction. Infidelity: 0 is perfect, 1",
    "tells nothing. Untrained: rank correlation with what it says of a network of random weights.",
)


def _plain(method: str) -> str:
    return method.replace("_", " ")


def _importance(entry: Mapping[Hashable, Any]) -> str:
    return f"{entry['importance']:.3g} ({entry['low']:.3g} to {entry['high']:.3g})"


def _signed(found: Mapping[str, float]) -> str:
    return f"{found['gain']:+.3g} ({found['low']:+.3g} to {found['high']:+.3g})"


def _misses(found: Mapping[str, Any]) -> str:
    return f"{found['completeness']['relative']:.1%}" if found["is_additive"] else "no claim"


def _median(found: Mapping[str, float] | None) -> str:
    return "not measured" if found is None else f"{found['median']:.2f}"


def _gate(facts: Facts) -> Iterator[str]:
    yield from ("## Gate", "")
    yield from _table(
        ["condition", "wanted", "found", "verdict", "passed", "reason"],
        (
            [c.name, c.wanted, c.found, c.word, "yes" if c.passed else "**no**", c.reason]
            for c in facts.conditions
        ),
    )


def _reproduce(facts: Facts) -> Iterator[str]:
    yield from ("## To make it again", "", "The files are in the model's folder `origin/`.", "")
    commit = facts.tags.get("git_commit", "none")
    if commit == "none":
        yield from ("It was made outside any git repository: the code itself is not recorded.", "")
    else:
        yield from (f"    git checkout {commit}", "    git apply changes.diff   # if not empty")
        yield from ("    cp params.yaml dvc.lock .", "    dvc repro", "")
    yield from _table(
        ["of", "SHA-256"], ([k, f"`{v}`"] for k, v in facts.tags.items() if "digest" in k)
    )


def _load(facts: Facts) -> Iterator[str]:
    address = f"models:/{facts.name}/{facts.version}"
    if facts.task == "generation":
        yield from ("## To use it", "", "In Python; noise is float32, rows by numbers:", "")
        given = "{'noise': noise}"
    else:
        yield from ("## To use it", "", f"    assay predict {address} in.csv -o out.csv")
        if facts.task == "language_modelling":
            yield f"    assay continue {address} 'a text that it goes on with'"
        yield from ("", f"where {_FILES.get(facts.task, _FILES[facts.kind])};", "")
        yield from ("or in Python, rows numbered from 0:", "")
        given = _ARRAYS.get(facts.kind, "frame.reset_index(drop=True)")
    yield f"    mlflow.pyfunc.load_model('{address}').predict({given})"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(map(_cell, head))} |"
    yield f"|{'---|' * len(head)}"
    yield from (f"| {' | '.join(map(_cell, row))} |" for row in rows)
    yield ""


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def _value(found: Mapping[str, Any] | None) -> str:
    value = (found or {}).get("value")
    return "" if value is None else f"{value:.4g}"


def _interval(found: Mapping[str, Any]) -> str:
    if found.get("value") is None:
        return f"undefined ({found['reason']})" if found.get("reason") else "undefined"
    if found.get("low") is None:
        return _value(found)
    return f"{_value(found)} ({found['low']:.4g} to {found['high']:.4g})"
