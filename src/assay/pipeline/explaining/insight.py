"""A trained network opened for explanations: its answers and gradients from the graph's inputs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from assay.artifacts.files import read_json
from assay.data.spec import Spec
from assay.explanation.apart import TWINS
from assay.explanation.attention import rollout
from assay.explanation.curves import Asked
from assay.explanation.expected import deep_shap, gradient_shap
from assay.explanation.gradients import (
    Given,
    Inner,
    integrated_gradients,
    saliency,
)
from assay.explanation.knobs import Explain, Method
from assay.explanation.methods import GRADIENTS, Learned
from assay.explanation.sources import Feeds, ImageSources, Predict, Sources, TableSources
from assay.explanation.steps import SeriesSources, TokenSources
from assay.explanation.subject import Subject
from assay.explanation.trust import Stranger
from assay.inference.signature import GIVEN, RECONSTRUCTION
from assay.layers.network import Network
from assay.layers.shape import Model
from assay.pipeline.fitting.network import build_network, load_network

Run = Callable[[Feeds], Mapping[str, np.ndarray]]
"""From the graph's inputs to all of its outputs."""

_ROWS = 1024
_WATCHED: frozenset[Method] = frozenset({"attention_rollout"})
_TASKS = ("classification", "multilabel", "regression", "reconstruction")


@dataclass(frozen=True, kw_only=True)
class Opened:
    """The network that the graph was made from, and others of its form that learned nothing.

    ``untrained`` builds one of these from a number; ``stranger`` is the first.
    """

    network: Network
    stranger: Network
    untrained: Callable[[int], Network]
    spec: Spec
    temperature: float


def opened(model: Model, spec: Spec, *, weights: Path, parity: Path, seed: int) -> Opened | None:
    """Open the weights; None for tasks that are explained through the graph alone."""
    if spec.task not in _TASKS:
        return None
    found = read_json(parity)

    def untrained(number: int) -> Network:
        return build_network(model, spec, seed=seed + 1 + number).eval()

    return Opened(
        network=load_network(model, spec, weights=weights),
        stranger=untrained(0),
        untrained=untrained,
        spec=spec,
        temperature=float(found.get("calibration", {}).get("temperature", 1.0)),
    )


def learned_of(found: Opened, subject: Subject, *, knobs: Explain) -> Learned | None:
    """Return the methods that look into the trained network; None where there is nothing to see."""
    return _learned(found, found.network, subject, knobs=knobs)


def answers_of(found: Opened) -> Predict:
    """Return what the trained network answers, in the form of what is explained."""
    return _answers(found, found.network)


def stranger_of(found: Opened, subject: Subject, *, knobs: Explain) -> Stranger:
    """Return the network that learned nothing, for the model-randomisation check."""
    learned = _learned(found, found.stranger, subject, knobs=knobs)
    if learned is None:
        learned = Learned(methods=frozenset(), attribute=_none)

    def twins(feeds: Feeds) -> Iterator[np.ndarray]:
        for number in range(TWINS):
            yield np.asarray(_answers(found, found.untrained(number))(feeds), np.float64)

    return Stranger(predict=_answers(found, found.stranger), learned=learned, twins=twins)


def untrained_pairs(found: Opened) -> Run:
    """Return what a reconstruction that learned nothing was given, and what it gave back, by name."""

    def run(feeds: Feeds) -> Mapping[str, np.ndarray]:
        inputs = network_inputs(feeds, found.spec)
        count = len(next(iter(inputs.values())))
        with torch.inference_mode():
            parts = [found.stranger(**_part(inputs, i)).numpy() for i in range(0, count, _ROWS)]
        pairs = np.concatenate(parts)
        return {RECONSTRUCTION: pairs[:, 0], GIVEN: pairs[:, 1]}

    return run


def _none(method: Method, asked: Asked) -> np.ndarray:
    raise NotImplementedError(method)


def _answers(found: Opened, network: Network) -> Predict:
    def predict(feeds: Feeds) -> np.ndarray:
        inputs = network_inputs(feeds, found.spec)
        count = len(next(iter(inputs.values())))
        with torch.inference_mode():
            parts = [
                _answer(found, network, network(**_part(inputs, start))).numpy()
                for start in range(0, count, _ROWS)
            ]
        return np.concatenate(parts)

    return predict


def _part(inputs: Mapping[str, np.ndarray], start: int) -> dict[str, Tensor]:
    return {
        name: torch.from_numpy(np.ascontiguousarray(array[start : start + _ROWS]))
        for name, array in inputs.items()
    }


def _answer(found: Opened, network: Network, outputs: Tensor) -> Tensor:
    answer: Tensor = network.answer(outputs / found.temperature if found.spec.classes else outputs)
    return answer.reshape(len(answer), -1)


def network_inputs(feeds: Feeds, spec: Spec) -> dict[str, np.ndarray]:
    """Return the network's inputs for the graph's: columns of a table stacked and encoded."""
    if spec.kind != "table":
        return dict(feeds)
    inputs = {}
    if spec.numeric:
        numbers = [np.asarray(feeds[c.name], np.float32) for c in spec.numeric]
        inputs["numeric"] = np.stack(numbers, axis=1)
    if spec.categorical:
        codes = [_codes(feeds[column.name], column.categories) for column in spec.categorical]
        inputs["categorical"] = np.stack(codes, axis=1)
    return inputs


