"""Settings that would be ranked by different examples or different choices of epochs are refused, with the cure."""

import pytest

from dlexp.config.space import read_space
from dlexp.error import ConfigError
from dlexp.job.sweep.comparable import left_out
from dlexp.job.sweep.spec import on_device, prepare
from dlexp.launcher.local import Local
from dlexp.launcher.ray import Ray

BASE = ["data=wine", "tracking=none", "trainer.threads=1", "model.widths=[8]"]
LR = "optimizer.lr=0.1,1"


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (
            ["data.split_seed=0,1,2"],
            r"data.split_seed: got 0,1,2; .* different examples.* data.split_seed='\$\{seed\}'",
        ),
        (["data.val_fraction=0.1,0.2"], "data.val_fraction: got 0.1,0.2; .* different examples"),
        (["data.val_count=int(interval(10,20))", "search=random"], "data.val_count: got int"),
        (["data=iris,wine"], "data: got iris,wine; .* run dlexp sweep for each"),
        ([LR, "data.test_fraction=0.1,0.2"], "data.test_fraction: got 0.1,0.2"),
        (["trainer.monitor=val/loss,val/accuracy"], "trainer.monitor: got .*; a sweep ranks by one metric"),
        (
            [LR, "trainer.monitor=val/loss", "search.metric=val/accuracy"],
            "trainer.monitor: got val/loss; search.metric",
        ),
        (
            ["loss=cross_entropy,hinge", "search.metric=val/loss"],
            "search.metric: got val/loss; each setting of loss has a loss of its own: search.metric=val/log_loss is",
        ),
        (
            ["loss=cross_entropy", "loss.label_smoothing=0,0.1", "trainer.monitor=val/loss"],
            "trainer.monitor: got val/loss; each setting of loss.label_smoothing has .*: search.metric=val/log_loss",
        ),
        (
            ["data=diabetes", "loss=mse,mae", "search.metric=train/loss"],
            "search.metric: got train/loss; each setting of loss has .*: search.metric=val/rmse",
        ),
        ([LR, "search=coarse_to_fine", "search.epochs=[1,2,3]", "trainer.epochs=4"], "trainer.epochs: has no effect"),
        (["search=hyperband", "trainer.epochs=2,4"], "trainer.epochs: got 2,4; search=hyperband decides"),
    ],
)
def test_refused(overrides, message):
    base = [text for text in BASE if not any(o.partition("=")[0] == text.partition("=")[0] for o in overrides)]
    with pytest.raises(ConfigError, match=message):
        prepare([*base, *overrides])


@pytest.mark.parametrize(
    "overrides",
    [
        ["data.limit=50,100"],  # fewer examples to train on, the same to validate on
        [LR, "seed=0,1", "data.split_seed='${seed}'"],  # every setting over the same splits
        [LR, "trainer.monitor=val/loss"],
        [LR, "trainer.monitor=val/loss", "search.metric=val/loss"],
        [LR, "search=hyperband", "trainer.epochs=4"],
    ],
)
def test_accepted(overrides):
    prepare([*BASE, *overrides])


def test_a_trial_s_id_has_the_device_that_auto_comes_down_to(monkeypatch):
    automatic, named = (prepare([*BASE, LR, f"trainer.device={device}"]) for device in ("auto", "cpu"))
    assert automatic.key == named.key
    (proposal, *_) = next(automatic.rounds()).proposals
    assert automatic.trials(proposal, 1)[0].id == named.trials(proposal, 1)[0].id
    config = {"trainer": {"device": "auto", "epochs": 3}}
    assert on_device(config, Local()) == {"trainer": {"device": "cpu", "epochs": 3}}
    assert on_device(config, Ray(gpus_per_worker=1)) == {"trainer": {"device": "cuda", "epochs": 3}}


def test_a_trial_s_id_has_the_threads_that_null_comes_down_to_and_the_sweep_s_key_has_not(monkeypatch):
    made = {}
    for count in (2, 3):
        monkeypatch.setattr("dlexp.device.TORCH_THREADS", count)
        spec = prepare([*(text for text in BASE if "threads" not in text), LR, "trainer.threads=null"])
        (proposal, *_) = next(spec.rounds()).proposals
        made[count] = (spec.key, spec.trials(proposal, 1)[0].id, spec.threads)
        spec.threads = 2  # as the folder of an earlier sweep has it
        assert spec.trials(proposal, 1)[0].id == made[2][1]
    assert made[2][0] == made[3][0]
    assert made[2][1] != made[3][1]
    assert (made[2][2], made[3][2]) == (2, 3)
    assert on_device({"trainer": {"device": "cpu", "threads": 1}}, Local(), 4)["trainer"]["threads"] == 1


def left_out_of(*overrides):
    return left_out(read_space(list(overrides))[0])


def test_a_key_of_some_options():
    told = left_out_of("optimizer=sgd,momentum,adam", "optimizer.momentum=0.5", "optimizer.lr=0.1")
    assert told == ["optimizer.momentum=0.5 is used with optimizer=momentum, left out with sgd,adam"]


def test_a_block_that_some_models_use():
    told = left_out_of("model=mlp,softmax", "activation=tanh", "model.widths=[8]")
    assert told == [
        "activation=tanh is used with model=mlp, left out with softmax",
        "model.widths=[8] is used with model=mlp, left out with softmax",
    ]


def test_what_all_use_and_what_is_searched_need_no_word():
    assert left_out_of("optimizer=sgd,momentum", "optimizer.lr=0.1") == []
    assert left_out_of("optimizer=sgd,momentum", "optimizer.momentum=0.1,0.2") == []


@pytest.mark.parametrize(
    ("overrides", "metric"),
    [
        (["data=diabetes", "loss=mse,mae"], "val/rmse"),
        (["data=diabetes", "loss=huber", "loss.delta=0.5,1"], "val/rmse"),
        (["data=diabetes", LR], "val/loss"),
        (["data=diabetes", "loss=mse,mae", "trainer.monitor=val/mae"], "val/mae"),
        (["loss=cross_entropy,hinge"], "val/accuracy"),
        (["loss=cross_entropy,hinge", "search.metric=val/log_loss"], "val/log_loss"),
    ],
)
def test_settings_of_different_losses_are_ranked_by_one_measure(overrides, metric):
    base = [text for text in BASE if not any(o.partition("=")[0] == text.partition("=")[0] for o in overrides)]
    spec = prepare([*base, *overrides])
    assert spec.metric == metric
    (trial, *_) = spec.trials(next(spec.rounds()).proposals[0], 1)
    assert trial.composed.config["trainer"]["monitor"] in ("auto", metric)
