"""The settings of no group: their defaults are those of train.yaml, and what they allow."""

import pytest

from dlexp.config.resolve import resolve
from dlexp.config.root import Root, Seeds
from dlexp.config.signature import read
from dlexp.error import ConfigError


@pytest.mark.parametrize("kind", [Root, Seeds])
def test_defaults_are_what_the_file_states(kind):
    config = resolve([]).config
    node = config["seeds"] if kind is Seeds else config
    parameters = read(f"dlexp.config.root.{kind.__name__}").parameters
    assert {name: node[name] for name in parameters} == {name: p.default for name, p in parameters.items()}


@pytest.mark.parametrize(
    ("override", "words"),
    [
        ("seed=-1", "seed: got -1"),
        ("seed=1.5", "seed: got 1.5"),
        ("seeds.dropout=-3", "seeds.dropout: got -3"),
        ("task=ranking", "task: got ranking"),
        ("train_on=test", "train_on: got test"),
        ("trusted=my_package", "trusted: got"),
    ],
)
def test_what_is_not_allowed_is_refused_by_name(override, words):
    with pytest.raises(ConfigError) as error:
        resolve([override])
    assert str(error.value).startswith(words)


@pytest.mark.parametrize("override", ["seed=0", "seeds.order=7", "task=binary", "train_on=train+val"])
def test_what_is_allowed_is_taken(override):
    assert resolve([override]).overrides == [override]
