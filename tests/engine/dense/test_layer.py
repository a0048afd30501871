"""Each layer's passes against autograd's, to the bit, and freed when both are done."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from dlexp.dropout import Inverted
from dlexp.engine.dense import layer
from dlexp.engine.dense.link import Trained
from dlexp.kernel.batch_norm import Rule, Running
from tests.present import present

D, E = 16, 5


def draw(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def place(value: Tensor) -> Trained:
    return Trained(value, torch.zeros_like(value))


def linear() -> tuple[Any, list[Trained], Callable[..., Tensor]]:
    weights = [place(draw(E, D)), place(draw(E, seed=1))]
    return layer.Linear(*weights), weights, F.linear


def batch_norm() -> tuple[Any, list[Trained], Callable[..., Tensor]]:
    weights = [place(draw(D)), place(draw(D, seed=1))]
    running = Running(torch.zeros(D), torch.ones(D), torch.tensor(0))
    made = layer.BatchNorm(weights[0], weights[1], running, Rule(1e-5), lambda _: None)
    return made, weights, lambda x, w, b: F.batch_norm(x, None, None, w, b, True, 0.1, 1e-5)


def group_norm() -> tuple[Any, list[Trained], Callable[..., Tensor]]:
    weights = [place(draw(D)), place(draw(D, seed=1))]
    made = layer.GroupNorm(weights[0], weights[1], 4, 1e-5)
    return made, weights, lambda x, w, b: torch.addcmul(b, F.group_norm(x, 4, None, None, 1e-5), w)


def activation() -> tuple[Any, list[Trained], Callable[..., Tensor]]:
    return layer.Activation(torch.tanh, lambda g, x, y: torch.ops.aten.tanh_backward(g, y)), [], torch.tanh


def dropout() -> tuple[Any, list[Trained], Callable[..., Tensor]]:
    module = Inverted(0.3)
    return layer.Dropout(module), [], module


def flatten() -> tuple[Any, list[Trained], Callable[..., Tensor]]:
    return layer.Flatten(), [], nn.Flatten()


@pytest.mark.parametrize("make", [linear, batch_norm, group_norm, activation, dropout, flatten])
def test_both_passes_are_autograds(make):
    made, weights, reference = make()
    made.need(True)
    for is_first, times in ((True, 1), (False, 2)):
        x = draw(7, 4, 4, seed=2) if make is flatten else draw(7, D, seed=2)
        leaves = [x.requires_grad_(), *(each.value.clone().requires_grad_() for each in weights)]
        expected = reference(*leaves)
        grad = draw(*expected.shape, seed=3)
        (expected * grad).sum().backward()
        assert torch.equal(made.forward(x.detach()), expected)
        assert torch.equal(present(made.backward(grad, is_first)), present(x.grad))
        for each, leaf in zip(weights, leaves[1:], strict=True):
            assert torch.equal(present(each.grad), times * present(leaf.grad))


@pytest.mark.parametrize("make", [linear, batch_norm, group_norm, activation, dropout])
def test_nothing_of_a_batch_is_held_afterwards(make):
    made, _, _ = make()
    before = set(vars(made))
    grad = torch.ones_like(made.forward(draw(7, D)))
    made.backward(grad, True)
    assert set(vars(made)) == before
