"""What every model that gives samples promises; a model joins by saying so."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
import yaml
from tests.synthetic import raw_of

from assay.config.load import build
from assay.data.spec import Image, Spec
from assay.layers.network import Network
from assay.layers.shape import forms_of
from assay.model.gan import Gan
from assay.split.learn import learn

ROOT = Path(__file__).parents[2]


def _knobs(file):
    return build({k: v for k, v in yaml.safe_load(file.read_text()).items() if k != "space"})


FILES = sorted((ROOT / "conf/model").glob("*.yaml"))
MODELS = {f.stem: k for f in FILES for k in [_knobs(f)] if "sample" in forms_of(k)}
VARIANTS = {**MODELS, "spectral": Gan(spectral=True, r1=0.0, discriminator_rate=0.5)}
SIZES = {"8 x 8": (1, 8, 8), "28 x 28": (1, 28, 28), "colours": (3, 11, 6)}


def _spec(size):
    channels, height, width = size
    image = Image(
        channels=channels,
        height=height,
        width=width,
        mean=(8.0,) * channels,
        std=(4.0,) * channels,
        lowest=(2,) * channels,
        highest=(16,) * channels,
    )
    known = {"classes": (0, 1), "class_counts": (5, 5), "train_rows": 10, "target": "y"}
    return Spec(task="generation", kind="image", image=image, **known)


@pytest.fixture(params=sorted(VARIANTS))
def knobs(request):
    return VARIANTS[request.param]


@pytest.mark.parametrize("size", SIZES.values(), ids=list(SIZES))
def test_noise_becomes_images_of_the_levels_that_training_rows_have(knobs, size):
    torch.manual_seed(0)
    network = Network(spec=_spec(size), model=knobs).eval()
    noise = torch.randn(7, knobs.latent)
    images = network.predict(noise=noise)
    assert images.shape == (7, *size) and images.dtype == torch.uint8
    assert int(images.min()) >= 2 and int(images.max()) <= 16
    torch.testing.assert_close(network(noise=noise[:1]), network(noise=noise)[:1])


def test_real_images_are_scaled_to_what_the_generator_gives(knobs):
    network = Network(spec=_spec((1, 8, 8)), model=knobs)
    image = torch.full((1, 1, 8, 8), 2, dtype=torch.uint8)
    image[..., 0] = 16
    given = network.given(image=image)
    assert (float(given.min()), float(given.max())) == (-1.0, 1.0)
    assert torch.equal(network.answer(given), image)


def test_both_networks_get_finite_gradients(knobs):
    body = Network(spec=_spec((1, 8, 8)), model=knobs).body
    real = torch.rand(6, 1, 8, 8) * 2 - 1
    body.fooled(torch.randn(6, knobs.latent)).backward()
    body.told_apart(real, noise=torch.randn(6, knobs.latent)).backward()
    for name, parameter in body.named_parameters():
        assert parameter.grad is not None and torch.isfinite(parameter.grad).all(), name


def test_the_penalty_is_half_gamma_times_the_squared_gradient():
    body = Network(spec=_spec((1, 8, 8)), model=Gan(r1=3.0)).body
    body.discriminator = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(64, 1))
    slope = body.discriminator[1].weight.square().sum()
    torch.testing.assert_close(body.penalty_at(torch.rand(5, 1, 8, 8)), 1.5 * slope)


def test_spectral_normalisation_bounds_the_discriminator_s_weights():
    body = Network(spec=_spec((1, 8, 8)), model=Gan(spectral=True)).body
    for _ in range(30):
        body.discriminator(torch.rand(2, 1, 8, 8))
    (*_, last, _) = body.discriminator
    assert float(torch.linalg.matrix_norm(last.weight.detach(), 2)) == pytest.approx(1.0, abs=1e-3)


def test_levels_come_from_training_rows():
    raw = replace(raw_of("image", "classification"), task="generation")
    image = learn(raw, train=torch.arange(40).numpy(), task="generation").image
    assert (image.lowest[0], image.highest[0]) == (raw.images[:40].min(), raw.images[:40].max())
