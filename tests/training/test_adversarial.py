"""A generator and its discriminator: their losses, and a fit that goes on where it was cut off."""

import copy

import numpy as np
import pytest
import torch
from tests.synthetic import write_inputs

from assay.errors import ConfigError
from assay.layers.network import Network
from assay.model.gan import Gan
from assay.training.checkpoint import Checkpoints
from assay.training.fit import fit
from assay.training.knobs import Checkpointing, EarlyStopping, Training

SMALL = Gan(latent=4, channels=4, stages=1)
KNOBS = Training(
    max_epochs=3, batch_size=16, lr=1e-3, threads=1, early_stopping=EarlyStopping(patience=None)
)
EVERY_STEP = Checkpointing(every_steps=1, every_seconds=None)


class Killed(BaseException):
    """Stands for a kill: it comes right after a checkpoint was written."""


class Deadly(Checkpoints):
    """Kills the fit after so many checkpoints."""

    def __init__(self, folder, *, after):
        super().__init__(folder, EVERY_STEP)
        self._left = after

    def write(self, state, *, step):
        super().write(state, step=step)
        self._left -= 1
        if not self._left:
            raise Killed


@pytest.fixture(scope="module")
def inputs(tmp_path_factory):
    return write_inputs(tmp_path_factory.mktemp("images"), kind="image", task="generation")


def _fit(inputs, checkpoints=None, *, model=SMALL, knobs=KNOBS, on_samples=None):
    torch.manual_seed(0)
    network = Network(spec=inputs.spec, model=model)
    network.judge.eval().requires_grad_(False)
    found = fit(
        network,
        train=inputs.train,
        valid=inputs.valid,
        spec=inputs.spec,
        knobs=knobs,
        seed=0,
        on_epoch=lambda epoch, row: None,
        progress=False,
        checkpoints=checkpoints,
        on_samples=on_samples,
    )
    return network, found


def test_a_fit_that_is_cut_off_ends_as_one_that_was_not(inputs, tmp_path):
    _, whole = _fit(inputs)
    for after in (2, 5, 3):
        with pytest.raises(Killed):
            torch.manual_seed(after)
            _fit(inputs, Deadly(tmp_path, after=after))
    _, resumed = _fit(inputs, Checkpoints(tmp_path, EVERY_STEP))
    assert resumed.history == whole.history
    assert all(torch.equal(resumed.weights[n], whole.weights[n]) for n in whole.weights)


def test_each_epoch_says_how_samples_are_and_shows_some(inputs):
    shown = {}
    _, found = _fit(inputs, on_samples=lambda epoch, images: shown.__setitem__(epoch, images))
    wanted = {"train_generator_loss", "valid_frechet", "valid_coverage", "valid_missing_classes"}
    assert all(wanted <= set(row) for row in found.history)
    assert list(shown) == [1, 2, 3]
    assert all(
        images.shape == (64, 1, 8, 8) and images.dtype == np.uint8 for images in shown.values()
    )


def test_what_is_kept_is_the_average_of_the_generator_s_weights(inputs):
    one_step = Training(**{**vars(KNOBS), "max_epochs": 1, "limit_batches": 2})
    plain, _ = _fit(inputs, model=Gan(**{**vars(SMALL), "average": 1e-9}), knobs=one_step)
    slow, _ = _fit(inputs, model=Gan(**{**vars(SMALL), "average": 0.5}), knobs=one_step)
    name = "body.generator.0.weight"
    assert not torch.equal(plain.state_dict()[name], slow.state_dict()[name])


def test_the_judge_stays_as_it_is(inputs):
    torch.manual_seed(0)
    before = copy.deepcopy(Network(spec=inputs.spec, model=SMALL).judge.state_dict())
    after, _ = _fit(inputs)
    assert all(torch.equal(before[n], t) for n, t in after.judge.state_dict().items())


def test_another_loss_is_refused(inputs):
    with pytest.raises(ConfigError, match="generation takes auto"):
        _fit(inputs, knobs=Training(**{**vars(KNOBS), "loss": "mse"}))
