import numpy as np
import torch
from captum.attr import Occlusion

from assay.explanation.curves import Asked, Probe
from assay.explanation.occlusion import occlusion
from assay.explanation.sources import ImageSources, TableSources

_SIDE, _PATCH = 6, 2


def test_what_is_lost_is_told_exactly_of_columns_of_any_type():
    random = np.random.default_rng(0)
    size, colour = random.normal(size=30), random.choice(["red", "blue"], 30).astype(object)
    colour[:2] = "red"

    def predict(feeds):
        one = feeds["size"] * np.where(feeds["colour"] == "red", 2.0, 1.0)
        return np.stack([one, -one], axis=1)

    probe = Probe(
        predict=predict,
        sources=TableSources({"size": size, "colour": colour}),
        asked=Asked(rows=np.arange(2), outputs=np.array([0, 1])),
        background=np.arange(2, 30),
    )
    of_size = 2 * (size[:2] - size[2:].mean())
    of_colour = size[:2] * (2 - np.where(colour[2:] == "red", 2.0, 1.0).mean())
    wanted = np.stack([of_size, of_colour], axis=1) * [[1], [-1]]
    np.testing.assert_allclose(occlusion(probe), wanted)


def test_patches_of_images_are_those_windows_that_captum_itself_would_slide():
    random = np.random.default_rng(0)
    images = random.integers(0, 255, (5, 1, _SIDE, _SIDE), dtype=np.uint8)
    weights = random.normal(size=(_SIDE**2, 3))

    def answer(given):
        return (given.flatten(1).double() @ torch.from_numpy(weights)).tanh()

    sources = ImageSources(images, patches=(_SIDE // _PATCH) ** 2)
    outputs, rows = np.array([2, 0, 1]), np.arange(3)
    found = occlusion(
        Probe(
            predict=lambda feeds: answer(torch.from_numpy(feeds["image"]) / 255).numpy(),
            sources=sources,
            asked=Asked(rows=rows, outputs=outputs),
            background=np.array([4]),
        )
    )
    given = torch.from_numpy(images).double() / 255
    by_pixel = Occlusion(answer).attribute(
        given[:3],
        sliding_window_shapes=(1, _PATCH, _PATCH),
        strides=(1, _PATCH, _PATCH),
        baselines=given[4:].repeat(3, 1, 1, 1),
        target=torch.from_numpy(outputs),
    )
    np.testing.assert_allclose(found[:, sources.patch_of], by_pixel.numpy()[:, 0], atol=1e-6)
