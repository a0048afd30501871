"""Resolving a configuration, and its YAML."""

import pytest
import yaml

from dlexp.config.resolve import resolve, to_yaml
from dlexp.error import ConfigError


def test_yaml_gives_the_configuration_back_in_its_own_order():
    config = resolve(["model.widths=[8,4]", "trainer.ema=0.9", "data.limit=null"]).config
    assert yaml.safe_load(to_yaml(config)) == config
    assert list(yaml.safe_load(to_yaml(config))) == list(config)


def test_every_value_is_stated_and_checked():
    config = resolve(["optimizer.lr=1"]).config
    assert config["optimizer"]["lr"] == 1.0
    assert {"data", "model", "optimizer", "schedule", "trainer", "seed", "runs_dir"} <= config.keys()
    with pytest.raises(ConfigError, match=r"optimizer\.lr: got fast"):
        resolve(["optimizer.lr=fast"])
