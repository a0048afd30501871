"""Batch norm's kernels and running statistics: a stack against torch's module trial by trial, statistics by formula."""

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from dlexp.kernel.batch_norm import Rule, Running, normalise, normalise_stack, reset
from tests.present import present

EPS = 1e-5


def draw(*shape: int, dtype: torch.dtype = torch.float64, seed: int = 0) -> Tensor:
    return torch.randn(shape, dtype=dtype, generator=torch.Generator().manual_seed(seed))


def fresh(*shape: int, dtype: torch.dtype = torch.float64, is_exact: bool = False) -> Running:
    counts = [torch.zeros(shape[:-1], dtype=torch.int64) for _ in range(2)]
    return Running(
        torch.zeros(shape, dtype=dtype), torch.ones(shape, dtype=dtype), counts[0], counts[1] if is_exact else None
    )


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("num_channels", [2, 7, 12, 16, 33, 100])
@pytest.mark.parametrize("is_affine", [True, False])
def test_a_row_of_a_stack_has_the_bits_of_torchs_kernel_on_the_trial_alone(num_channels, is_affine, dtype):
    x = draw(3, 29, num_channels, dtype=dtype).requires_grad_()
    rows = [draw(3, num_channels, dtype=dtype, seed=seed).requires_grad_() for seed in (1, 2)] if is_affine else []
    seed_TNC, running = draw(3, 29, num_channels, dtype=dtype, seed=3), fresh(3, num_channels, dtype=dtype)
    weight, bias = rows or (None, None)
    y = normalise_stack(x, weight, bias, running, Rule(EPS), "training")
    grads = torch.autograd.grad((y * seed_TNC).sum(), [x, *rows])
    for t in range(3):
        mean, var = torch.zeros(num_channels, dtype=dtype), torch.ones(num_channels, dtype=dtype)
        alone = [tensor.detach()[t].clone().requires_grad_() for tensor in (x, *rows)]
        expected = F.batch_norm(alone[0], mean, var, *(alone[1:] or (None, None)), training=True, momentum=0.1, eps=EPS)
        for ours, theirs in ((y, expected), (running.mean, mean), (running.var, var)):
            assert torch.equal(ours[t], theirs)
        for ours, theirs in zip(grads, torch.autograd.grad((expected * seed_TNC[t]).sum(), alone), strict=True):
            assert torch.equal(ours[t], theirs)
    assert running.num_batches.tolist() == [1, 1, 1]


def test_evaluation_takes_the_running_statistics_and_leaves_them():
    x, mean, var = draw(2, 4, 3), draw(2, 3, seed=1), draw(2, 3, seed=2).exp()
    running = Running(mean.clone(), var.clone(), torch.tensor([5, 6]))
    y = normalise_stack(x, None, None, running, Rule(EPS), "evaluation")
    torch.testing.assert_close(y, (x - mean[:, None]) / (var[:, None] + EPS).sqrt())
    assert torch.equal(running.mean, mean)
    assert torch.equal(running.var, var)
    assert running.num_batches.tolist() == [5, 6]


def test_a_large_mean_does_not_swallow_the_variance():
    x = draw(1, 64, 2, dtype=torch.float32) + 1e4
    y = normalise_stack(x, None, None, fresh(1, 2, dtype=torch.float32), Rule(EPS), "training")
    assert float(y.std(dim=1).sub(1).abs().max()) < 0.05


STATISTICS = ("running_mean", "running_var")
BATCHES = [2 + 3 * draw(num, 4, seed=num) for num in (6, 6, 3)]


