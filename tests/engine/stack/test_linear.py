"""Linear layers of a stack against torch's layer for each trial: outputs and gradients, bit for bit the module's."""

import pytest
import torch
from torch.nn import functional as F

from dlexp.engine.stack.linear import gradients, linear
from dlexp.engine.stack.linear import outputs as outputs_of
from tests.present import present


def tensors(trials: int, num: int, features: int, outputs: int, dtype: torch.dtype):
    generator = torch.Generator().manual_seed(0)
    shapes = [(trials, num, features), (trials, outputs, features), (trials, outputs)]
    return [torch.randn(shape, generator=generator, dtype=dtype, requires_grad=True) for shape in shapes]


@pytest.mark.parametrize("outputs", [1, 5])
@pytest.mark.parametrize("has_bias", [True, False])
def test_each_trial_has_its_own_product_and_gradients(outputs, has_bias):
    x, weight, bias = tensors(3, 7, 4, outputs, torch.float64)
    theirs = [value.detach().clone().requires_grad_() for value in (x, weight, bias)]
    y = linear(x, weight, bias if has_bias else None)
    rows = [F.linear(theirs[0][t], theirs[1][t], theirs[2][t] if has_bias else None) for t in range(3)]
    expected = torch.stack(rows)
    torch.testing.assert_close(y, expected, rtol=1e-12, atol=1e-12)
    y.square().sum().backward()
    expected.square().sum().backward()
    for ours, reference in zip((x, weight, bias) if has_bias else (x, weight), theirs, strict=False):
        torch.testing.assert_close(ours.grad, reference.grad, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("outputs", [1, 3])
def test_the_gradient_is_that_of_finite_differences(outputs):
    assert torch.autograd.gradcheck(linear, tuple(tensors(2, 3, 4, outputs, torch.float64)))


@pytest.mark.parametrize("outputs", [1, 10])
def test_a_trial_s_numbers_do_not_depend_on_how_many_there_are(outputs):
    x, weight, bias = tensors(6, 32, 24, outputs, torch.float32)
    together = linear(x, weight, bias)
    for trial in range(6):
        row = slice(trial, trial + 1)
        assert torch.equal(together[row], linear(x[row], weight[row], bias[row]))


@pytest.mark.parametrize("trials", [1, 2, 7])
@pytest.mark.parametrize(
    ("num", "features", "outputs"), [(29, 50, 10), (7, 33, 33), (3, 64, 100), (1, 16, 8), (5, 7, 1), (2, 24, 8)]
)
def test_whatever_the_sizes_a_row_has_the_bits_of_torchs_layer(num, features, outputs, trials):
    """29 examples of 50 features take no whole number of 64 bytes: the second trial's begin in the middle of a line."""
    x, weight, bias = tensors(trials, num, features, outputs, torch.float32)
    y = linear(x, weight, bias)
    y.square().sum().backward()
    for trial in range(trials):
        alone = [value.detach()[trial].clone().requires_grad_() for value in (x, weight, bias)]
        expected = F.linear(*alone)
        expected.square().sum().backward()
        assert torch.equal(y[trial], expected)
        for ours, theirs in zip((x, weight, bias), alone, strict=True):
            assert torch.equal(present(ours.grad)[trial], present(theirs.grad))


@pytest.mark.parametrize("num", [32, 23])
def test_trials_side_by_side_in_memory_have_the_bits_of_those_that_follow_each_other(num):
    x, weight, _ = (value.detach() for value in tensors(17, num, 128, 64, torch.float32))
    grad = torch.randn(17, num, 64, generator=torch.Generator().manual_seed(1))
    beside, grad_beside = (value.transpose(0, 1).contiguous().transpose(0, 1) for value in (x, grad))
    assert torch.equal(outputs_of(beside, weight, None), outputs_of(x, weight, None))
    wanted = [True, True, True]
    for ours, expected in zip(
        gradients(grad_beside, beside, weight, wanted), gradients(grad, x, weight, wanted), strict=True
    ):
        assert torch.equal(present(ours), present(expected))


def test_autocast_rounds_as_torch_s_layer_does():
    x, weight, bias = tensors(2, 4, 8, 3, torch.float32)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        y = linear(x, weight, bias)
        expected = torch.stack([F.linear(x[t], weight[t], bias[t]) for t in range(2)])
    assert y.dtype == expected.dtype == torch.bfloat16
    torch.testing.assert_close(y, expected)
