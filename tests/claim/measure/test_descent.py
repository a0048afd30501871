"""Update rules in closed form."""

import math

import pytest

from dlexp.claim.measure.descent import first_update, rate_exponent, step_ratio


def test_the_first_update_of_adam():
    assert first_update(0, "adam", bias_correction=True) == pytest.approx(1.0, rel=1e-6)
    assert first_update(0, "adam", bias_correction=False) == pytest.approx(0.1 / math.sqrt(0.001), rel=1e-4)


def test_adagrads_updates_are_one_over_root_t():
    assert rate_exponent(0, "adagrad") == pytest.approx(-0.5, abs=1e-6)
    assert rate_exponent(0, "sgd") == pytest.approx(0.0, abs=1e-12)


def test_without_momentum_the_rules_take_equally_many_steps():
    assert step_ratio(3, "quadratic", ["momentum", "sgd"], lr=0.05, momentum=0.0) == 1.0
