"""Composition: the choices by Hydra, the values on a copy, every failure one line."""

import pytest

from dlexp.config.catalog import conf_folder
from dlexp.config.compose import compose, flat_keys
from dlexp.config.resolve import resolve
from dlexp.error import ConfigError
from tests import option


def test_values_and_choices():
    composed = compose(["model=resnet", "model.depth=34", "optimizer={lr: 0.5}", "trainer.min_delta=${optimizer.lr}"])
    assert composed.config["model"]["depth"] == 34
    assert composed.config["optimizer"]["lr"] == 0.5
    assert composed.config["trainer"]["min_delta"] == 0.5
    assert composed.choices["model"] == "resnet"
    assert "hydra" not in composed.config
    assert not any(group.startswith("hydra") for group in composed.choices)
    assert [override.key for override in composed.changed] == [
        "model", "model.depth", "optimizer.lr", "trainer.min_delta",
    ]  # fmt: skip


def test_one_composition_does_not_change_the_next():
    compose(["model.widths=[1]", "++seed=5", "~trainer.ema"])
    plain = compose([])
    assert plain.config["model"]["widths"] == [128, 128]
    assert plain.config["seed"] == 0
    assert "ema" in plain.config["trainer"]


def test_a_model_brings_its_blocks_along_and_the_command_line_wins():
    assert compose(["model=vgg"]).choices["dropout"] == "inverted"
    assert compose(["model=vgg", "dropout=none"]).choices["dropout"] == "none"
    assert compose(["dropout=none", "model=vgg"]).choices["dropout"] == "none"


def test_a_list_of_options_becomes_steps():
    composed = compose(["augment=[flip_crop,{cutout: {size: 4}}]"])
    flip, cut = composed.config["augment"]["steps"]
    assert (flip["_target_"], flip["padding"]) == ("dlexp.augment.flip_crop.FlipCrop", 4)
    assert (cut["_target_"], cut["size"], cut["p"]) == ("dlexp.augment.cutout.Cutout", 4, 1.0)
    assert composed.choices["augment"] == "flip_crop,cutout"


@pytest.mark.parametrize("entry", ["flipcrop", "compose", "3", "{cutout: 3}", "{cutout: {}, blur: {}}", "[blur]"])
def test_a_list_with_anything_else_is_refused(entry):
    with pytest.raises(ConfigError, match=r"augment: got .* in a list; each entry is one of affine, blur, "):
        compose([f"augment=[blur,{entry}]"])


def test_missing_values_are_marked_for_the_check():
    assert compose(["data=arrays"]).config["data"]["path"] == "???"


MODELS = option.names("model")


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("modle=resnet", "unknown key modle; did you mean model?"),
        ("model=resnt", f"model: got resnt; choose one of {MODELS}; did you mean resnet?"),
        ("model=null", f"model: got null; choose one of {MODELS}"),
        ("model=3", f"model: got 3; choose one of {MODELS}"),
        ("model=", f"model: got ''; choose one of {MODELS}"),
        ("~model", "~model: not possible; choose model=option"),
        ("model/resnet=x", "model/resnet=x: not possible; choose model=option"),
        (
            "model.dpeth=18",
            f"unknown key model.dpeth; did you mean model.depth? model={option.having('model', 'depth')} has it",
        ),
        ("trainer.epoch=3", "unknown key trainer.epoch; did you mean trainer.epochs?"),
        ("optim.lr=3", "unknown key optim.lr; did you mean optimizer.lr?"),
        ("epochs=3", "unknown key epochs; did you mean trainer.epochs?"),
        ("zzz=3", "unknown key zzz; see `dlexp options`"),
        ("trainer.zzz=3", "unknown key trainer.zzz; see `dlexp options trainer`"),
        ("trainer.epochs.x=3", "unknown key trainer.epochs.x; did you mean trainer.epochs?"),
        ("~trainer.zzz", "unknown key trainer.zzz; see `dlexp options trainer`"),
        (
            "optimizer.momentum=0.9",
            "unknown key optimizer.momentum: it has no effect here; optimizer=momentum|nesterov has it",
        ),
        ("dropout.p=0.5", "unknown key dropout.p: it has no effect here; dropout=classic|inverted has it"),
        ("search=grid", "search: has no effect; `dlexp cv` and `dlexp sweep` read it"),
        ("search.trials=3", "search.trials: has no effect; `dlexp cv` and `dlexp sweep` read it"),
        ("+seed=3", "+seed=3: seed is there already; write seed=value without the +"),
        (
            "seed=1,2",
            "seed: got the sweep expression seed=1,2; use `dlexp sweep seed=1,2` to search, or `dlexp cv seed=1,2` to "
            "cross-validate each",
        ),
        (
            "optimizer.lr=tag(log,interval(1e-5,1e-1))",
            "optimizer.lr: got the sweep expression optimizer.lr=tag(log,interval(1e-5,1e-1)); "
            "use `dlexp sweep optimizer.lr='tag(log,interval(1e-5,1e-1))'` to search, or "
            "`dlexp cv optimizer.lr='tag(log,interval(1e-5,1e-1))'` to cross-validate each",
        ),
        (
            "model=mlp,cnn",
            "model: got the sweep expression model=mlp,cnn; use `dlexp sweep model=mlp,cnn` to search, or "
            "`dlexp cv model=mlp,cnn` to cross-validate each",
        ),
        ("seed=${nothing}", "seed: Interpolation key 'nothing' not found"),
        ("seed=${seed}", "seed: Recursive interpolation detected"),
        ("seed=${oc.env:NO_SUCH_NAME}", "seed: Environment variable 'NO_SUCH_NAME' not found"),
    ],
)
def test_refusals(override, message):
    with pytest.raises(ConfigError) as caught:
        compose([override])
    assert str(caught.value) == message


