"""Trials grouped to settings."""

import pytest

from dlexp.figure.point import Point, spots


def test_seeds_of_a_setting_are_one_spot_with_mean_and_deviation():
    points = [Point({"lr": 0.1}, 0.5, 1, "a"), Point({"lr": 1.0}, 0.9, 2, "b"), Point({"lr": 0.1}, 0.7, 1, "c")]
    first, second = spots(points)
    assert (first.mean, first.run_id, first.round, first.values) == (pytest.approx(0.6), "a", 1, [0.5, 0.7])
    assert first.std == pytest.approx(0.1 * 2**0.5)
    assert (second.mean, second.std) == (0.9, 0.0)


def test_a_setting_with_a_failed_seed_has_no_mean():
    (spot,) = spots([Point({"lr": 0.1}, 0.5, 1), Point({"lr": 0.1}, None, 1)])
    assert spot.is_failed
    assert spot.mean is None
