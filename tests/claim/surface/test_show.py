"""The document of a surface."""

import pytest

from dlexp.claim.surface.show import show


def test_one_rate_for_every_rule_or_each_its_soonest():
    equal = show("quadratic", lr=0.05, steps=60)
    assert {path["lr"] for path in equal["paths"]} == {0.05}
    soonest = {path["rule"]: path for path in show("quadratic", rules=["sgd"], steps=200)["paths"]}
    # the best rate of gradient descent is 2 / (1 + 20); of the 21 the nearest from below is 10^(-5/4)
    assert soonest["sgd"]["lr"] == pytest.approx(10 ** (-5 / 4))


def test_what_does_not_arrive_comes_last():
    paths = show("rosenbrock", rules=["sgd", "adagrad"], lr=0.001, steps=50)["paths"]
    assert [path["steps"] for path in paths] == [None, None]
    assert paths[0]["value"] <= paths[1]["value"]
