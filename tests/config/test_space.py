"""Search spaces: what exists where, what is refused before any trial, and the configuration of a setting."""

import pytest

from dlexp.config.resolve import resolve
from dlexp.config.space import combinations, read_space
from dlexp.error import ConfigError

BOTH = ["optimizer=sgd,momentum", "optimizer.momentum=interval(0.5,0.99)"]


def test_a_dimension_of_one_option_exists_for_that_option():
    space, _ = read_space([*BOTH, "optimizer.lr=0.1,0.2", "search=random"])
    keys = {option: [d.key for d in space.active({"optimizer": option})] for option in ("sgd", "momentum")}
    assert keys["sgd"] == ["optimizer", "optimizer.lr"]
    assert sorted(keys["momentum"]) == ["optimizer", "optimizer.lr", "optimizer.momentum"]
    assert "momentum" not in space.compose({"optimizer": "sgd", "optimizer.lr": 0.1}).config["optimizer"]


def test_a_fixed_key_of_one_option_holds_for_that_option():
    space, _ = read_space(["model=mlp,softmax", "model.widths=[32]", "optimizer.lr=0.1,1"])
    assert space.compose({"model": "mlp", "optimizer.lr": 1.0}).config["model"]["widths"] == [32]
    softmax = space.compose({"model": "softmax", "optimizer.lr": 1.0})
    assert "model.widths=[32]" not in softmax.overrides


def test_a_setting_has_the_configuration_that_train_would_compose():
    space, _ = read_space(
        ["model=mlp,softmax", "optimizer.lr=tag(log,interval(1e-5,1))", "trainer.epochs=3", "seed=0,7", "search=random"]
    )
    assert space.seeds == [0, 7]
    composed = space.compose({"model": "mlp", "optimizer.lr": 0.125}, seed=7)
    alone = resolve(composed.overrides)
    assert alone.config == composed.config
    assert alone.choices == composed.choices
    assert composed.overrides == ["trainer.epochs=3", "trainer.threads=1", "model=mlp", "optimizer.lr=0.125", "seed=7"]


def test_options_multiply():
    space, _ = read_space(["model=mlp,cnn", "activation=relu,tanh,gelu", "optimizer.lr=1,2"])
    assert len(list(combinations(space))) == 6


def test_a_block_exists_for_the_models_that_use_it():
    space, _ = read_space(
        ["model=mlp,softmax", "activation=relu,tanh", "norm=none", "dropout=none,inverted", "dropout.p=0.1,0.2"]
    )
    choices = list(combinations(space))
    assert {"model": "softmax"} in choices
    assert len(choices) == 1 + 2 * 2
    assert "norm=none" not in space.compose({"model": "softmax"}).overrides
    inner = {"model": "mlp", "activation": "relu", "dropout": "inverted"}
    assert [d.key for d in space.active(inner)] == ["model", "activation", "dropout", "dropout.p"]


def test_values_take_the_parameter_s_type_and_limits():
    space, _ = read_space(
        ["optimizer.lr=1,2", "optimizer=momentum", "optimizer.momentum=interval(0.5,0.9)", "search=tpe"]
    )
    lr, momentum = sorted(space.dimensions, key=lambda d: d.key)
    assert all(isinstance(value, float) for value in lr.values or [])
    assert momentum.limits[0] == 0
    assert 0.99 < momentum.limits[1] < 1


def test_a_space_in_the_configuration():
    space, _ = read_space(
        ["search.space={optimizer.lr: 'tag(log,interval(1e-5,1))'}", "search=random", "model=mlp,softmax"]
    )
    assert {d.key for d in space.dimensions} == {"optimizer.lr", "model"}
    with pytest.raises(ConfigError, match="a sweep expression"):
        read_space(["search.space={optimizer.lr: 0.1}"])


@pytest.mark.parametrize(
    ("overrides", "reason"),
    [
        (["optimizer.lr=0.1"], "nothing to search"),
        (["optimizer.lr=interval(0,1)"], "a number > 0"),
        (["optimizer.lr=abc,def"], "a number > 0"),
        (["trainer.batch_size=interval(16,64)"], r"write trainer.batch_size='int\(interval\(16,64\)\)'"),
        (["model.dpeth=1,2"], "did you mean"),
        (["model=mlp,nope"], "choose one of"),
        (["model=interval(0,1)"], "options are listed"),
        (["model=resnet", "model.depth=18,51"], "choose one of"),
        (["dropout.p=0.1,0.2"], "no effect"),
        (["optimizer=sgd,adam", "optimizer.momentum=0.1,0.2"], "no effect"),
        (["model=softmax", "activation=relu,tanh"], "uses no activation"),
        (["seed=interval(0,3)"], "seeds are listed"),
        (["seed=-1,2"], "an integer >= 0"),
        (["search=random,grid"], "cannot be searched"),
        (["tracking=mlflow,none"], "cannot be searched"),
        (["optimizer.lr=1,2", "search.trials=0"], "search.trials"),
        (["optimizer.lr=1,2", "search=gird"], "did you mean grid"),
    ],
)
def test_refused_before_any_trial(overrides, reason):
    with pytest.raises(ConfigError, match=reason):
        read_space(overrides)


