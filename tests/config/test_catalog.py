"""Groups and options are the folders and files of conf/ and of the user's folder."""

import pytest
import yaml
from omegaconf import OmegaConf

from dlexp.config import catalog
from dlexp.config.compose import compose
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


def test_a_users_file_comes_before_the_shipped_one_of_the_same_name(config_dir):
    assert catalog.read_option("model", "mlp", config_dir)["_target_"] == "my.MLP"
    assert catalog.replaced_files(config_dir) == ["model/mlp.yaml"]
    assert catalog.read_option("model", "mynet", config_dir) == {"_target_": "my.Net", "size": 3}


@pytest.mark.parametrize(
    ("defaults", "expected"),
    [
        ("[sgd]", {"lr": 9.0, "weight_decay": 0.0}),
        ("[sgd, _self_]", {"lr": 9.0, "weight_decay": 0.0}),
        ("[_self_, sgd]", {"lr": 0.1, "weight_decay": 0.0}),
        ("[heir, _self_]", {"lr": 9.0, "weight_decay": 0.0}),
        ("[_self_, heir]", {"lr": 7.0, "weight_decay": 0.0}),
    ],
)
def test_an_option_inherits_from_another_as_in_hydra(tmp_path, defaults, expected):
    (tmp_path / "optimizer").mkdir()
    (tmp_path / "optimizer" / "heir.yaml").write_text("defaults: [sgd, _self_]\nlr: 7e0\n")
    (tmp_path / "optimizer" / "mine.yaml").write_text(f"defaults: {defaults}\nlr: 9e0\n")
    read = catalog.read_option("optimizer", "mine", tmp_path)
    assert {name: read[name] for name in expected} == expected
    assert read["_target_"] == "dlexp.optimizer.sgd.SGD"
    composed = compose(["optimizer=mine"], config_dir=tmp_path)
    assert {name: composed.config["optimizer"][name] for name in expected} == expected


def test_an_option_that_inherits_from_itself_is_refused(tmp_path):
    (tmp_path / "optimizer").mkdir()
    (tmp_path / "optimizer" / "sgd.yaml").write_text("defaults: [sgd, _self_]\nlr: 9\n")
    with pytest.raises(ConfigError, match=r"sgd\.yaml: inherits from itself by its defaults list"):
        catalog.read_option("optimizer", "sgd", tmp_path)


def test_a_file_that_ends_in_yml_is_told(tmp_path):
    (tmp_path / "optimizer").mkdir()
    path = tmp_path / "optimizer" / "mine.yml"
    path.write_text("lr: 1\n")
    assert catalog.misnamed_files(tmp_path) == [path]
    with pytest.raises(ConfigError) as caught:
        compose(["optimizer=mine"], config_dir=tmp_path)
    assert str(caught.value) == f"optimizer: got mine, which is {path}; rename it to mine.yaml"


@pytest.mark.parametrize("text", ["1e-3", "1.0e-3", "-2E+5", ".5e+1", "7e0"])
def test_numbers_with_exponents_are_numbers_in_lists_too(tmp_path, text):
    (tmp_path / "augment").mkdir()
    (tmp_path / "augment" / "mine.yaml").write_text(f"a: [{text}, 1]\nb: 'x1e5'\n")
    assert catalog.read_option("augment", "mine", tmp_path) == {"a": [float(text), 1], "b": "x1e5"}


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


SCALARS = ["1e-3", "1.0e-3", "1e5abc", "1.0e-5 1", "2e", "1e5.5", "1_0e2", "+.5e-3", "-1e-3x", "1e+5", "2020-99-99"]
SCALARS += ["2020-01-02", "2001-12-14t21:59:43.10-05:00", "190:20:30", "0x1F", "0b2", "1.5.2"]
SCALARS += [".inf", ".nan", "~", "on", "1_0.5e1", ".5e3", ".5e-3", "1.e2", "e5"]


@pytest.mark.parametrize("text", SCALARS)
def test_scalars_are_what_omegaconf_reads(text):
    expected = OmegaConf.select(OmegaConf.create(f"key: {text}"), "key")
    seen = yaml.load(f"key: {text}", catalog.Loader)["key"]
    assert type(seen) is type(expected)
    assert repr(seen) == repr(expected)
