import math

import pytest
import torch

from assay.data.spec import Column, Image, Series, Spec, Text
from assay.errors import ConfigError
from assay.layers.adapters import adapter
from assay.layers.network import Network
from assay.layers.preprocess import ImagePreprocess, preprocess
from assay.layers.shape import Shape
from assay.model.cnn import Cnn
from assay.model.mlp import Mlp

TABLE = Spec(
    task="regression",
    kind="table",
    target="y",
    train_rows=10,
    columns=(
        Column(name="age", type="numeric", median=40.0, mean=50.0, std=10.0, missing=2),
        Column(name="constant", type="numeric", median=7.0, mean=7.0, std=0.0),
        Column(name="city", type="categorical", categories=("a", "b")),
        Column(name="plan", type="categorical", categories=("x",)),
    ),
    target_mean=100.0,
    target_std=20.0,
)
IMAGE = Spec(
    task="classification",
    kind="image",
    target="y",
    train_rows=10,
    image=Image(channels=2, height=4, width=4, mean=(100.0, 0.0), std=(50.0, 0.0)),
    classes=(0, 1, 2),
    class_counts=(4, 3, 3),
)

SERIES = Spec(
    task="regression",
    kind="sequence",
    target="y",
    train_rows=10,
    series=Series(channels=("a", "b"), steps=2, shortest=1, mean=(10.0, 2.0), std=(2.0, 1.0)),
)
TEXT = Spec(
    task="regression",
    kind="text",
    target="y",
    train_rows=10,
    text=Text(column="text", tokenizer="{}", vocabulary=8, steps=4),
)


def test_a_table_becomes_scaled_numbers_indicators_and_one_hot_categories():
    layer = preprocess(TABLE)
    numeric = torch.tensor([[60.0, 7.0], [math.nan, math.nan]])
    categorical = torch.tensor([[2, 1], [0, 0]])
    (features,) = layer(numeric=numeric, categorical=categorical)
    assert features.tolist() == [[1, 0, 0, 0, 1, 1], [-1, 0, 1, 0, 0, 0]]
    assert layer.shape.sizes == (6,)
    assert layer.shape.one_hot == ((3, 2), (5, 1))
    assert features.dtype == torch.float32


def test_a_table_may_lack_one_kind_of_column():
    only_numeric = Spec(**{**vars(TABLE), "columns": TABLE.numeric})
    only_categorical = Spec(**{**vars(TABLE), "columns": TABLE.categorical})
    (numbers,) = preprocess(only_numeric)(numeric=torch.tensor([[50.0, 7.0]]))
    assert numbers.tolist() == [[0, 0, 0]]
    codes = torch.tensor([[1, 0]])
    (names,) = preprocess(only_categorical)(categorical=codes)
    assert names.tolist() == [[1, 0, 0]]
    (both,) = preprocess(only_categorical)(numeric=torch.empty(1, 0), categorical=codes)
    assert both.tolist() == [[1, 0, 0]]


def test_images_are_scaled_by_channel():
    layer = preprocess(IMAGE)
    assert isinstance(layer, ImagePreprocess)
    (scaled,) = layer(image=torch.full((1, 2, 4, 4), 200, dtype=torch.uint8))
    assert scaled[0, 0].unique().tolist() == [2.0]
    assert scaled[0, 1].unique().tolist() == [200.0]


def test_sequences_are_scaled_by_channel_and_zero_where_nothing_is_known():
    steps = torch.tensor([[[14.0, 3.0], [math.nan, 1.0]], [[8.0, 2.0], [9.0, 9.0]]])
    scaled, lengths = preprocess(SERIES)(sequence=steps, lengths=torch.tensor([2, 1]))
    assert scaled.tolist() == [[[2, 1], [0, -1]], [[-1, 0], [0, 0]]]
    assert lengths.tolist() == [2, 1]


def test_tokens_after_the_end_are_padding():
    ids, _ = preprocess(TEXT)(tokens=torch.tensor([[5, 6, 7]]), lengths=torch.tensor([2]))
    assert ids.tolist() == [[5, 6, 0]]


def test_rows_of_an_image_are_steps_of_a_sequence():
    turn, shape = adapter(Shape("image", (2, 3, 4)), takes=("sequence",), name="x")
    images = torch.arange(48.0).reshape(2, 2, 3, 4)
    steps, lengths = turn(images)
    assert shape == Shape("sequence", (3, 8))
    assert steps[1, 2].tolist() == [*images[1, 0, 2].tolist(), *images[1, 1, 2].tolist()]
    assert lengths.tolist() == [3, 3]


def test_a_sequence_is_cut_or_filled_up_to_one_length_as_a_vector():
    turn, shape = adapter(Shape("sequence", (3, 1)), takes=("vector",), name="x")
    short, long = torch.tensor([[[1.0], [2.0]]]), torch.tensor([[[1.0], [2.0], [3.0], [4.0]]])
    assert shape == Shape("vector", (3,))
    assert turn(short, torch.tensor([2]))[0].tolist() == [[1, 2, 0]]
    assert turn(long, torch.tensor([4]))[0].tolist() == [[1, 2, 3]]


def test_tokens_become_a_bag_of_them_as_a_vector():
    turn, shape = adapter(Shape("tokens", (9, 4)), takes=("vector",), name="x")
    (bag,) = turn(torch.tensor([[2, 2, 3, 1]]), torch.tensor([3]))
    twice, once = math.log(3), math.log(2)
    length = math.hypot(twice, once)
    assert shape == Shape("vector", (4,))
    torch.testing.assert_close(bag, torch.tensor([[0, 0, twice / length, once / length]]))


def test_the_fixed_layer_is_not_among_the_weights():
    names = Network(spec=TABLE, model=Mlp()).state_dict()
    assert names and all(name.startswith("body.") for name in names)


def test_predict_gives_the_target_s_own_unit():
    network = Network(spec=TABLE, model=Mlp()).eval()
    inputs = {"numeric": torch.tensor([[50.0, 7.0]]), "categorical": torch.tensor([[1, 1]])}
    expected = network(**inputs).squeeze(1) * 20 + 100
    torch.testing.assert_close(network.predict(**inputs), expected)


def test_predict_gives_probabilities():
    network = Network(spec=IMAGE, model=Cnn(width=4)).eval()
    answer = network.predict(image=torch.randint(0, 256, (5, 2, 4, 4), dtype=torch.uint8))
    assert answer.shape == (5, 3)
    torch.testing.assert_close(answer.sum(1), torch.ones(5))


def test_an_image_can_be_given_to_a_model_of_vectors():
    network = Network(spec=IMAGE, model=Mlp()).eval()
    assert network(image=torch.zeros(5, 2, 4, 4, dtype=torch.uint8)).shape == (5, 3)


def test_a_table_cannot_be_given_to_a_model_of_images():
    with pytest.raises(ConfigError, match="cnn takes image input; this data is vector input"):
        Network(spec=TABLE, model=Cnn())
