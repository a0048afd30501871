"""Batch norm over devices against torch's on the whole batch: outputs, gradients, running statistics."""

import pytest
import torch
from torch.nn import functional as F

from dlexp.engine.exchange.share import deal
from dlexp.kernel.synced_norm import batch_norm
from tests.engine.exchange.threads import together


def tensors(shape):
    generator = torch.Generator().manual_seed(3)
    x, slope = (torch.randn(shape, dtype=torch.float64, generator=generator) * 2 + 1 for _ in range(2))
    weight, bias = (torch.randn(shape[1], dtype=torch.float64, generator=generator) for _ in range(2))
    return x, slope, weight, bias


def pass_through(kernel, x, slope, weight, bias):
    x, weight, bias = (tensor.clone().requires_grad_() for tensor in (x, weight, bias))
    mean, var = torch.zeros(x.shape[1], dtype=torch.float64), torch.ones(x.shape[1], dtype=torch.float64)
    y = kernel(x, mean, var, weight, bias, True, 0.1, 1e-5)
    (y * slope).sum().backward()
    return y.detach(), x.grad, weight.grad, bias.grad, mean, var


@pytest.mark.parametrize(("shape", "size"), [((7, 4), 2), ((5, 3, 4, 2), 3), ((2, 3), 3)], ids=str)
def test_equals_torch_on_the_whole_batch(shape, size):
    x, slope, weight, bias = tensors(shape)
    expected = pass_through(F.batch_norm, x, slope, weight, bias)

    def act(exchange):
        bounds = deal(len(x), size)
        exchange.counts = [end - first for first, end in bounds]
        cut = slice(*bounds[exchange.rank])

        def kernel(*arguments):
            return batch_norm(exchange, *arguments)

        return pass_through(kernel, x[cut], slope[cut], weight, bias)

    y, by_x, by_weight, by_bias, means, variances = zip(*together(size, act), strict=True)
    actual = (torch.cat(y), torch.cat(by_x), sum(by_weight), sum(by_bias), means[-1], variances[-1])
    for got, wanted in zip(actual, expected, strict=True):
        torch.testing.assert_close(got, wanted, rtol=1e-12, atol=1e-12)


def test_a_mean_far_from_zero_keeps_the_variance():
    x = torch.tensor([[1e4], [1e4 + 1], [1e4 + 2], [1e4 + 3]])  # in float32, squares of 1e4 have steps of 8

    def act(exchange):
        exchange.counts = [2, 2]
        cut = slice(2 * exchange.rank, 2 * exchange.rank + 2)
        var = torch.ones(1)
        batch_norm(exchange, x[cut], torch.zeros(1), var, None, None, True, 1.0, 0.0)
        return float(var)

    assert together(2, act) == pytest.approx([5 / 3] * 2, rel=1e-6)
