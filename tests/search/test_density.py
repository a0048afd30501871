"""Densities: they integrate to 1 and are what is drawn from."""

import math

import numpy as np
import pytest
from scipy import integrate, stats

from dlexp.config.dimension import Dimension
from dlexp.search.density import Density

LR = Dimension("lr", "", low=1e-4, high=1.0, is_log=True)
KNOWN = Density(LR, [1e-4, 1e-2, 0.5], [1.5, 1.0, 0.5], 0.7)


def on_scale(place):
    return math.exp(KNOWN.log(math.exp(place)))


def test_is_the_mixture_of_truncated_normals_and_a_uniform():
    low, high = LR.span
    for value in (1e-4, 3e-3, 0.2, 1.0):
        expected = 1 / (high - low)
        for centre, weight in zip(KNOWN.values, KNOWN.weights, strict=True):
            mean = math.log(centre)
            ends = (low - mean) / 0.7, (high - mean) / 0.7
            expected += weight * stats.truncnorm.pdf(math.log(value), *ends, loc=mean, scale=0.7)
        assert KNOWN.log(value) == pytest.approx(math.log(expected / 4), rel=1e-9)
    assert integrate.quad(on_scale, low, high, limit=200)[0] == pytest.approx(1, abs=1e-6)


def test_draws_follow_it():
    draws = np.random.default_rng(0).uniform(size=(2000, 2))
    places = [math.log(KNOWN.draw(which, where)) for which, where in draws]
    low, _ = LR.span
    grid = np.linspace(*LR.span, 400)
    cdf = integrate.cumulative_trapezoid([on_scale(place) for place in grid], grid, initial=0)
    assert stats.kstest(places, lambda place: np.interp(place, grid, cdf)).pvalue > 0.01
    assert min(places) >= low


def test_listed_values_by_their_weight_and_one_share_for_all():
    kind = Dimension("kind", "", values=["a", 1, True])
    density = Density(kind, ["a", "a", True], [1.0, 2.0, 1.0], 1.0)
    assert [math.exp(density.log(v)) for v in ("a", 1, True)] == pytest.approx(
        [(3 + 1 / 3) / 5, (1 / 3) / 5, (1 + 1 / 3) / 5]
    )
    draws = [density.draw(which, where) for which, where in np.random.default_rng(1).uniform(size=(3000, 2))]
    counts = [sum(repr(drawn) == repr(v) for drawn in draws) for v in ("a", 1, True)]
    assert stats.chisquare(counts, np.array([10, 1, 4]) / 15 * 3000).pvalue > 0.01


def test_integers_stay_between_their_ends():
    depth = Dimension("depth", "", low=1, high=9, is_int=True, is_log=True)
    for value in range(1, 10):
        near = Density(depth, [value], [1e9], 0.01)
        assert [near.draw(0.0, where) for where in (0.01, 0.5, 0.99)] == [value] * 3
        ends = [near.draw(0.0, where) for where in (0.0, 1 - 1e-16)]  # the kernel is cut off at the ends of the range
        assert all(isinstance(end, int) and 1 <= end <= 9 for end in ends)


def test_without_known_values_it_is_uniform():
    nothing = Density(LR, [], [], 1.0)
    low, high = LR.span
    assert nothing.log(0.3) == pytest.approx(-math.log(high - low))
    assert nothing.draw(0.5, 0.5) == pytest.approx(1e-2)
