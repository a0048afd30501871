"""The loss, weighted by each training part's classes, and the metric that chooses the best epoch."""

import pytest
import torch

from dlexp.build.dataset import load_data
from dlexp.build.objective import build_loss, choose_monitor
from dlexp.config.resolve import resolve
from dlexp.error import ConfigError

CPU = torch.device("cpu")


def prepared(*overrides: str):
    config = resolve(list(overrides)).config
    dataset = load_data(config)
    return config, dataset, build_loss([config], [dataset], CPU)


@pytest.mark.parametrize(
    ("data", "num_outputs", "perfect", "wrong"),
    [("digits", 10, 0.0, 20.0), ("diabetes", 1, 0.0, 400.0)],
)
def test_the_loss_of_the_task(data, num_outputs, perfect, wrong):
    _, dataset, loss = prepared(f"data={data}")
    assert loss.num_outputs == num_outputs
    targets = torch.tensor([[0]]) if dataset.num_classes else torch.tensor([[0.0]])
    right = torch.full((1, 1, num_outputs), -20.0 if dataset.num_classes else 0.0)
    right[..., 0] = 0.0
    far = torch.zeros(1, 1, num_outputs)
    far[..., -1] = 20.0
    assert float(loss(right, targets).sum()) == pytest.approx(perfect, abs=1e-6)
    assert float(loss(far, targets).sum()) == pytest.approx(wrong, rel=1e-6)


def test_balanced_weights_are_those_of_the_training_part_alone():
    _, dataset, loss = prepared("data=wine", "loss=cross_entropy", "loss.class_weight=balanced")
    counts = torch.bincount(dataset.targets[dataset.train], minlength=3).float()
    weights = counts.sum() / (3 * counts)  # King and Zeng (2001): n / (K n_k)
    outputs = torch.zeros(1, 3, 3)
    outputs[0, :, 0] = torch.tensor([0.3, -0.2, 0.1])
    targets = torch.tensor([[0, 1, 2]])
    expected = torch.nn.functional.cross_entropy(outputs[0], targets[0], weight=weights)
    assert float(loss(outputs, targets).sum()) == pytest.approx(float(expected), rel=1e-5)


@pytest.mark.parametrize(
    ("data", "monitor", "expected"),
    [
        ("digits", "auto", "val/accuracy"),
        ("digits", "val/f1_macro", "val/f1_macro"),
        ("digits", "train/loss", "train/loss"),
        ("diabetes", "auto", "val/loss"),
        ("diabetes", "val/rmse", "val/rmse"),
    ],
)
def test_the_monitor(data, monitor, expected):
    _, dataset, loss = prepared(f"data={data}")
    assert choose_monitor(monitor, loss, dataset) == expected


@pytest.mark.parametrize(
    ("data", "monitor", "words"),
    [
        ("digits", "val/acuracy", "did you mean val/accuracy?"),
        ("digits", "accuracy", "got accuracy"),
        ("diabetes", "val/accuracy", "got val/accuracy"),
        ("diabetes", "train/accuracy", "got train/accuracy"),
        ("diabetes", "val/bias", "got val/bias"),
    ],
)
def test_a_metric_that_the_task_lacks_or_that_has_no_better_side_is_refused(data, monitor, words):
    _, dataset, loss = prepared(f"data={data}")
    with pytest.raises(ConfigError) as error:
        choose_monitor(monitor, loss, dataset)
    assert str(error.value).startswith("trainer.monitor: got ")
    assert words in str(error.value)


def test_without_a_validation_part_the_training_loss_is_all_there_is():
    _, dataset, loss = prepared("train_on=train+val")
    joined = dataset.with_parts(dataset.train, dataset.train[:0])
    assert choose_monitor("auto", loss, joined) == "train/loss"
    assert choose_monitor("train/accuracy", loss, joined) == "train/accuracy"
    with pytest.raises(ConfigError, match="there is no validation part: choose one of train/loss, train/accuracy"):
        choose_monitor("val/accuracy", loss, joined)
