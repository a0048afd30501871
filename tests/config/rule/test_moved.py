"""`model.freeze` of earlier versions: read in what was stored, refused with its cure where it is typed."""

import pytest

from dlexp.config.resolve import resolve
from dlexp.config.rule.moved import config_now, overrides_now
from dlexp.error import ConfigError
from dlexp.run.config_file import read, text

NET = "dlexp.model.torchvision.TorchvisionNet"
OWN = {"model": {"_target_": "mine.Net", "freeze": 3}}


def stored(patterns):
    return {"model": {"_target_": NET, "name": "resnet18", "freeze": patterns}, "seed": 0}


def test_a_stored_configuration_says_it_as_the_group_does(tmp_path):
    (tmp_path / "config.yaml").write_text(text(stored(["layer*", "conv1.*"])))
    config = read(tmp_path / "config.yaml")
    assert config["model"] == {"_target_": NET, "name": "resnet18"}
    now = resolve(["model=torchvision", "freeze=[layer*,conv1.*]", "freeze.norm=false"]).config["freeze"]
    assert {**now, **config["freeze"]} == now
    assert "freeze" not in config_now(stored([]))


@pytest.mark.parametrize("config", [OWN, {}, {"model": "text"}, {"model": {"_target_": NET}}])
def test_others_are_left_alone(config):
    assert config_now(config) is config


def test_overrides_of_a_run_are_read_likewise():
    typed = ["model=torchvision", "model.freeze=[layer*]", "seed=1"]
    assert overrides_now(typed, lambda: stored([])) == [
        "model=torchvision",
        "freeze.layers=[layer*]",
        "freeze.norm=false",
        "seed=1",
    ]
    assert overrides_now(["model.freeze=[]"], lambda: stored([])) == []
    assert overrides_now(["model.freeze=3"], lambda: OWN) == ["model.freeze=3"]


@pytest.mark.parametrize("model", ["torchvision", "resnet"])
def test_typed_it_is_refused_with_its_cure(model):
    with pytest.raises(ConfigError, match=r"^unknown key model\.freeze; .* by freeze=\[PATTERN,\.\.\.\]"):
        resolve([f"model={model}", "model.freeze=[layer*]"])