@pytest.mark.parametrize(("variance", "correction"), [("unbiased", 1), ("biased", 0)])
def test_moving_statistics_weigh_the_newest_batch(variance, correction):
    running = fresh(4)
    expected_mean, expected_var = torch.zeros(4).double(), torch.ones(4).double()
    for x in BATCHES:
        normalise(x, None, None, running, Rule(EPS, 0.25, "moving", variance), "training")
        expected_mean = 0.75 * expected_mean + 0.25 * x.mean(0)
        expected_var = 0.75 * expected_var + 0.25 * x.var(0, correction=correction)
    torch.testing.assert_close(running.mean, expected_mean, rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(running.var, expected_var, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(("variance", "correction"), [("unbiased", 1), ("biased", 0)])
def test_cumulative_statistics_are_the_means_over_all_batches(variance, correction):
    running = fresh(4)
    for x in BATCHES:
        normalise(x, None, None, running, Rule(EPS, 0.25, "cumulative", variance), "training")
    torch.testing.assert_close(running.mean, torch.stack([x.mean(0) for x in BATCHES]).mean(0), rtol=1e-12, atol=1e-12)
    variances = torch.stack([x.var(0, correction=correction) for x in BATCHES])
    torch.testing.assert_close(running.var, variances.mean(0), rtol=1e-12, atol=1e-12)


def test_cumulative_unbiased_statistics_are_torchs_without_a_momentum():
    running, reference = fresh(4), torch.nn.BatchNorm1d(4, momentum=None, dtype=torch.float64)
    for x in BATCHES:
        normalise(x, None, None, running, Rule(EPS, 0.25, "cumulative"), "training")
        reference(x)
    torch.testing.assert_close(running.mean, reference.running_mean, rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(running.var, reference.running_var, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(("variance", "correction"), [("unbiased", 1), ("biased", 0)])
@pytest.mark.parametrize("space", [(), (2, 3)])
def test_exact_statistics_are_those_of_all_values(variance, correction, space):
    running, rule = fresh(4, is_exact=True), Rule(EPS, 0.25, "exact", variance)
    batches = [2 + 3 * draw(num, 4, *space, seed=num) for num in (6, 6, 3)]
    normalise(batches[0], None, None, running, rule, "training")
    assert torch.equal(running.mean, torch.zeros(4).double())  # training takes in nothing
    named = {"a.running_mean": running.mean, "a.running_var": running.var, "a.num_values": running.num_values}
    running.mean.fill_(5.0)
    reset({name: present(tensor) for name, tensor in named.items()}, "a")
    for x in batches:
        normalise(x, None, None, running, rule, "gathering")
    values = torch.cat([x.movedim(1, -1).reshape(-1, 4) for x in batches])
    torch.testing.assert_close(running.mean, values.mean(0), rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(running.var, values.var(0, correction=correction), rtol=1e-12, atol=1e-12)
    assert running.num_values is not None
    assert int(running.num_values) == len(values)


@pytest.mark.parametrize(
    "rule", [Rule(EPS, 0.25, s, v) for s in ("cumulative", "exact") for v in ("unbiased", "biased")]
)
def test_a_stacks_statistics_are_those_of_each_trial(rule):
    is_exact = rule.statistics == "exact"
    stack = fresh(3, 4, is_exact=is_exact)
    alone = [fresh(4, is_exact=is_exact) for _ in range(3)]
    for number in range(3):
        x = draw(3, 5, 4, seed=number)
        for mode in ("training", "gathering") if is_exact else ("training",):
            normalise_stack(x, None, None, stack, rule, mode)
            for t, running in enumerate(alone):
                normalise(x[t], None, None, running, rule, mode)
    for t, running in enumerate(alone):
        for ours, theirs in zip(stack, running, strict=True):
            assert ours is theirs is None or torch.equal(present(ours)[t], present(theirs))


def test_forgetting_a_layers_statistics_leaves_those_of_others():
    named = {f"{path}{name}": torch.ones(2) for path in ("a.", "") for name in (*STATISTICS, "num_values")}
    reset(named, "")
    assert [float(value.sum()) for value in named.values()] == [2, 2, 2, 0, 0, 0]


@pytest.mark.parametrize("variance", ["unbiased", "biased"])
def test_auto_is_moving_in_training_and_exact_where_it_is_gathered(variance):
    auto, moving, exact = fresh(4, is_exact=True), fresh(4), fresh(4, is_exact=True)
    for x in BATCHES:
        normalise(x, None, None, auto, Rule(EPS, 0.25, "auto", variance), "training")
        normalise(x, None, None, moving, Rule(EPS, 0.25, "moving", variance), "training")
    assert torch.equal(auto.mean, moving.mean)
    assert torch.equal(auto.var, moving.var)
    for tensor in (auto.mean, auto.var):
        tensor.zero_()
    exact.var.zero_()
    for x in BATCHES:
        normalise(x, None, None, auto, Rule(EPS, 0.25, "auto", variance), "gathering")
        normalise(x, None, None, exact, Rule(EPS, 0.25, "exact", variance), "gathering")
    assert torch.equal(auto.mean, exact.mean)
    assert torch.equal(auto.var, exact.var)
