"""Which settings decide numbers: all but where things lie, who is told and how trials share a program."""

import pytest

from dlexp.config.relevance import decides_numbers, relevant
from dlexp.config.resolve import resolve


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("optimizer.lr", True),
        ("model", True),
        ("seed", True),
        ("trainer.epochs", True),
        ("trainer.device", True),
        ("trainer.fuse", False),
        ("data.split_seed", True),
        ("data.root", False),
        ("data.path", False),
        ("data.download", False),
        ("model.root", True),
        ("tracking", False),
        ("tracking.uri", False),
        ("runs_dir", False),
        ("trusted", False),
    ],
)
def test_keys(key, expected):
    assert decides_numbers(key) is expected


def test_the_part_of_a_configuration_is_what_the_keys_say():
    config = resolve(["data=mnist"]).config
    left = relevant(config)
    assert "fuse" in config["trainer"]
    assert {"root", "download"} <= config["data"].keys()
    for group, node in config.items():
        if isinstance(node, dict):
            expected = {name: value for name, value in node.items() if decides_numbers(f"{group}.{name}")}
            assert left.get(group, {}) == expected
        else:
            assert (group in left) == decides_numbers(group)


def test_the_configuration_stays_as_it_is():
    config = resolve([]).config
    before = str(config)
    relevant(config)
    assert str(config) == before
