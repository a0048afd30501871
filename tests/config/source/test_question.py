"""What an experiment's file searches is searched as if it had been typed."""

from pathlib import Path

import pytest

from dlexp.config.resolve import resolve
from dlexp.config.source.question import searched_keys, with_searched
from dlexp.config.space import read_space
from dlexp.error import ConfigError

MINE = """# @package _global_
# Mine.
defaults:
  - override /optimizer: adam
trainer: {epochs: 2}
hydra:
  sweeper:
    params:
      optimizer.lr: 0.01,0.1
      norm: batch,none
"""


@pytest.fixture
def conf(tmp_path):
    (tmp_path / "experiment").mkdir()
    (tmp_path / "experiment" / "mine.yaml").write_text(MINE)
    return tmp_path


@pytest.mark.parametrize("choice", ["experiment=mine", "+experiment=mine"])
def test_the_dimensions_are_those_of_the_file(conf, choice):
    space, composed = read_space(with_searched([choice], conf), conf)
    assert {d.key: d.values for d in space.dimensions} == {"optimizer.lr": [0.01, 0.1], "norm": ["batch", "none"]}
    assert composed.config["trainer"]["epochs"] == 2
    assert composed.config["optimizer"]["_target_"] == "dlexp.optimizer.adam.Adam"
    assert "hydra" not in composed.config


def test_what_is_typed_comes_in_place_of_what_the_file_searches(conf):
    texts = ["+experiment=mine", "optimizer.lr=0.5", "trainer.epochs=3"]
    assert with_searched(texts, conf) == [*texts, "norm=batch,none"]
    once = with_searched(["+experiment=mine"], conf)
    assert with_searched(once, conf) == once


def test_an_experiment_that_inherits_another_searches_what_both_do(conf):
    (conf / "experiment" / "more.yaml").write_text(
        "# @package _global_\ndefaults: [mine, _self_]\n"
        "hydra: {sweeper: {params: {optimizer.lr: '1,2', seed: '0,1'}}}\n"
    )
    assert searched_keys(["+experiment=more"], conf) == {"optimizer.lr": "1,2", "norm": "batch,none", "seed": "0,1"}


def test_a_training_run_takes_the_file_without_its_search(conf):
    composed = resolve(["+experiment=mine"], conf)
    assert (composed.config["trainer"]["epochs"], composed.config["optimizer"]["lr"]) == (2, 0.001)
    assert "hydra" not in composed.config


@pytest.mark.parametrize("value", ["0.1", "[0.1, 0.2]", "null", "{a: 1}"])
def test_one_value_is_no_search(conf, value):
    (conf / "experiment" / "flat.yaml").write_text(
        f"# @package _global_\nhydra:\n  sweeper:\n    params:\n      optimizer.lr: {value}\n"
    )
    with pytest.raises(ConfigError, match=r"flat\.yaml: got .* for optimizer\.lr in hydra\.sweeper\.params; a sweep"):
        with_searched(["+experiment=flat"], conf)


def test_without_an_experiment_nothing_is_added():
    texts = ["optimizer.lr=0.1,1", "model=cnn"]
    assert with_searched(texts) == texts
    assert with_searched(["experiment=absent"], Path()) == ["experiment=absent"]  # the search itself says so