def test_flat_keys():
    assert flat_keys({"a": {"b": 1, "c": {"d": 2}}, "e": [1]}) == ["a", "a.b", "a.c", "a.c.d", "e"]


@pytest.fixture
def experiments(tmp_path):
    (tmp_path / "experiment").mkdir()
    (tmp_path / "experiment" / "e1.yaml").write_text(
        "# @package _global_\ndefaults:\n  - override /optimizer: adamw\n  - override /model: softmax\n"
        "trainer:\n  epochs: 2\nseed: 4\n"
    )
    (tmp_path / "experiment" / "typo.yaml").write_text("# @package _global_\ntrainer:\n  epoch: 2\n")
    (tmp_path / "experiment" / "local.yaml").write_text("epochs: 2\n")
    return tmp_path


@pytest.mark.parametrize("mark", ["", "+"])
def test_an_experiment_sets_keys_of_all_groups_and_the_command_line_comes_after_it(experiments, mark):
    composed = resolve([f"{mark}experiment=e1", "seed=5", "model=mlp"], experiments)
    assert composed.config["optimizer"]["_target_"] == "dlexp.optimizer.adamw.AdamW"
    assert composed.config["model"]["_target_"] == "dlexp.model.mlp.MLP"
    assert (composed.config["trainer"]["epochs"], composed.config["seed"]) == (2, 5)
    assert (composed.choices["experiment"], composed.choices["optimizer"]) == ("e1", "adamw")
    assert "experiment" not in composed.config


def test_an_experiments_mistakes_are_told(experiments):
    with pytest.raises(ConfigError, match=r"unknown key trainer\.epoch; did you mean trainer\.epochs\?"):
        resolve(["experiment=typo"], experiments)
    with pytest.raises(ConfigError, match="experiment: has no effect; no command reads it"):
        resolve(["experiment=local"], experiments)
    with pytest.raises(
        ConfigError, match=r"experiment: got e2; choose one of architectures, .*e1, .*, local, .*, typo, "
    ):
        resolve(["experiment=e2"], experiments)


def test_a_users_train_yaml_comes_before_the_shipped_one(tmp_path):
    shipped = (conf_folder() / "train.yaml").read_text()
    (tmp_path / "train.yaml").write_text(
        shipped.replace("optimizer: sgd", "optimizer: adam").replace("seed: 0", "seed: 9")
    )
    composed = resolve([], tmp_path)
    assert (composed.choices["optimizer"], composed.config["seed"]) == ("adam", 9)
    assert resolve([], tmp_path, job="sweep").choices["optimizer"] == "adam"


@pytest.mark.parametrize("job", ["train", "sweep", "cv"])
@pytest.mark.parametrize(
    ("content", "got"),
    [
        ("trainer: {epochs: 5}\n", "got no data, normalize, "),
        ("defaults: [{model: mlp}, _self_]\nseed: 9\n", "got no data, normalize, "),
        ("defaults: [train, _self_]\ntrainer: {epochs: 5}\n", "got itself in its defaults list"),
    ],
)
def test_a_train_yaml_that_does_not_stand_for_the_whole_is_refused_with_the_cure(tmp_path, job, content, got):
    (tmp_path / "train.yaml").write_text(content)
    with pytest.raises(ConfigError) as error:
        resolve([], tmp_path, job=job)
    message = str(error.value)
    assert message.startswith(f"{tmp_path / 'train.yaml'}: {got}")
    assert message.endswith("below `# @package _global_` and choose experiment=NAME")
    (tmp_path / "train.yaml").unlink()
    (tmp_path / "experiment").mkdir()
    (tmp_path / "experiment" / "mine.yaml").write_text("# @package _global_\ntrainer: {epochs: 5}\n")
    assert resolve(["experiment=mine"], tmp_path, job=job).config["trainer"]["epochs"] == 5


def test_a_sweep_yaml_of_ones_stands_for_the_whole_too(tmp_path):
    (tmp_path / "sweep.yaml").write_text("defaults: [train, _self_]\nseed: 4\n")
    with pytest.raises(ConfigError, match=r"sweep\.yaml: got no search, launcher in its defaults list"):
        resolve([], tmp_path, job="sweep")
    assert resolve([], tmp_path).config["seed"] == 0


@pytest.mark.parametrize(
    ("job", "group"), [("train", "model"), ("train", "optimizer"), ("train", "data"), ("sweep", "search"), ("cv", "cv")]
)
def test_a_group_that_a_defaults_list_overrides_with_nothing_is_one_line(tmp_path, job, group):
    (tmp_path / "experiment").mkdir()
    text = f"# @package _global_\ndefaults:\n  - override /{group}: null\n  - _self_\n"
    (tmp_path / "experiment" / "mine.yaml").write_text(text)
    with pytest.raises(ConfigError, match=rf"^{group}: got null in a defaults list; choose one of \w+"):
        compose(["experiment=mine"], config_dir=tmp_path, job=job)
