import torch

from assay.explanation.maximization import Pixels, most_typical

SHAPE = (1, 1, 4, 4)


def halves(images):
    """The first class is bright above, the second bright below."""
    above, below = images[:, :, :2].sum(dim=(1, 2, 3)), images[:, :, 2:].sum(dim=(1, 2, 3))
    return torch.stack([above - below, below - above], dim=1)


def test_each_class_gets_the_image_that_is_most_surely_of_it():
    std = torch.ones(SHAPE)
    std[..., 0] = 0
    pixels = Pixels(
        mean=torch.zeros(SHAPE), std=std, lowest=torch.tensor(-2.0), highest=torch.tensor(2.0)
    )
    found = most_typical(halves, pixels, seed=0)
    assert found.shape == (2, 1, 4, 4)
    assert torch.softmax(halves(found), dim=1).diagonal().min() > 0.99
    assert (found[0, 0, :2, 1:] > found[0, 0, 2:, 1:]).all()
    assert (found[..., 0] == 0).all(), "what never differs in training stays as it is"
    assert found.abs().max() <= 2
    torch.testing.assert_close(found, most_typical(halves, pixels, seed=0))
