"""Losses and gradients that are written out are autograd's, to the bit."""

from typing import Any

import pytest
import torch

from dlexp.engine.dense.gradient import gradient_of
from dlexp.loss import BCE, MSE, CrossEntropy, Hinge, Huber
from tests.present import present

WRITTEN = {
    "cross_entropy": (CrossEntropy(num_classes=4), 4),
    "bce": (BCE(), 1),
    "mse": (MSE(), 1),
}


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("num_trials", [1, 3])
@pytest.mark.parametrize("num", [1, 7, 32, 1000])
@pytest.mark.parametrize("name", WRITTEN)
def test_equals_autograd_to_the_bit(name, num, num_trials, dtype):
    loss, num_outputs = WRITTEN[name]
    generator, shape = torch.Generator().manual_seed(num), (num_trials, num)
    z_TNK = (torch.randn(*shape, num_outputs, generator=generator, dtype=torch.float64) * 4).to(dtype)
    y_TN = torch.randint(0, max(2, num_outputs), shape, generator=generator)
    if name == "mse":
        y_TN = torch.randn(shape, generator=generator, dtype=torch.float64).to(dtype)
    ours, gradient = present(gradient_of(loss))(z_TNK.flatten(0, 1), y_TN)
    leaf = z_TNK.clone().requires_grad_()
    expected = loss(leaf, y_TN)
    expected.sum().backward()
    assert torch.equal(ours, expected.detach())
    assert torch.equal(gradient, present(leaf.grad).flatten(0, 1))


def of_trials(smoothing: Any) -> CrossEntropy:
    """Return the loss of a stack of one trial."""
    loss: Any = CrossEntropy(num_classes=4)
    loss.label_smoothing = torch.full((1, 1), smoothing)
    return loss


@pytest.mark.parametrize(
    "loss",
    [
        CrossEntropy(label_smoothing=0.1, num_classes=4),
        CrossEntropy(class_weight=[1.0, 2.0], num_classes=2),
        CrossEntropy(lse_penalty=0.1, num_classes=4),
        of_trials(0.0),
        BCE(alpha=2.0),
        BCE(num_classes=3),
        Hinge(num_classes=4),
        Huber(),
    ],
    ids=lambda loss: type(loss).__name__,
)
def test_other_losses_are_left_to_autograd(loss):
    assert gradient_of(loss) is None
