"""Passes forked over streams: outputs, gradients and buffers of each module alone, heads and unused weights too."""

import pytest
import torch
from torch import Tensor, nn

from dlexp.engine.graph.fork import Fork, _Root
from tests.pretended.device import pretend


class Headed(nn.Module):
    """Two heads, a batch norm, and a layer that nothing comes from."""

    def __init__(self) -> None:
        super().__init__()
        self.trunk, self.norm, self.idle = nn.Linear(6, 8), nn.BatchNorm1d(8), nn.Linear(6, 1)
        self.main, self.side = nn.Linear(8, 3), nn.Linear(8, 2)

    def forward(self, x: Tensor) -> list[Tensor]:
        hidden = self.norm(self.trunk(x)).tanh()
        return [self.main(hidden), self.side(hidden)]


def nets(num: int) -> list[nn.Module]:
    torch.manual_seed(0)
    return [Headed() for _ in range(num)]


def test_root_hands_each_trials_row_of_the_given_gradients_on_to_each_head():
    generator = torch.Generator().manual_seed(0)
    net, x = nets(1)[0], torch.randn(5, 6, generator=generator)
    given = [torch.randn(2, 5, num, generator=generator) for num in (3, 2)]
    parameters = [*net.get_submodule("main").parameters(), *net.get_submodule("side").parameters()]
    expected = torch.autograd.grad(net(x), parameters, [grad[1] for grad in given])
    root = _Root.apply(given, 1, *net(x))
    assert all(torch.equal(a, b) for a, b in zip(torch.autograd.grad(root, parameters), expected, strict=True))


@pytest.mark.parametrize("num", [1, 3, 11])
@pytest.mark.parametrize("is_shared", [True, False])
def test_outputs_gradients_and_buffers_are_those_of_each_module(num, is_shared):
    x = torch.randn(*([] if is_shared else [num]), 16, 6, generator=torch.Generator().manual_seed(1))
    twins = nets(num)
    alone = [twin(x if is_shared else x[row]) for row, twin in enumerate(twins)]
    for heads in alone:
        torch.stack([head.square().sum() for head in heads]).sum().backward()
    models = nets(num)
    with pretend():
        for model in models:
            model.to("cuda")
        parameters: list[list[Tensor]] = [list(model.parameters()) for model in models]
        grads = [[torch.zeros_like(p) for p in row] for row in parameters]
        outputs = Fork(models, parameters, grads)(x.to("cuda"), is_shared=is_shared)
        torch.stack([head.square().sum() for head in outputs]).sum().backward()
        for row, twin in enumerate(twins):
            assert all(torch.equal(a[row].cpu(), b) for a, b in zip(outputs, alone[row], strict=True))
            for given, parameter in zip(grads[row], twin.parameters(), strict=True):
                expected = torch.zeros_like(parameter) if parameter.grad is None else parameter.grad
                assert torch.equal(given.cpu(), expected)
            pairs = zip(models[row].buffers(), twin.buffers(), strict=True)
            assert all(torch.equal(buffer.cpu(), expected) for buffer, expected in pairs)
