"""Groups and options are the folders and files of conf/ and of the user's folder."""

import pytest

from dlexp.config import catalog
from dlexp.error import ConfigError


@pytest.fixture
def config_dir(tmp_path):
    for name, text in {
        "model/mynet.yaml": "_target_: my.Net\nsize: 3\n",
        "model/mlp.yaml": "_target_: my.MLP\n",
        "model/_part.yaml": "defaults: [_self_]\ndepth: 1\nsize: 1\n",
        "model/both.yaml": "defaults: [_part, _self_, override /norm@_global_.norm: layer]\nsize: 2\n",
        "flavour/sweet.yaml": "{}\n",
        ".hidden/x.yaml": "{}\n",
    }.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def test_groups_of_the_package():
    groups = catalog.list_groups()
    assert {"resnet", "mlp", "vgg"} <= set(groups["model"])
    assert groups["norm"] == ["batch", "group", "instance", "layer", "none"]
    assert not any(option.startswith("_") for options in groups.values() for option in options)


def test_a_users_folder_adds_options_and_groups(config_dir):
    groups, shipped = catalog.list_groups(config_dir), catalog.list_groups()
    assert set(groups["model"]) == {*shipped["model"], "mynet", "both"}
    assert groups["flavour"] == ["sweet"]
    assert set(groups) == {*shipped, "flavour"}


def test_a_shipped_file_comes_before_a_users_of_the_same_name_as_in_hydra(config_dir):
    assert catalog.read_option("model", "mlp", config_dir)["_target_"] == "dlexp.model.mlp.MLP"
    assert catalog.read_option("model", "mynet", config_dir) == {"_target_": "my.Net", "size": 3}


def test_underscore_files_are_merged_below_the_options_own_keys(config_dir):
    assert catalog.read_option("model", "both", config_dir) == {"depth": 1, "size": 2}
    assert {"val_fraction", "test_fraction", "path"} <= set(catalog.read_option("data", "arrays"))


def test_what_an_option_brings_along(config_dir):
    assert catalog.implied_choices("model", "both", config_dir) == {"norm": "layer"}
    assert catalog.implied_choices("model", "vgg")["dropout"] == "inverted"
    assert catalog.implied_choices("model", "mlp") == {}


def test_shipped_targets():
    assert catalog.shipped_targets("norm") == {
        f"dlexp.norm.{name}" for name in ("BatchNorm", "GroupNorm", "InstanceNorm", "LayerNorm", "NoNorm")
    }
    assert catalog.shipped_targets("flavour") == frozenset()


def test_an_unknown_option_is_an_error():
    with pytest.raises(ConfigError, match=r"model: got nope; no file model/nope\.yaml was found"):
        catalog.read_option("model", "nope")
