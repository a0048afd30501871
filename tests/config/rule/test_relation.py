"""Settings that cannot be together."""

import pytest

from dlexp.config.resolve import resolve
from dlexp.config.rule.relation import check_monitor, check_relations
from dlexp.error import ConfigError


@pytest.mark.parametrize("schedule", ["constant", "cosine", "one_cycle", "plateau", "linear", "step", "exponential"])
def test_a_warmup_longer_than_the_training(schedule):
    with pytest.raises(ConfigError, match=r"^schedule.warmup: got 4.5; at most trainer.epochs=4 epochs"):
        resolve([f"schedule={schedule}", "schedule.warmup=4.5", "trainer.epochs=4"])
    resolve([f"schedule={schedule}", "schedule.warmup=4", "trainer.epochs=4"])


def test_a_schedule_of_the_users_own_may_have_none():
    check_relations({"schedule": {}, "trainer": {"epochs": 3}})


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (
            ["data.val_fraction=0.9", "data.test_fraction=0.9"],
            "data.val_fraction: got 0.9 beside data.test_fraction=0.9; together they leave nothing for training, so "
            "their sum has to be below 1",
        ),
        (["runs_dir="], "runs_dir: got an empty text; a folder is needed, for example runs"),
    ],
)
def test_what_no_data_can_mend_is_known_before_they_are_read(overrides, message):
    with pytest.raises(ConfigError) as caught:
        resolve(overrides)
    assert message in str(caught.value)


@pytest.mark.parametrize("override", ["data.val_fraction=0.85", "data.test_fraction=0.7", "trainer.monitor=val/rmse"])
def test_what_data_decide_is_left_to_them(override):
    assert resolve([override])


def test_a_metric_that_no_task_has_is_known_without_data():
    with pytest.raises(ConfigError, match=r"^trainer.monitor: got val/acuracy; .*; did you mean val/accuracy\?$"):
        check_monitor(resolve(["trainer.monitor=val/acuracy"]).config)
    with pytest.raises(ConfigError, match=r"^trainer.monitor: got val/bias; choose one of auto"):
        check_monitor(resolve(["trainer.monitor=val/bias"]).config)
    for known in ("auto", "train/loss", "val/rmse", "val/top5_accuracy"):
        check_monitor(resolve([f"trainer.monitor={known}"]).config)
