"""Which trials share a program."""

import pytest

from dlexp.build.dataset import load_data
from dlexp.build.structure import structure_key
from dlexp.config.resolve import resolve


def key(*overrides: str, num_train: int = 1000) -> str:
    config = resolve(["tracking=none", *overrides]).config
    data = load_data(config)
    return structure_key(config, data.with_parts(data.train[:num_train], data.val))


@pytest.mark.parametrize(
    "override",
    ["optimizer.lr=0.5", "seed=3", "seeds.order=1", "init=zeros", "optimizer.weight_decay=0.1", "schedule.warmup=2"],
)
def test_values_do_not_part_trials(override):
    assert key(override) == key()


@pytest.mark.parametrize(
    "override",
    [
        *["model.widths=[64]", "trainer.batch_size=16", "optimizer=adam", "norm=layer", "trainer.precision=bf16"],
        *["trainer.epochs=5", "trainer.grad_clip=1", "augment=mixup", "data.limit=100", "activation=tanh"],
    ],
)
def test_structure_parts_trials(override):
    assert key(override) != key()


def test_optional_values_part_by_being_set_alone():
    assert key("trainer.grad_clip=1") == key("trainer.grad_clip=2")


def test_lists_of_values_part_by_their_length_alone():
    steps = [f"schedule.milestones={milestones}" for milestones in ("[1,2]", "[3,4]", "[5]")]
    first, second, shorter = (key("schedule=step", milestones) for milestones in steps)
    assert first == second != shorter


@pytest.mark.parametrize("override", ["optimizer.betas=[0.5,0.9]", "optimizer.eps=1e-3", "optimizer.weight_decay=0.1"])
def test_values_of_adam_do_not_part_trials(override):
    assert key("optimizer=adam", override) == key("optimizer=adam")


def test_the_number_of_updates_parts_folds():
    assert key(num_train=1000) == key(num_train=995)
    assert key(num_train=1000) != key(num_train=900)
