"""The paired bootstrap: coverage, false alarms, power, and the normal interval it must approach."""

import pytest
import torch

from dlexp.random import generator
from dlexp.statistic.bootstrap import examples_needed, paired_bootstrap


def mean_of(values_N: torch.Tensor):
    return lambda rows_BN: values_N[rows_BN].mean(-1)


def test_approaches_the_normal_interval():
    values = torch.randn(4000, generator=generator(1, "x"), dtype=torch.float64) + 0.05
    found = paired_bootstrap(mean_of(values), 4000, generator=generator(2, "b"), draws=4000)
    error = float(values.std()) / 4000**0.5
    assert found.standard_error == pytest.approx(error, rel=0.05)
    assert found.low == pytest.approx(float(values.mean()) - 1.96 * error, abs=0.1 * error)
    assert found.high == pytest.approx(float(values.mean()) + 1.96 * error, abs=0.1 * error)
    normal = 2 * (1 - torch.distributions.Normal(0.0, 1.0).cdf(values.mean().abs() / error))
    assert found.p_value == pytest.approx(float(normal), abs=0.01)


def test_same_generator_same_numbers_other_draws_close():
    values = torch.randn(200, generator=generator(3, "x"))
    first, again, other = (paired_bootstrap(mean_of(values), 200, generator=generator(s, "b")) for s in (1, 1, 2))
    assert first == again
    assert first != other
    assert abs(first.low - other.low) < 0.03


def test_no_difference_at_all():
    found = paired_bootstrap(mean_of(torch.zeros(30)), 30, generator=generator(0, "b"))
    assert (found.low, found.high, found.p_value, found.standard_error) == (0, 0, 1, 0)


def test_equal_differences_give_one_point():
    found = paired_bootstrap(mean_of(torch.ones(30)), 30, generator=generator(0, "b"), draws=999)
    assert (found.low, found.high, found.p_value) == (1, 1, 2 / 1000)


def test_refuses_one_example_and_an_undefined_metric():
    with pytest.raises(ValueError, match="at least two"):
        paired_bootstrap(mean_of(torch.ones(1)), 1, generator=generator(0, "b"))
    with pytest.raises(ValueError, match="not defined"):
        paired_bootstrap(lambda rows: torch.full((len(rows),), torch.nan), 9, generator=generator(0, "b"))


def simulate(seed: int, gap: float, draws: int, num: int = 150):
    """Return (draws, 3) interval and p-value of classifiers right in 0.8 and 0.8 + gap, alike on half the data."""
    print(f"seed {seed}")
    draw = generator(seed, "simulate")
    a = torch.rand(draws, num, generator=draw) < 0.8
    share = torch.rand(draws, num, generator=draw) < 0.5
    b = torch.where(share, a, torch.rand(draws, num, generator=draw) < 0.8 + 2 * gap)
    values_SN = b.double() - a.double()
    spans = [
        paired_bootstrap(mean_of(row), num, generator=generator(seed, "b", i), draws=300)
        for i, row in enumerate(values_SN)
    ]
    return torch.tensor([[span.low, span.high, span.p_value] for span in spans])


def test_false_alarms_and_coverage():
    ends = simulate(11, 0.0, 2000)
    covers = ((ends[:, 0] <= 0) & (ends[:, 1] >= 0)).float().mean()
    print(f"coverage {covers:.3f}, p < 0.05 in {(ends[:, 2] < 0.05).float().mean():.3f}")
    assert 0.93 < covers < 0.975
    assert (ends[:, 2] < 0.05).float().mean() < 0.07
    ends = simulate(12, 0.05, 500)
    covers = ((ends[:, 0] <= 0.05) & (ends[:, 1] >= 0.05)).float().mean()
    assert 0.91 < covers < 0.98


def test_power_rises_with_the_difference():
    found = [float((simulate(13, gap, 200)[:, 0] > 0).float().mean()) for gap in (0.0, 0.04, 0.08)]
    assert found[0] < 0.07 < found[1] < found[2]


def test_examples_needed_scales_as_the_inverse_square():
    # (1.95996 + 0.84162)^2 = 7.84888: with one standard error, 7.85 times as many examples
    assert examples_needed(0.01, 0.01, 1000) == 7849
    assert examples_needed(-0.02, 0.01, 1000) == 1963
    assert examples_needed(0.0, 0.01, 1000) is None
