"""Weight decay coupled (g += c w) and decoupled (w -= lr c w), with a mask, for numbers and rates of trials."""

import pytest
import torch

from dlexp.optimizer.decay import add_coupled, shrink

PARAMS = torch.tensor([[2.0, -4.0, 8.0], [16.0, 32.0, -64.0]])
MASK = torch.tensor([1.0, 0.0, 1.0])
RATES = torch.tensor([[0.5], [0.25]])


@pytest.mark.parametrize("mask", [None, MASK], ids=["all", "masked"])
@pytest.mark.parametrize("decay", [0.125, RATES], ids=["number", "rates"])
def test_coupled_is_the_gradient_of_half_the_squared_norm(decay, mask):
    params = PARAMS.clone().requires_grad_()
    factor = 1.0 if mask is None else mask
    (decay * factor * params**2 / 2).sum().backward()
    grads = torch.ones_like(PARAMS)
    add_coupled(grads, PARAMS, decay, mask)
    assert params.grad is not None
    assert torch.equal(grads, 1 + params.grad)


@pytest.mark.parametrize("mask", [None, MASK], ids=["all", "masked"])
@pytest.mark.parametrize("decay", [0.125, RATES], ids=["number", "rates"])
@pytest.mark.parametrize("lr", [0.5, torch.tensor([[0.5], [0.125]])], ids=["number", "rates"])
def test_decoupled_shrinks(lr, decay, mask):
    params = PARAMS.clone()
    shrink(params, lr, decay, mask)
    assert torch.equal(params, PARAMS * (1 - lr * decay * (1.0 if mask is None else mask)))


def test_none_changes_nothing_whatever_the_numbers():
    params, grads = torch.full((1, 2), float("inf")), torch.zeros(1, 2)
    add_coupled(grads, params, 0.0, None)  # 0 * inf would be NaN
    shrink(params, 0.1, 0.0, None)
    assert grads.tolist() == [[0.0, 0.0]]
    assert params.isinf().all()
