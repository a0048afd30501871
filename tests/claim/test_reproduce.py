"""Claims: what they say, and how swaps and seeds change what is run."""

import pytest

from dlexp.claim.reproduce import describe, reproduce
from dlexp.error import ConfigError


def test_commands_train_each_setting_over_all_seeds():
    first, second = describe("zeros-fail")["commands"]
    assert first.startswith("dlexp sweep data=digits ")
    assert first.endswith(" init=kaiming_normal 'seed=range(0,5)'")
    assert second.endswith(" init=zeros 'seed=range(0,5)'")
    assert describe("bottleneck")["commands"] == []


def test_seeds_change_what_is_random_only():
    (random,) = reproduce(["selection-bias"], seeds=3)
    assert len(random["values"]) == random["seeds"] == 3
    (exact,) = reproduce(["bottleneck"], seeds=3)
    assert len(exact["values"]) == exact["seeds"] == 1


def test_a_control_says_what_was_swapped():
    (claim,) = reproduce(["receptive-field"], is_control=True)
    assert claim.get("control") == "two of them see 5 x 5"
    assert claim["values"] == [5.0]
    assert claim["verdict"] == "does not hold"


def test_all_names_are_read_before_the_first_claim_is_run():
    with pytest.raises(ConfigError, match="reproduce: got nothing"):
        next(reproduce(["receptive-field", "nothing"]))
