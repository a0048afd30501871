"""Surfaces: minima and gradients by hand and by finite differences."""

import pytest
import torch

from dlexp.claim.surface.function import surfaces

NAMES = list(surfaces())


@pytest.mark.parametrize("name", NAMES)
def test_the_gradient_vanishes_at_every_minimum_and_the_window_shows_it(name):
    surface = surfaces()[name]
    points = torch.tensor(surface.minima, dtype=torch.float64)
    assert surface.gradient(points).abs().max() < 1e-3
    left, right, low, high = surface.window
    assert all(left < x < right and low < y < high for x, y in surface.minima)


@pytest.mark.parametrize("name", NAMES)
def test_the_lowest_minimum_lies_below_the_level_and_the_start_above(name):
    surface = surfaces()[name]
    assert surface.function(torch.tensor(surface.minima, dtype=torch.float64)).min() < surface.level
    assert surface.function(torch.tensor([surface.start], dtype=torch.float64)) > surface.level


@pytest.mark.parametrize("name", NAMES)
def test_the_gradient_is_that_of_finite_differences(name):
    surface = surfaces()[name]
    point, width = torch.tensor([[0.7, -0.3]], dtype=torch.float64), 1e-6
    for axis in (0, 1):
        shift = torch.zeros(1, 2, dtype=torch.float64)
        shift[0, axis] = width
        slope = (surface.function(point + shift) - surface.function(point - shift)) / (2 * width)
        assert surface.gradient(point)[0, axis].item() == pytest.approx(slope.item(), rel=1e-6, abs=1e-8)


@pytest.mark.parametrize(
    ("name", "point", "value"),
    [
        ("quadratic", (2.0, 1.0), (4 + 20) / 2),
        ("saddle", (2.0, 2.0), 4 - 4 + 4),
        ("rosenbrock", (-1.2, 1.0), 24.2),  # More, Garbow and Hillstrom (1981), problem 1
        ("beale", (1.0, 1.0), 14.203125),  # the same, problem 5
        ("two_minima", (0.0, 2.0), 1 + 2),
    ],
)
def test_values_by_hand(name, point, value):
    assert surfaces()[name].function(torch.tensor([point], dtype=torch.float64)).item() == pytest.approx(value)


def test_the_quadratic_has_its_condition_number():
    surface = surfaces(7.0)["quadratic"]
    hessian = torch.autograd.functional.hessian(lambda p: surface.function(p[None])[0], torch.zeros(2))
    low, high = torch.linalg.eigvalsh(torch.as_tensor(hessian)).tolist()
    assert high / low == pytest.approx(7.0)
