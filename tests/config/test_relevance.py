"""Which settings decide numbers: all but where things lie, who is told and how trials share a program."""

import pytest

from dlexp.config.relevance import relevant, tells_runs_apart
from dlexp.config.resolve import resolve


def test_where_data_lie_who_is_told_and_how_trials_share_a_program_decide_nothing():
    config = resolve(["data=mnist"]).config
    left = relevant(config)
    assert "fuse" in config["trainer"]
    assert {"root", "download"} <= config["data"].keys()
    gone = {f"{group}.{name}" for group in left if isinstance(left[group], dict) for name in config[group]} - {
        f"{group}.{name}" for group in left if isinstance(left[group], dict) for name in left[group]
    }
    assert gone == {"trainer.fuse", "trainer.diagnose", "trainer.baseline", "data.root", "data.download"}
    assert set(config) - set(left) == {"tracking", "runs_dir", "trusted"}


def test_the_configuration_stays_as_it_is():
    config = resolve([]).config
    before = str(config)
    relevant(config)
    assert str(config) == before


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("optimizer.lr", True),
        ("model", True),
        ("data.path", True),
        ("data.root", False),
        ("data.download", False),
        ("tracking.uri", False),
        ("runs_dir", False),
        ("trusted", False),
    ],
)
def test_what_belongs_in_the_name_of_a_run(key, expected):
    assert tells_runs_apart(key) is expected
