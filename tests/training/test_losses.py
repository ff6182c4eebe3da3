import dataclasses

import pytest
import torch
from torch.nn import functional

from assay.data.spec import Spec
from assay.errors import ConfigError
from assay.training.knobs import Training
from assay.training.losses import build_loss, class_weights, focal_loss

CPU = torch.device("cpu")
CLASSES = Spec(
    task="classification",
    kind="table",
    target="y",
    train_rows=12,
    classes=("a", "b", "c"),
    class_counts=(8, 3, 1),
)
NUMBERS = Spec(
    task="regression", kind="table", target="y", train_rows=9, target_mean=10.0, target_std=4.0
)
LOGITS = torch.tensor([[2.0, -1.0, 0.5], [0.1, 0.2, 0.3], [-3.0, 1.0, 1.0]])
CODES = torch.tensor([0, 2, 1])


def _loss(spec, **knobs):
    return build_loss(Training(**knobs), spec=spec, device=CPU)


def test_auto_is_cross_entropy_for_classes_and_squared_error_for_numbers():
    expected = functional.cross_entropy(LOGITS, CODES)
    torch.testing.assert_close(_loss(CLASSES)(LOGITS, CODES), expected)
    outputs, target = torch.tensor([[0.0], [1.0]]), torch.tensor([10.0, 10.0])
    assert _loss(NUMBERS)(outputs, target).item() == pytest.approx(0.5)


@pytest.mark.parametrize(("name", "expected"), [("mse", 4.0), ("mae", 2.0), ("huber", 1.5)])
def test_numbers_are_compared_in_standard_deviations(name, expected):
    loss = _loss(NUMBERS, loss=name, huber_delta=1.0)
    assert loss(torch.tensor([[3.0]]), torch.tensor([14.0])).item() == pytest.approx(expected)


def test_focal_loss_without_focus_is_cross_entropy():
    weight = torch.tensor([1.0, 2.0, 3.0])
    for w in (None, weight):
        found = focal_loss(LOGITS, CODES, gamma=0.0, weight=w)
        torch.testing.assert_close(found, functional.cross_entropy(LOGITS, CODES, weight=w))


def test_focal_loss_follows_its_formula():
    p = LOGITS.softmax(1)[torch.arange(3), CODES]
    expected = (-((1 - p) ** 2) * p.log()).mean()
    torch.testing.assert_close(
        _loss(CLASSES, loss="focal", focal_gamma=2.0)(LOGITS, CODES), expected
    )


def test_focal_loss_of_a_certain_answer_has_a_finite_gradient():
    certain = torch.tensor([[200.0, 0.0]], requires_grad=True)
    focal_loss(certain, torch.tensor([0]), gamma=0.5, weight=None).backward()
    assert torch.isfinite(certain.grad).all()


def test_balanced_weights_give_every_class_the_same_sum():
    weights = class_weights(Training(class_weights="balanced"), spec=CLASSES, device=CPU)
    assert (weights * torch.tensor(CLASSES.class_counts)).tolist() == pytest.approx([4, 4, 4])
    assert class_weights(Training(), spec=CLASSES, device=CPU) is None


def test_label_smoothing_is_used():
    expected = functional.cross_entropy(LOGITS, CODES, label_smoothing=0.2)
    torch.testing.assert_close(_loss(CLASSES, label_smoothing=0.2)(LOGITS, CODES), expected)


@pytest.mark.parametrize(("spec", "name"), [(CLASSES, "mse"), (NUMBERS, "focal")])
def test_a_loss_of_another_task_is_refused(spec, name):
    with pytest.raises(
        ConfigError, match=f"training.loss: {spec.task} takes one of auto, .*'{name}'"
    ):
        _loss(spec, loss=name)


def test_a_constant_target_does_not_divide_by_zero():
    constant = dataclasses.replace(NUMBERS, target_std=0.0)
    loss = build_loss(Training(), spec=constant, device=CPU)
    assert loss(torch.tensor([[0.0]]), torch.tensor([10.0])).item() == 0
