"""Settings that cannot be together."""

import pytest

from dlexp.config.resolve import resolve
from dlexp.config.rule.relation import check_relations
from dlexp.error import ConfigError


@pytest.mark.parametrize("schedule", ["constant", "cosine", "one_cycle", "plateau", "linear", "step", "exponential"])
def test_a_warmup_longer_than_the_training(schedule):
    with pytest.raises(ConfigError, match=r"^schedule.warmup: got 4.5; at most trainer.epochs=4 epochs"):
        resolve([f"schedule={schedule}", "schedule.warmup=4.5", "trainer.epochs=4"])
    resolve([f"schedule={schedule}", "schedule.warmup=4", "trainer.epochs=4"])


def test_a_schedule_of_the_users_own_may_have_none():
    check_relations({"schedule": {}, "trainer": {"epochs": 3}})
