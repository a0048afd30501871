"""Each planted fault is named as the cause by its rule, with a cure that dlexp accepts; healthy trainings have none."""

import math
import shlex
from types import SimpleNamespace
from typing import Any

import pytest

from dlexp.config.resolve import resolve
from dlexp.diagnose.rule import RULES
from dlexp.job.diagnose import diagnose
from tests.diagnose.case import FAULTS, HEALTHY, SMALL


@pytest.mark.parametrize("rule", FAULTS)
def test_a_planted_fault_is_the_first_cause_and_its_cure_is_accepted(rule):
    overrides, override = FAULTS[rule]
    first = diagnose(resolve([*SMALL, *overrides]))["findings"][0]
    assert (first["rule"], first["is_finding"]) == (rule, True)
    assert first["override"] == override
    assert first["consequence"]
    words = shlex.split(first["command"] or "")
    assert words[:2] == ["dlexp", "train"]
    cured = diagnose(resolve(words[2:]))
    assert cured["last_loss"] < 0.9 * cured["constant"]


@pytest.mark.parametrize("overrides", HEALTHY, ids=" ".join)
def test_a_healthy_training_has_no_finding(overrides):
    assert [f["rule"] for f in diagnose(resolve([*SMALL, *overrides]))["findings"] if f["is_finding"]] == []


def test_a_tiny_batch_under_batch_norm_is_told_with_another_norm():
    told = diagnose(resolve([*SMALL[:-1], "trainer.batch_size=4"]))["findings"]
    notes = {finding["rule"]: finding for finding in told}
    assert notes["bn_tiny_batch"]["value"] == 4.0
    assert notes["bn_tiny_batch"]["override"] in ("norm=group", "norm=layer", "norm=none")


@pytest.mark.parametrize(("losses", "value"), [([0.0] * 10, None), ([0.0, 1.0], math.inf), ([1.0, 4.0, 4.0], 3.0)])
def test_losses_that_begin_at_zero_are_no_crash(losses, value):
    (rule,) = [rule for rule in RULES if rule.name == "lr_large"]
    evidence: Any = SimpleNamespace(losses=losses, ratios={})
    reading = rule.read(evidence)
    assert (None if reading is None else reading.value) == value


def test_rules_are_stated_whole():
    names = [rule.name for rule in RULES]
    assert len(names) == len(set(names))
    order = ["symmetric", "unscaled", "signal", "saturated", "gradient_vanishes", "lr_large", "dead"]
    assert [name for name in names if name in order] == order
    assert all(rule.statistic and rule.healthy and rule.source for rule in RULES)
