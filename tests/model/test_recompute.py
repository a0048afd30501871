"""Computing again in the backward pass: the same numbers, running statistics once, less kept memory, no vmap."""

import copy

import pytest
import torch
from torch import Tensor, nn
from torch.func import functional_call, vmap

from dlexp.model.recompute import recomputed


def net() -> nn.Sequential:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return nn.Sequential(nn.Linear(4, 16), nn.BatchNorm1d(16), nn.Tanh(), nn.Linear(16, 3)).double()


def batch() -> Tensor:
    return torch.randn(8, 4, generator=torch.Generator().manual_seed(1), dtype=torch.float64).requires_grad_()


def gradients(net: nn.Module, x: Tensor, outputs: Tensor) -> list[Tensor]:
    return list(torch.autograd.grad(outputs.square().sum(), [x, *net.parameters()]))


def test_outputs_gradients_and_running_statistics_are_those_of_the_plain_call():
    plain = net()
    again = copy.deepcopy(plain)
    x = batch()
    expected = gradients(plain, x, plain(x))
    outputs = recomputed(again, x)
    torch.testing.assert_close(outputs, net()(x), rtol=0, atol=0)
    torch.testing.assert_close(gradients(again, x, outputs), expected, rtol=0, atol=0)
    torch.testing.assert_close(dict(again.named_buffers()), dict(plain.named_buffers()), rtol=0, atol=0)


def bytes_saved(call) -> int:
    """Return how many numbers autograd keeps for the backward pass."""
    sizes = []
    with torch.autograd.graph.saved_tensors_hooks(lambda t: (sizes.append(t.numel()), t)[1], lambda t: t):
        call()
    return sum(sizes)


def test_less_is_kept():
    module, x = net(), batch()
    assert bytes_saved(lambda: recomputed(module, x)) < bytes_saved(lambda: module(x))


def test_the_parameters_of_the_moment_are_those_that_functional_call_gives():
    module, x = net(), batch()

    class Outer(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = module

        def forward(self, x: Tensor) -> Tensor:
            return recomputed(self.inner, x)

    outer = Outer()
    others = {name: (p.detach() + 0.5).requires_grad_() for name, p in outer.named_parameters()}
    outputs = functional_call(outer, others, (x,))
    reference = net()
    with torch.no_grad():
        for parameter in reference.parameters():
            parameter += 0.5
    expected = gradients(reference, x, reference(x))
    grads = torch.autograd.grad(outputs.square().sum(), [x, *others.values()])
    torch.testing.assert_close(list(grads), expected)


def test_vmap_is_refused():
    module = nn.Linear(4, 3).double()
    with pytest.raises(RuntimeError, match="vmap does not reach"):
        vmap(lambda x: recomputed(module, x))(batch().detach())
