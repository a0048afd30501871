"""A setting that does nothing is an error, not silence."""

import pytest

from dlexp.config.resolve import resolve
from dlexp.error import ConfigError


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (
            "optimizer=adagrad optimizer.momentum=0.9",
            "unknown key optimizer.momentum: it has no effect here; optimizer=momentum|nesterov has it",
        ),
        ("dropout=none dropout.p=0.5", "unknown key dropout.p: it has no effect here; dropout=classic|inverted has it"),
        ("model=softmax norm=batch", "norm: has no effect; model=softmax uses no norm"),
        ("model=softmax activation=relu", "activation: has no effect; model=softmax uses no activation"),
        ("model=softmax dropout=inverted dropout.p=0.2", "dropout: has no effect; model=softmax uses no dropout"),
        ("trainer.min_delta=0.1", "trainer.min_delta: has no effect; early stopping is off; set trainer.patience"),
        ("seeds.dropout=1", "seeds.dropout: has no effect; dropout=none draws nothing"),
        ("seeds.augment=1", "seeds.augment: has no effect; augment=none draws nothing"),
        ("seeds={augment: 1}", "seeds.augment: has no effect; augment=none draws nothing"),
        ("trainer.tf32=true trainer.device=cpu", "trainer.tf32: has no effect; TF32 is a mode of CUDA devices"),
        (
            "trainer.deterministic=true trainer.device=cpu",
            "trainer.deterministic: has no effect; operators of CUDA devices alone add in any order",
        ),
        (
            "trainer.cuda_graph=false trainer.device=mps",
            "trainer.cuda_graph: has no effect; updates are graphs on CUDA devices alone",
        ),
        ("data.val_fraction=0.1 data.val_count=9", "data.val_fraction: has no effect; data.val_count replaces it"),
        ("data.test_fraction=0.1 data.test_count=9", "data.test_fraction: has no effect; data.test_count replaces it"),
        (
            "schedule=step schedule.milestones=[3] schedule.step_size=2",
            "schedule.step_size: has no effect; schedule.milestones replaces it",
        ),
        ("optimizer.biases=true", "optimizer.biases: has no effect; optimizer.weight_decay is 0"),
    ],
)
def test_idle_settings(overrides, message):
    with pytest.raises(ConfigError) as caught:
        resolve(overrides.replace(": ", ":").split(" "))
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (
            ["launcher.gpus=[0]", "trainer.device=cpu"],
            "launcher.gpus: has no effect; trainer.device names where all trials train",
        ),
        (
            ["launcher.gpus=[0]", "trainer.device=cuda:1"],
            "launcher.gpus: has no effect; trainer.device names where all trials train",
        ),
        (
            ["launcher.per_gpu=2", "trainer.device=cuda:1"],
            "launcher.per_gpu: has no effect; trainer.device names where all trials train",
        ),
        (
            ["launcher.per_gpu=2", "launcher.workers=2"],
            "launcher.per_gpu: has no effect; launcher.workers says how many processes train",
        ),
    ],
)
def test_gpus_that_no_trial_would_take(overrides, message):
    for job in ("sweep", "cv"):
        with pytest.raises(ConfigError) as caught:
            resolve(overrides, job=job)
        assert str(caught.value) == message
        resolve([overrides[0], "trainer.device=cuda"], job=job)


@pytest.mark.parametrize("key", ["data.val_fraction=0.3", "data.val_count=9"])
@pytest.mark.parametrize("form", ["kfold", "nested", "leave_one_out", "rolling"])
def test_the_size_of_a_validation_part_in_a_cv(key, form):
    with pytest.raises(ConfigError) as caught:
        resolve([key, f"cv={form}"], job="cv")
    cure = "has no effect; the folds take turns as validation part; cv.k says how large"
    assert str(caught.value) == f"{key.partition('=')[0]}: {cure}"


@pytest.mark.parametrize(
    "overrides",
    [
        "trainer.min_delta=0.1 trainer.patience=3",
        "dropout=inverted dropout.p=0.2 seeds.dropout=1",
        "model=vgg seeds.dropout=1",
        "augment=cutout seeds.augment=1",
        "trainer.tf32=true",
        "data.val_count=9",
        "schedule=step schedule.step_size=2",
        "optimizer.biases=true optimizer.weight_decay=0.1",
        "optimizer=adamw optimizer.biases=true",
    ],
)
def test_settings_with_effect(overrides):
    assert resolve(overrides.split(" "))
