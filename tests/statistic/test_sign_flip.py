"""The sign-flip test: scipy's permutation test, the smallest p, false alarms and power."""

import pytest
import torch

from dlexp.random import generator
from dlexp.statistic.sign_flip import sign_flip


def test_equals_scipy():
    # scipy 1.17, permutation_test((d, 0), mean of differences, permutation_type="samples", n_resamples=inf)
    values = torch.tensor([0.3, -0.1, 0.5, 0.7, 0.2, 0.4, -0.2, 0.35], dtype=torch.float64)
    found = sign_flip(values, generator=generator(0, "s"))
    assert (found.p_value, found.smallest_p, found.is_exact) == (0.0546875, 2 / 2**8, True)


@pytest.mark.parametrize("num", [1, 5, 6])
def test_smallest_p_is_reached_by_equal_signs(num):
    found = sign_flip(torch.full((num,), 0.1), generator=generator(0, "s"))
    assert found.p_value == found.smallest_p == 2 / 2**num


def test_nothing_differs():
    assert sign_flip(torch.zeros(5), generator=generator(0, "s")).p_value == 1
    assert sign_flip(torch.zeros(30), generator=generator(0, "s"), draws=200).p_value == 1
    with pytest.raises(ValueError, match="at least one"):
        sign_flip(torch.zeros(0), generator=generator(0, "s"))


def test_drawn_signs_approach_all_signs():
    draw = generator(4, "x")
    values = torch.randn(16, generator=draw, dtype=torch.float64) + 0.4
    exact = sign_flip(values, generator=draw).p_value
    # a seventeenth difference of zero changes no sum: the same p, now from drawn signs
    drawn = sign_flip(torch.cat([values, torch.zeros(1)]), generator=draw, draws=20_000)
    assert not drawn.is_exact
    assert drawn.p_value == pytest.approx(exact, abs=0.012)


def rejections(seed: int, gap: float, draws: int, num: int = 8) -> float:
    print(f"seed {seed}")
    draw = generator(seed, "x")
    rows = torch.randn(draws, num, generator=draw, dtype=torch.float64) + gap
    return sum(sign_flip(row, generator=draw).p_value < 0.05 for row in rows) / draws


def test_false_alarms_and_power():
    assert rejections(5, 0.0, 2000) < 0.066
    found = [rejections(6, gap, 200) for gap in (0.3, 0.8, 1.5)]
    assert found[0] < found[1] < found[2]
    assert found[2] > 0.85
