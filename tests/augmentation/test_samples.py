"""Samples of a generator as further rows of a batch: a pure function of seed and step, or a message."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from tests.synthetic import write_inputs
from tests.tiny import a_generator, kept

from assay.augmentation.augment import Augment
from assay.augmentation.knobs import Augmentation, OfImages, OfSamples
from assay.data.spec import Spec
from assay.errors import ConfigError
from assay.layers.versions import version_generator
from assay.pipeline.fitting.inputs import Inputs

URI = "models:/made/1"


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Inputs:
    return write_inputs(tmp_path_factory.mktemp("images"), kind="image", task="classification")


@pytest.fixture
def knobs(images: Inputs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> OfSamples:
    monkeypatch.setenv("ASSAY_HOME", str(tmp_path / "home"))
    digest = kept(a_generator(tmp_path / "made", images.spec))
    return OfSamples(source=URI, digest=digest, share=0.5)


def _batch(inputs: Inputs, rows: int = 10) -> tuple[dict[str, torch.Tensor], torch.Tensor]:
    image = torch.from_numpy(inputs.train.whole()["image"][:rows])
    return {"image": image}, torch.from_numpy(inputs.train.target[:rows].copy())


def _augment(knobs: OfSamples, spec: Spec, seed: int = 0, **image: float) -> Augment:
    return Augment(Augmentation(samples=knobs, image=OfImages(**image)), spec=spec, seed=seed)


def test_samples_stand_behind_the_rows_as_a_pure_function_of_seed_and_step(
    images: Inputs, knobs: OfSamples
) -> None:
    (batch, target), state = _batch(images), torch.get_rng_state()
    first, second = (_augment(knobs, images.spec)(batch, target, step=3) for _ in range(2))
    assert torch.equal(state, torch.get_rng_state())
    both = first.inputs["image"]
    assert (both.shape, both.dtype, first.target.dtype) == ((15, 1, 8, 8), torch.uint8, torch.int64)
    assert torch.equal(both[:10], batch["image"]) and torch.equal(first.target[:10], target)
    assert torch.equal(both, second.inputs["image"]) and torch.equal(first.target, second.target)
    for augment, step in ((_augment(knobs, images.spec), 4), (_augment(knobs, images.spec, 1), 3)):
        assert not torch.equal(both[10:], augment(batch, target, step=step).inputs["image"][10:])


def test_labels_are_what_the_generator_s_judge_sees(images: Inputs, knobs: OfSamples) -> None:
    generator, _ = version_generator(URI, knobs.digest)
    plain = _augment(knobs, images.spec)(*_batch(images), step=0)
    judged = generator.judge.predict(image=plain.inputs["image"][10:]).argmax(1)
    assert len(judged.unique()) > 1
    assert torch.equal(plain.target[10:], judged)


def test_samples_are_changed_as_rows_are(images: Inputs, knobs: OfSamples) -> None:
    plain = _augment(knobs, images.spec)(*_batch(images), step=0).inputs["image"].float()
    noisy = _augment(knobs, images.spec, noise=0.5)(*_batch(images), step=0).inputs["image"]
    assert (noisy != plain).flatten(1).any(1).all()


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"task": "multilabel"}, "makes images with classes; multilabel of image data takes none"),
        ({"classes": (0, 1, 5)}, "makes images of 2, which is no class of this data"),
        (
            {"train_rows": 63},
            "learned from other training rows than these: its samples could",
        ),
        (
            {"height": 9},
            "makes images of 1 x 8 x 8 numbers; the images of this data have 1 x 9 x 8",
        ),
        ({"mean": (1.0,)}, "Train the generator on this data, divided alike"),
    ],
)
def test_a_generator_that_does_not_fit_the_data_is_refused(
    images: Inputs, knobs: OfSamples, change: dict[str, object], sentence: str
) -> None:
    image = {k: v for k, v in change.items() if k in ("height", "mean")}
    rest = {k: v for k, v in change.items() if k not in image}
    spec = replace(images.spec, **rest, image=replace(images.spec.image, **image))
    with pytest.raises(ConfigError) as caught:
        _augment(knobs, spec)
    (problem,) = caught.value.problems
    assert problem.startswith(f"training.augmentation.samples.source: {URI} ")
    assert sentence in problem
