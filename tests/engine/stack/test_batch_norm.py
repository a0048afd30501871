"""Batch norm of a stack against torch's, trial by trial."""

import pytest
import torch
from torch.nn import functional as F

from dlexp.engine.stack.batch_norm import batch_norm


@pytest.mark.parametrize("shape", [(3, 6, 5), (3, 6, 5, 4, 2)])
@pytest.mark.parametrize("is_affine", [True, False])
def test_outputs_gradients_and_statistics_equal_torchs(shape, is_affine):
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(shape, generator=generator, dtype=torch.float64, requires_grad=True)
    weight, bias = (torch.randn(3, 5, generator=generator, dtype=torch.float64, requires_grad=True) for _ in range(2))
    seed = torch.randn(shape, generator=generator, dtype=torch.float64)
    y, mean, var = batch_norm(x, weight if is_affine else None, bias if is_affine else None, 1e-5, None)
    inputs = [x, weight, bias] if is_affine else [x]
    grads = torch.autograd.grad((y * seed).sum(), inputs)
    for t in range(3):
        running_mean, running_var = torch.zeros(5, dtype=torch.float64), torch.ones(5, dtype=torch.float64)
        alone = [tensor.detach()[t].requires_grad_() for tensor in inputs]
        affine = alone[1:] if is_affine else [None, None]
        expected = F.batch_norm(alone[0], running_mean, running_var, *affine, training=True, momentum=1.0)
        torch.testing.assert_close(y[t], expected)
        torch.testing.assert_close(mean[t], running_mean)
        torch.testing.assert_close(var[t], running_var)
        for ours, theirs in zip(grads, torch.autograd.grad((expected * seed[t]).sum(), alone), strict=True):
            torch.testing.assert_close(ours[t], theirs, rtol=1e-9, atol=1e-11)


def test_evaluation_takes_the_running_statistics():
    x, mean, var = torch.randn(2, 4, 3), torch.randn(2, 3), torch.rand(2, 3) + 0.5
    y, _, _ = batch_norm(x, None, None, 1e-5, (mean, var))
    for t in range(2):
        torch.testing.assert_close(y[t], F.batch_norm(x[t], mean[t], var[t]))


def test_a_large_mean_does_not_swallow_the_variance():
    x = torch.randn(1, 64, 2) + 1e4
    y, _, _ = batch_norm(x, None, None, 1e-5, None)
    assert float(y.std(dim=1).sub(1).abs().max()) < 0.05
