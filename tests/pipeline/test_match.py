"""A model that cannot be given the data, or that no stage would depend on, is refused by name."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import pytest

from assay.augmentation.knobs import Augmentation, OfImages, OfSamples
from assay.errors import ConfigError
from assay.pipeline.composing.match import models_for, require_match

CONF = Path(__file__).parents[2] / "conf"
DIGITS = {"_target_": "assay.data.digits.Digits"}
TABLE = {"_target_": "assay.data.diabetes.Diabetes"}
MLP = {"_target_": "assay.model.mlp.Mlp"}
CNN = {"_target_": "assay.model.cnn.Cnn"}


def _config(*, data, model, name, augmentation=None):
    training = {"augmentation": augmentation or asdict(Augmentation())}
    choices = {"data": "d", "model": name, "augmentation": "chosen"}
    return {"data": data, "model": model, "training": training, "choices": choices}


def test_what_fits_is_let_through():
    require_match(_config(data=DIGITS, model=CNN, name="cnn"), conf=CONF)
    require_match(_config(data=DIGITS, model=MLP, name="mlp"), conf=CONF)
    require_match(_config(data=TABLE, model=MLP, name="mlp"), conf=CONF)


def test_what_does_not_fit_is_told_with_what_would():
    with pytest.raises(
        ConfigError, match=r"'cnn' cannot take table data.*these can: ensemble, mlp, pretrained"
    ):
        require_match(_config(data=TABLE, model=CNN, name="cnn"), conf=CONF)


def test_an_option_has_its_modules_name():
    with pytest.raises(ConfigError, match=r"choose 'mlp'.*or write src/assay/model/wide\.py"):
        require_match(_config(data=TABLE, model=MLP, name="wide"), conf=CONF)


def test_an_augmentation_of_another_kind_of_data_is_refused_not_ignored():
    moved = asdict(Augmentation(image=OfImages(shift=0.1)))
    require_match(_config(data=DIGITS, model=MLP, name="mlp", augmentation=moved), conf=CONF)
    with pytest.raises(ConfigError, match=r"'chosen' changes image data; 'd' is table data"):
        require_match(_config(data=TABLE, model=MLP, name="mlp", augmentation=moved), conf=CONF)


@pytest.mark.parametrize(
    ("data", "model", "words"),
    [
        (TABLE, MLP, "table data such as 'd' takes none"),
        ({**DIGITS, "task": "reconstruction"}, MLP, "reconstruction of image data such as 'd'"),
    ],
)
def test_samples_of_a_generator_are_for_classes_of_images(data, model, words):
    samples = asdict(Augmentation(samples=OfSamples(source="models:/made/1")))
    require_match(_config(data=DIGITS, model=MLP, name="mlp", augmentation=samples), conf=CONF)
    own = {"image": samples["image"]}  # an option of one's own may leave parts out
    require_match(_config(data=DIGITS, model=MLP, name="mlp", augmentation=own), conf=CONF)
    with pytest.raises(ConfigError, match=words):
        require_match(_config(data=data, model=model, name="mlp", augmentation=samples), conf=CONF)


def test_models_are_found_by_what_they_take():
    assert "cnn" in models_for("image", conf=CONF)
    assert "cnn" not in models_for("table", conf=CONF)
    assert "mlp" in models_for("table", conf=CONF)
