"""Paths: gradient descent on a quadratic in closed form, arrival, what diverges."""

import math

import pytest
import torch

from dlexp.claim.surface.function import surfaces
from dlexp.claim.surface.path import Path, best, descend

QUADRATIC = surfaces(20.0)["quadratic"]


def test_gradient_descent_on_a_quadratic_is_a_power_of_its_factor():
    # x_t = (1 - lr)^t x_0, y_t = (1 - 20 lr)^t y_0
    (path,) = descend(QUADRATIC, "sgd", (0.04,), steps=300)
    steps = torch.arange(len(path.points_S2), dtype=torch.float64)
    torch.testing.assert_close(path.points_S2[:, 0], -4 * 0.96**steps)
    torch.testing.assert_close(path.points_S2[:, 1], 0.2**steps)
    assert path.steps == math.ceil(math.log(1e-3 / 8) / (2 * math.log(0.96)))


def test_a_rate_beyond_two_over_the_largest_curvature_diverges_and_is_cut_where_it_is_no_number():
    (path,) = descend(QUADRATIC, "sgd", (10.0,), steps=400)
    assert path.steps is None
    assert path.values_S.isfinite().all()
    assert 1 < len(path.values_S) < 401


def test_a_path_has_arrived_only_where_it_stays():
    # momentum passes through the minimum and leaves the level again before it settles
    (path,) = descend(QUADRATIC, "momentum", (0.02,), steps=400, momentum=0.9)
    assert path.steps is not None
    below = (path.values_S <= QUADRATIC.level).nonzero().flatten().tolist()
    assert below[-1] == path.steps
    assert below[0] < path.steps


@pytest.mark.parametrize("rule", ["sgd", "adam", "nesterov"])
def test_a_rate_among_others_goes_where_it_goes_alone(rule):
    together = descend(QUADRATIC, rule, (0.001, 0.02, 0.3), steps=50)
    (alone,) = descend(QUADRATIC, rule, (0.02,), steps=50)
    assert torch.equal(together[1].points_S2, alone.points_S2)


def test_the_best_arrives_first_or_else_ends_lowest():
    point, late = torch.zeros(1, 2), torch.ones(1)
    paths = [Path("a", 1.0, point, late, None), Path("b", 2.0, point, late / 2, None)]
    assert best(paths).rule == "b"
    assert best([*paths, Path("c", 3.0, point, late, 9), Path("d", 3.0, point, late, 8)]).rule == "d"
