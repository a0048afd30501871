"""What an experiment's file searches is searched as if it had been typed."""

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


def test_an_experiment_that_there_is_not_is_named(conf):
    with pytest.raises(ConfigError, match=r"experiment: got mien; choose one of .*; did you mean mine\?"):
        with_searched(["+experiment=mien"], conf)


@pytest.mark.parametrize("words", ["defaults:\n  - override /search: random\n", "search: {trials: 3}\n"])
def test_what_an_experiment_says_of_the_search_does_not_hinder_one_training_run(conf, words):
    (conf / "experiment" / "random.yaml").write_text(
        f"# @package _global_\n{words}trainer: {{epochs: 2}}\n"
        "hydra: {sweeper: {params: {optimizer.lr: '0.01,0.02'}}}\n"
    )
    space, composed = read_space(with_searched(["+experiment=random"], conf), conf)
    assert composed.choices["search"] == ("random" if "random" in words else "grid")
    trial = space.compose({"optimizer.lr": 0.01})
    alone = resolve(trial.overrides, conf)  # as the command that is printed for the winner
    assert alone.config == trial.config
    assert not {"search", "launcher", "cv"} & {*alone.config, *alone.choices}


def test_hydra_s_line_stands_first(conf):
    (conf / "experiment" / "late.yaml").write_text("# Mine.\n# @package _global_\ntrainer: {epochs: 2}\n")
    with pytest.raises(
        ConfigError, match=r"late\.yaml: got `# @package _global_` below another line; Hydra reads it in"
    ):
        with_searched(["+experiment=late"], conf)