def _codes(values: np.ndarray, categories: tuple[str, ...]) -> np.ndarray:
    code = {category: i for i, category in enumerate(categories, start=1)}
    return np.array([code.get(str(value), 0) for value in values.tolist()], np.int64)


def _learned(
    found: Opened, network: Network, subject: Subject, *, knobs: Explain
) -> Learned | None:
    inner = _inner(found, network, subject)
    methods = (GRADIENTS if inner else frozenset()) | (
        _WATCHED if _watches(network) else frozenset()
    )
    if not methods:
        return None

    def attribute(method: Method, asked: Asked) -> np.ndarray:
        given = _given(found.spec, network, subject, rows=asked.rows)
        if method == "attention_rollout" or inner is None:
            return _rollout(network, subject, given)
        around = _given(found.spec, network, subject, rows=subject.background)[0]
        own = Given(rows=given[0], rest=given[1:], outputs=torch.from_numpy(asked.outputs))
        return _METHODS[method](inner, own, around, knobs.seed)

    return Learned(methods=methods, attribute=attribute)


def _inner(found: Opened, network: Network, subject: Subject) -> Inner | None:
    feature = features_of(found.spec, subject)
    if feature is None:
        return None

    def answer(first: Tensor, *rest: Tensor) -> Tensor:
        outputs: Tensor = network.body(*network.adapter(first, *rest))
        return _answer(found, network, outputs)

    return Inner(
        answer=answer, feature=feature, features=len(subject.sources.names), body=network.body
    )


def _watches(network: Network) -> bool:
    return hasattr(network.body, "attention")


def _rollout(network: Network, subject: Subject, given: tuple[Tensor, ...]) -> np.ndarray:
    """Return the share of each feature in the answers, (rows, features), by attention rollout."""
    body: Any = network.body
    adapted = network.adapter(*given)
    with torch.no_grad():
        maps = body.attention(*adapted)
        steps = maps.shape[2]
        lengths = adapted[1] if len(adapted) > 1 else torch.full((len(given[0]),), steps)
        shares = rollout(maps, lengths).numpy().astype(np.float64)
    belongs = _belongs(
        subject.sources, given[0], steps=steps, patch=getattr(body.first, "patch", 0)
    )
    return np.asarray(shares @ belongs)


def _belongs(sources: Sources, given: Tensor, *, steps: int, patch: int) -> np.ndarray:
    """Return which share of each step belongs to each feature, (steps, features)."""
    features = np.eye(len(sources.names))
    if isinstance(sources, ImageSources):
        across = -(-given.shape[3] // patch)
        rows, columns = np.indices(sources.patch_of.shape) // patch
        pixels = features[sources.patch_of.ravel()]
        steps_of = np.eye(steps)[(rows * across + columns).ravel()]
        return np.asarray(steps_of.T @ pixels / steps_of.sum(axis=0)[:, None])
    if isinstance(sources, SeriesSources):
        return np.asarray(features[sources.feature_of].mean(axis=1)[:steps])
    assert isinstance(sources, TokenSources)  # tables have no steps
    return np.asarray(features[sources.group[:steps]])


def _given(
    spec: Spec, network: Network, subject: Subject, *, rows: np.ndarray
) -> tuple[Tensor, ...]:
    feeds = subject.sources.feeds(subject.sources.codes[rows])
    tensors = {n: torch.from_numpy(np.array(a)) for n, a in network_inputs(feeds, spec).items()}
    with torch.no_grad():
        given: tuple[Tensor, ...] = network.preprocess(**tensors)
    return given


_METHODS: Mapping[Method, Callable[[Inner, Given, Tensor, int], np.ndarray]] = {
    "integrated_gradients": lambda inner, given, around, seed: integrated_gradients(
        inner, given, background=around
    ),
    "saliency": lambda inner, given, around, seed: saliency(inner, given),
    "gradient_shap": lambda inner, given, around, seed: gradient_shap(
        inner, given, background=around, seed=seed
    ),
    "deep_shap": lambda inner, given, around, seed: deep_shap(inner, given, background=around),
}


def features_of(spec: Spec, subject: Subject) -> np.ndarray | None:
    """Return to which feature each number belongs where the first layer ends."""
    sources = subject.sources
    if isinstance(sources, ImageSources) and spec.image is not None:
        return np.broadcast_to(sources.patch_of, (spec.image.channels, *sources.patch_of.shape))
    if isinstance(sources, SeriesSources):
        return sources.feature_of
    if not isinstance(sources, TableSources):
        return None
    place = {name: i for i, name in enumerate(sources.names)}
    names = [
        *(c.name for c in spec.numeric),
        *(c.name for c in spec.numeric if c.missing > 0),
        *(c.name for c in spec.categorical for _ in c.categories),
    ]
    return np.array([place[name] for name in names])
