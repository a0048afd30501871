"""The standard error of a mean loss follows its formula, and resampling agrees with it."""

import numpy as np
import pytest
import torch

from dlexp.metric.loss_error import standard_error

LOSSES = torch.rand(3, 40, generator=torch.Generator().manual_seed(0)) ** 3


def test_it_is_the_deviation_over_the_root_of_the_number():
    mean_T, error_T = standard_error(LOSSES)
    exact = LOSSES.double().numpy()
    np.testing.assert_allclose(mean_T, exact.mean(1), rtol=1e-14)
    np.testing.assert_allclose(error_T, exact.std(1, ddof=1) / np.sqrt(40), rtol=1e-14)


def test_equal_weights_change_nothing():
    plain, weighted = standard_error(LOSSES), standard_error(LOSSES, torch.full((3, 40), 2.5, dtype=torch.float64))
    for a, b in zip(plain, weighted, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-12, atol=0)


def test_of_a_weighted_mean_it_is_what_resampling_examples_gives():
    draw = np.random.default_rng(0)
    loss_N, weight_N = draw.exponential(1.0, 400), draw.choice([0.5, 3.0], 400)
    mean, error = standard_error(torch.tensor(loss_N)[None], torch.tensor(weight_N)[None])
    rows = draw.integers(0, 400, (4000, 400))
    means = (weight_N[rows] * loss_N[rows]).sum(1) / weight_N[rows].sum(1)
    assert float(mean) == pytest.approx((weight_N * loss_N).sum() / weight_N.sum())
    assert float(error) == pytest.approx(means.std(), rel=0.05)  # the deviation of 4,000 has an error of 1.1 %


def test_a_single_example_has_none():
    assert standard_error(torch.ones(2, 1))[1].isnan().all()
