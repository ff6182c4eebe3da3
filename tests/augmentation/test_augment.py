"""Augmented batches: a pure function of seed and step, with the meaning left as it is."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.synthetic import write_inputs
from torch.nn import functional

from assay.augmentation.augment import Augment
from assay.augmentation.knobs import Augmentation, OfImages, OfSequences, OfText
from assay.config.check import typed
from assay.data.spec import Image, Spec
from assay.pipeline.fitting.inputs import Inputs

CONF = Path(__file__).parents[2] / "conf/augmentation"
ROWS, HEIGHT, WIDTH = 16, 12, 20
SPEC = Spec(
    task="classification",
    kind="image",
    target="y",
    train_rows=ROWS,
    image=Image(channels=2, height=HEIGHT, width=WIDTH, mean=(50.0, 90.0), std=(20.0, 5.0)),
    classes=(0, 1, 2),
    class_counts=(6, 5, 5),
)


def _batch():
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (ROWS, 2, HEIGHT, WIDTH), dtype=np.uint8)
    return {"image": torch.from_numpy(images)}, torch.arange(ROWS) % 3


def _augmented(step=0, seed=0, **knobs):
    augment = Augment(Augmentation(image=OfImages(**knobs)), spec=SPEC, seed=seed)
    return augment(*_batch(), step=step)


def test_without_knobs_the_batch_is_handed_on_as_it_is() -> None:
    inputs, target = _batch()
    plain = Augment(Augmentation(), spec=SPEC, seed=0)(inputs, target, step=3)
    assert plain.inputs["image"] is inputs["image"] and plain.target is target
    assert plain.partner is None


ALL = {"shift": 0.2, "rotation": 30.0, "flip": 0.5, "erase": 0.5, "noise": 0.1, "mixup": 0.4}


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), step=st.integers(0, 10**7))
def test_it_is_a_pure_function_of_seed_and_step(seed: int, step: int) -> None:
    state = torch.get_rng_state()
    first, second = (_augmented(step, seed, **ALL) for _ in range(2))
    assert torch.equal(first.inputs["image"], second.inputs["image"])
    assert first.share == second.share and torch.equal(first.partner, second.partner)
    assert torch.equal(state, torch.get_rng_state())
    other = _augmented(step + 1, seed, **ALL)
    assert not torch.equal(first.inputs["image"], other.inputs["image"])


@pytest.mark.parametrize("name", ALL)
def test_each_knob_changes_the_batch_and_leaves_what_it_was_given(name: str) -> None:
    inputs, _ = _batch()
    kept = inputs["image"].clone()
    changed = _augmented(**{name: ALL[name]}).inputs["image"]
    assert torch.equal(inputs["image"], kept)
    assert changed.shape == kept.shape and changed.dtype == torch.float32
    assert not torch.equal(changed, kept.float())
    assert torch.isfinite(changed).all()


def test_a_shift_is_at_most_its_share_of_the_side() -> None:
    images = torch.zeros(ROWS, 2, HEIGHT, WIDTH, dtype=torch.uint8)
    images[:, :, HEIGHT // 2, WIDTH // 2] = 200
    augment = Augment(Augmentation(image=OfImages(shift=0.1)), spec=SPEC, seed=0)
    moved = augment({"image": images}, torch.zeros(ROWS), step=0).inputs["image"][:, 0]
    weight = moved / moved.sum((1, 2), keepdim=True)
    row = (weight.sum(2) * torch.arange(HEIGHT)).sum(1) - HEIGHT // 2
    column = (weight.sum(1) * torch.arange(WIDTH)).sum(1) - WIDTH // 2
    assert row.abs().max() <= 0.1 * HEIGHT + 1e-3 and column.abs().max() <= 0.1 * WIDTH + 1e-3
    assert column.abs().max() > 0.05 * WIDTH and column.min() < 0 < column.max()


def test_a_rotation_keeps_lengths_in_images_that_are_not_square() -> None:
    images = torch.zeros(ROWS, 2, 41, 81, dtype=torch.uint8)
    images[:, :, 20, 60] = 255
    augment = Augment(Augmentation(image=OfImages(rotation=45)), spec=SPEC, seed=0)
    turned = augment({"image": images}, torch.zeros(ROWS), step=0).inputs["image"][:, 0]
    place = turned.flatten(1).argmax(1)
    row, column = place // 81 - 20, place % 81 - 40
    inside = row.abs() < 20
    assert inside.sum() > ROWS // 2
    assert (torch.hypot(row.float(), column.float())[inside] - 20).abs().max() < 1.5
    assert row.abs().max() > 8


def test_flip_with_certainty_mirrors_left_to_right() -> None:
    inputs, _ = _batch()
    flipped = _augmented(flip=1.0).inputs["image"]
    torch.testing.assert_close(flipped, inputs["image"].float().flip(3), atol=1e-2, rtol=0)


def test_erasing_puts_the_mean_into_one_rectangle_of_bounded_area() -> None:
    inputs, _ = _batch()
    erased = _augmented(erase=1.0).inputs["image"]
    is_changed = (erased != inputs["image"].float()).any(1)
    mean = torch.tensor(SPEC.image.mean)[:, None]
    for image, mask in zip(erased, is_changed, strict=True):
        assert 0 < mask.float().mean() < 0.45
        rows, columns = mask.any(1).nonzero(), mask.any(0).nonzero()
        box = image[:, rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
        assert (box.flatten(1) == mean).float().mean() > 0.95
    assert (
        not (_augmented(erase=0.3).inputs["image"] != inputs["image"].float()).any((1, 2, 3)).all()
    )


def test_noise_is_in_standard_deviations_of_the_pixels() -> None:
    inputs, _ = _batch()
    noise = _augmented(noise=0.5).inputs["image"] - inputs["image"].float()
    measured = noise.transpose(0, 1).flatten(1).std(1)
    torch.testing.assert_close(measured, 0.5 * torch.tensor(SPEC.image.std), rtol=0.05, atol=0)


def test_mixup_mixes_inputs_and_losses_with_one_share() -> None:
    inputs, target = _batch()
    mixed = _augmented(mixup=1.0)
    assert 0 < mixed.share < 1
    images = inputs["image"].float()
    partner = (mixed.inputs["image"] - mixed.share * images) / (1 - mixed.share)
    order = torch.cdist(partner.flatten(1), images.flatten(1)).argmin(1)
    assert torch.equal(target[order], mixed.partner)
    outputs = torch.randn(ROWS, 3, generator=torch.Generator().manual_seed(0))
    soft = mixed.share * functional.one_hot(target, 3) + (1 - mixed.share) * functional.one_hot(
        mixed.partner, 3
    )
    torch.testing.assert_close(
        mixed.loss(functional.cross_entropy, outputs), functional.cross_entropy(outputs, soft)
    )


@pytest.fixture(scope="module")
def sequences(tmp_path_factory: pytest.TempPathFactory) -> Inputs:
    folder = tmp_path_factory.mktemp("sequences")
    return write_inputs(folder, kind="sequence", task="classification", rows=48)


@pytest.fixture(scope="module")
def texts(tmp_path_factory: pytest.TempPathFactory) -> Inputs:
    return write_inputs(
        tmp_path_factory.mktemp("texts"), kind="text", task="classification", rows=48
    )


def _both(inputs: Inputs, knobs: Augmentation) -> tuple[dict[str, torch.Tensor], ...]:
    batch = {n: torch.from_numpy(a) for n, a in inputs.train.whole().items()}
    target = torch.from_numpy(inputs.train.target.copy())
    augment = Augment(knobs, spec=inputs.spec, seed=0)
    return batch, augment(batch, target, step=0).inputs, augment(batch, target, step=0).inputs


@pytest.mark.parametrize("name", ["jitter", "scaling", "masking"])
def test_sequences_change_within_their_length_and_nowhere_else(
    sequences: Inputs, name: str
) -> None:
    knobs = Augmentation(sequence=OfSequences(**{name: 0.5}))
    batch, changed, again = _both(sequences, knobs)
    before, after = batch["sequence"], changed["sequence"]
    assert torch.equal(after.nan_to_num(), again["sequence"].nan_to_num())
    inside = torch.arange(before.shape[1]) < batch["lengths"][:, None]
    assert torch.equal(after[~inside], before[~inside])
    assert not torch.equal(after[inside].nan_to_num(), before[inside].nan_to_num())
    missing = before.isnan()
    assert missing.any() and after[missing & ~_is_mean(after, sequences)].isnan().all()


def _is_mean(values: torch.Tensor, inputs: Inputs) -> torch.Tensor:
    return values == torch.tensor(inputs.spec.series.mean)


def test_jitter_is_in_standard_deviations_and_a_gap_is_at_most_its_share(
    sequences: Inputs,
) -> None:
    batch, noisy, _ = _both(sequences, Augmentation(sequence=OfSequences(jitter=0.5)))
    noise = (noisy["sequence"] - batch["sequence"]) / torch.tensor(sequences.spec.series.std)
    inside = torch.arange(noise.shape[1]) < batch["lengths"][:, None]
    assert noise[inside].nan_to_num().std().item() == pytest.approx(0.5, rel=0.2)
    _, masked, _ = _both(sequences, Augmentation(sequence=OfSequences(masking=0.5)))
    gap = _is_mean(masked["sequence"], sequences).all(2).sum(1)
    assert gap.max() > 0 and (gap <= 0.5 * batch["lengths"] + 1).all()


def test_tokens_become_unknown_within_their_length_at_the_rate_that_is_asked_for(
    texts: Inputs,
) -> None:
    batch, changed, again = _both(texts, Augmentation(text=OfText(dropout=0.3)))
    before, after = batch["tokens"], changed["tokens"]
    assert torch.equal(after, again["tokens"]) and after.dtype == torch.int64
    inside = torch.arange(before.shape[1]) < batch["lengths"][:, None]
    assert torch.equal(after[~inside], before[~inside])
    is_new = after != before
    assert (after[is_new] == 1).all()
    assert is_new[inside].float().mean().item() == pytest.approx(0.3, abs=0.1)


def test_every_option_sets_knobs_that_there_are_and_none_sets_nothing() -> None:
    for file in sorted(CONF.glob("*.yaml")):
        text = file.read_text()
        assert text.startswith("# @package training.augmentation\n")
        node = {k: v for k, v in yaml.safe_load(text).items() if k != "defaults"}
        knobs = typed(Augmentation, node)
        assert (knobs == Augmentation()) == (file.stem == "none")
