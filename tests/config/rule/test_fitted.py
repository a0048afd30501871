"""What a model without gradients does not read is refused, or left out beside models that do."""

import pytest

from dlexp.config.catalog import list_groups, read_option
from dlexp.config.resolve import resolve
from dlexp.config.rule.fitted import READ_OF_TRAINER, SETTLED, UNREAD, is_fitted
from dlexp.config.space import read_space
from dlexp.error import ConfigError

MODELS = ["knn", "majority"]
READ = ["data", "model", "normalize", "tracking", "trainer", "cv", "search", "launcher", "experiment"]
WHY = "is fitted in one step, on the CPU, and does not learn by gradients"


def test_of_every_group_it_is_said_whether_it_is_read():
    blocks_of_train = {"freeze", "init_from", "seeds"}  # no groups: they have no options of their own
    assert {*READ, *UNREAD, "activation", "norm", "dropout"} == {*list_groups(), *blocks_of_train}
    assert {*READ_OF_TRAINER, *SETTLED} < read_option("trainer", "default").keys()


@pytest.mark.parametrize("model", MODELS)
def test_its_class_says_what_it_is(model):
    assert is_fitted(read_option("model", model)["_target_"])
    assert not is_fitted(read_option("model", "softmax")["_target_"])


SETTINGS = {name: value for name, value in read_option("trainer", "default").items() if value is not None}
OVERRIDES = [
    *("optimizer=adam", "optimizer.lr=0.1", "schedule=cosine", "augment=flip_crop", "init=zeros"),
    *("loss=cross_entropy", "regularizer=l2", "seeds.order=1", "init_from.run=last", "freeze.layers=[output]"),
    *(f"trainer.{name}={value}" for name, value in SETTINGS.items() if name not in ("_target_", *READ_OF_TRAINER)),
]


@pytest.mark.parametrize("override", OVERRIDES)
def test_what_says_how_a_network_learns_is_refused(override):
    with pytest.raises(ConfigError) as caught:
        resolve(["model=knn", override])
    assert str(caught.value) == f"{override.partition('=')[0]}: has no effect; model=knn {WHY}"


@pytest.mark.parametrize("model", MODELS)
def test_a_block_is_refused_as_of_any_model(model):
    with pytest.raises(ConfigError, match=f"^norm: has no effect; model={model} uses no norm$"):
        resolve([f"model={model}", "norm=batch"])


def test_what_is_read_is_taken_and_the_rest_is_settled():
    words = ["model=knn", "seed=3", "trainer.precision=fp64", "trainer.threads=2", "trainer.baseline=off"]
    config = resolve([*words, "trainer.monitor=val/loss", "data.limit=100", "normalize=minmax"]).config
    assert {name: config["trainer"][name] for name in SETTLED} == SETTLED
    assert (config["seed"], config["trainer"]["threads"]) == (3, 2)


@pytest.mark.parametrize("dimension", ["optimizer.lr=0.1,1.0", "trainer.epochs=2,3", "activation=relu,tanh"])
def test_beside_other_models_it_is_no_dimension(dimension):
    space, _ = read_space(["model=knn,mlp", "model.k=1,3", dimension, "trainer.batch_size=16"])
    key = dimension.partition("=")[0]
    assert {d.key for d in space.active({"model": "knn"})} == {"model", "model.k"}
    assert {d.key for d in space.active({"model": "mlp"})} == {"model", key}
    trainer = space.compose({"model": "knn", "model.k": 3}).config["trainer"]
    assert (trainer["epochs"], trainer["batch_size"]) == (1, 32)
    assert space.base({"model": "mlp"}).config["trainer"]["batch_size"] == 16