@pytest.mark.parametrize(
    "value", [None, True, 0.1, 1e-05, [1, [2.5]], {"a": 1}, "relu", "a b", "it's", "x=1,2", "1e-3"]
)
def test_values_survive_as_overrides(value):
    from dlexp.config.override import parse
    from dlexp.config.wording import yaml_value

    assert parse([f"key={yaml_value(value)}"])[0].value == value


@pytest.mark.parametrize(
    ("overrides", "settings", "seed", "trainer", "expected"),
    [
        (
            ["optimizer=adamw", "optimizer.lr=0.1,0.01", "optimizer.weight_decay=${optimizer.lr}"],
            {"optimizer.lr": 0.01},
            None,
            {},
            {"optimizer.weight_decay": 0.01},
        ),
        (["seed=1,2", "optimizer.lr=0.1,0.2", "seeds.init=${seed}"], {"optimizer.lr": 0.1}, 2, {}, {"seeds.init": 2}),
        (
            ["optimizer.lr=0.1,0.2", "schedule=step", "schedule.step_size=${trainer.epochs}"],
            {"optimizer.lr": 0.1},
            None,
            {"epochs": 7},
            {"schedule.step_size": 7, "trainer.epochs": 7},
        ),
        (
            [
                "optimizer=adamw",
                "optimizer.lr=0.1,0.2",
                "optimizer.weight_decay=0,0.5",
                "regularizer=l2",
                "regularizer.weight=${optimizer.weight_decay}",
            ],
            {"optimizer.lr": 0.1, "optimizer.weight_decay": 0.5},
            None,
            {},
            {"regularizer.weight": 0.5},
        ),
    ],
)
def test_what_refers_to_another_value_follows_it_in_each_setting(overrides, settings, seed, trainer, expected):
    space, _ = read_space(overrides)
    config = space.compose(settings, seed, **trainer).config
    for key, value in expected.items():
        group, _, name = key.partition(".")
        assert config[group][name] == value, key


def test_a_reference_of_a_users_file_is_resolved_in_each_setting_too(tmp_path):
    (tmp_path / "optimizer").mkdir()
    (tmp_path / "optimizer" / "tied.yaml").write_text(
        "_target_: dlexp.optimizer.adamw.AdamW\nlr: 0.1\nweight_decay: ${optimizer.lr}\n"
    )
    space, _ = read_space(["optimizer=tied", "optimizer.lr=0.1,0.02"], tmp_path)
    assert space.compose({"optimizer.lr": 0.02}).config["optimizer"]["weight_decay"] == 0.02


@pytest.mark.parametrize("job", ["sweep", "cv"])
@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (
            ["optimizer=sgd,momentum", "optimizer.lrr=0.5"],
            "unknown key optimizer.lrr: none of optimizer=sgd,momentum has it; did you mean optimizer.lr?",
        ),
        (
            ["optimizer=sgd,adam", "optimizer.momentum=0.5"],
            "unknown key optimizer.momentum: none of optimizer=sgd,adam",
        ),
        (["activation=relu,tanh", "activation.slpe=2"], "unknown key activation.slpe: none of activation=relu,tanh"),
    ],
)
def test_a_fixed_key_that_no_option_has_is_refused(overrides, message, job):
    with pytest.raises(ConfigError) as caught:
        read_space(overrides, job=job)
    assert str(caught.value).startswith(message)


def test_a_fixed_key_that_some_options_have_is_used_with_those():
    space, _ = read_space(["optimizer=sgd,momentum", "optimizer.momentum=0.5"])
    assert space.compose({"optimizer": "momentum"}).config["optimizer"]["momentum"] == 0.5
    assert "momentum" not in space.compose({"optimizer": "sgd"}).config["optimizer"]


def test_a_listed_value_may_refer_to_the_seed_of_its_trial():
    space, composed = read_space(["model.widths=[${seed}]", "seed=3,4"])
    assert [space.compose({}, seed).config["model"]["widths"] for seed in space.seeds] == [[3], [4]]
    assert "seed" not in {override.key for override in composed.changed}


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        ("model.widths=[4],[4,${seed}] seed=3", "a value that is listed to be searched refers to nothing"),
        ("model.widths=64,64,32", "; for one list write 'model.widths=[64,64,32]'"),
        ("optimizer=sgd,momentum +optimizer.momentum=0.5", "write optimizer.momentum=value without the +"),
        ("optimizer.lr=0.1,0.1", "optimizer.lr: got 0.1,0.1; 0.1 is there twice; remove one"),
        ("data=csv data.path=absent,y.csv data.target=y", "absent is absent; type "),
    ],
)
def test_what_cannot_be_searched_is_refused_with_the_cure(overrides, message):
    with pytest.raises(ConfigError) as caught:
        read_space(overrides.split(" "))
    assert message in str(caught.value)
