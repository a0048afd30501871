"""When a training of finite numbers counts as diverged."""

import math

import pytest
import torch

from dlexp.data.target_scale import TargetScale
from dlexp.engine.answer.classes import Classes
from dlexp.engine.answer.values import Values
from dlexp.engine.divergence import constant_loss, reason_of_divergence
from dlexp.engine.task import Task
from dlexp.loss import BCE, MSE, CrossEntropy, Hinge


def task(targets, num_classes, rows=1):
    part = torch.arange(len(targets))
    unit = None if num_classes else TargetScale.fit(targets, part)
    answer = Classes(num_classes) if num_classes else Values()
    return Task(None, None, [None] * rows, [part] * rows, [part[:0]] * rows, targets, answer, False, unit=unit)


CLASSES = torch.tensor([0, 0, 0, 1, 2] * 20)


@pytest.mark.parametrize(
    ("loss", "num_classes", "expected"),
    [
        (CrossEntropy(num_classes=3), 3, math.log(3)),
        (CrossEntropy(0.1, num_classes=3), 3, math.log(3)),
        (BCE(num_classes=3), 3, 3 * math.log(2)),
        (Hinge(num_classes=3), 3, 2.0),
        (MSE(), 0, 1.0),
    ],
)
def test_loss_of_a_constant(loss, num_classes, expected):
    targets = CLASSES if num_classes else 40 * CLASSES.float() + 7
    assert constant_loss(task(targets, num_classes), loss, 0) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize(
    ("last", "is_diverged"),
    [
        ({"train/loss": 4e24, "val/loss": 4e24, "train/accuracy": 0.5}, True),
        ({"train/loss": 4e24, "val/loss": math.nan, "train/accuracy": 0.5}, True),
        ({"train/loss": 4e24, "train/accuracy": 0.5}, True),
        # just above and below ten times log 3
        ({"train/loss": 11.0, "val/loss": 2.0, "train/accuracy": 0.5}, True),
        ({"train/loss": 10.9, "val/loss": 2.0, "train/accuracy": 0.5}, False),
        # recovered within the epoch, or right at huge margins: 0.8 is half the way from 0.6 to 1
        ({"train/loss": 4e24, "val/loss": 1.0, "train/accuracy": 0.5}, False),
        ({"train/loss": 4e24, "val/loss": 4e24, "train/accuracy": 0.81}, False),
        ({}, False),
    ],
)
def test_rule_of_classes(last, is_diverged):
    reason = reason_of_divergence(task(CLASSES, 3), CrossEntropy(num_classes=3), 0, last)
    assert bool(reason) is is_diverged
    assert (
        not reason or "is more than 10 times that of a constant prediction, 1.1; try a smaller optimizer.lr" in reason
    )


def test_rule_of_values():
    values = task(40 * CLASSES.float() + 7, 0)
    assert reason_of_divergence(values, MSE(), 0, {"train/loss": 10.5, "val/loss": 3.0})
    assert not reason_of_divergence(values, MSE(), 0, {"train/loss": 9.5, "val/loss": 3.0})
    assert not reason_of_divergence(values, MSE(), 0, {"train/loss": 10.5, "val/loss": 0.9})


@pytest.mark.parametrize(
    ("peak", "accuracy", "is_diverged"),
    # 100 log 3 = 109.9; of 100 examples 60 are of one class, and guessing has 70 right in 2.5 % of draws
    [(110, 0.6, True), (109, 0.6, False), (110, 0.69, True), (110, 0.71, False)],
)
def test_a_training_that_was_blown_apart_and_ends_as_a_guess(peak, accuracy, is_diverged):
    last = {"train/loss": 1.0, "val/loss": 1.0, "train/accuracy": accuracy}
    reason = reason_of_divergence(task(CLASSES, 3), CrossEntropy(num_classes=3), 0, last, peak)
    assert bool(reason) is is_diverged
    assert not reason or "was more than 100 times that of a constant prediction, 1.1, and the last epoch" in reason


def test_values_that_were_blown_apart():
    values = task(40 * CLASSES.float() + 7, 0)
    assert reason_of_divergence(values, MSE(), 0, {"train/loss": 1.01, "val/loss": 0.9}, 101.0)
    assert not reason_of_divergence(values, MSE(), 0, {"train/loss": 0.99, "val/loss": 0.9}, 101.0)
