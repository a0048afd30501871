"""One training over two processes: the numbers of a single one, whatever the model and the rule.

Expected: the gradient of a batch is a sum over its examples, so that where they are computed changes rounding alone: in
float64 at most 1e-9 after some updates.
"""

import math

import pytest
import torch

from tests.engine.exchange.pair import train, train_together

CASES = {
    "adam, dropout, clip, average": [
        "norm=none",
        "dropout=inverted",
        "optimizer=adam",
        "trainer.grad_clip=0.5",
        "trainer.ema=0.9",
        "trainer.batch_size=31",
    ],
    "images, augmented, synced, accumulated": [
        "model=cnn",
        "model.widths=[4,4]",
        "norm=batch",
        "norm.sync=true",
        "norm.statistics=moving",
        "augment=flip_crop",
        "optimizer=nesterov",
        "trainer.accumulate=2",
        "trainer.batch_size=33",
        "dropout=classic",
    ],
    "weighted classes, exact statistics": [
        "loss=cross_entropy",
        "loss.class_weight=balanced",
        "norm.sync=true",
        "norm.statistics=exact",
        "norm.variance=biased",
        "schedule=plateau",
        "optimizer=rmsprop",
        "trainer.accumulate=3",
        "trainer.batch_size=10",
    ],
    "values": ["data=diabetes", "norm=layer", "regularizer=l1", "optimizer=adagrad", "trainer.batch_size=7"],
    "mixed": ["augment=mixup", "norm=none", "regularizer=max_norm", "optimizer=momentum", "trainer.batch_size=31"],
}


def assert_equal(single, shared):
    for alone, together in zip(single["epochs"], shared["epochs"], strict=True):
        assert alone.keys() == together.keys()
        assert {name: together[name] for name in alone} == pytest.approx(alone, rel=1e-9, abs=1e-9, nan_ok=True)
    for kind in ("weights", "state"):
        assert single[kind].keys() == shared[kind].keys()
        for name, value in single[kind].items():
            torch.testing.assert_close(shared[kind][name], value, rtol=1e-9, atol=1e-9)


def assert_same_bits(first, second):
    for name, value in first["weights"].items():
        assert torch.equal(second["weights"][name], value), name


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    cases = [*CASES.values(), APART]
    first, second = train_together(cases, tmp_path_factory.mktemp("pair"))
    return dict(zip([*CASES, "apart"], zip(first, second, strict=True), strict=True))


@pytest.mark.parametrize("name", CASES)
def test_two_processes_have_the_numbers_of_one(shared, name):
    first, second = shared[name]
    assert_same_bits(first, second)
    assert_equal(train(CASES[name]), first)


APART = ["norm=batch", "norm.statistics=moving", "trainer.batch_size=29", "data.limit=62"]  # a last batch of 1 + 2


def test_batch_norm_by_device_is_one_model_all_the_same(shared):
    first, second = shared["apart"]
    assert_same_bits(first, second)
    assert first["epochs"] == second["epochs"]
    assert math.isfinite(first["epochs"][-1]["train/loss"])
