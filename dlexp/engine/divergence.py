"""Whether a training has diverged though its numbers are finite: they can be as useless as NaN.

The rule, asked of the last epoch: the mean training loss is more than 10 times the loss of a constant prediction; the
validation loss, where there is one, is not below that of the constant; and, of classes, training accuracy has not come
half the way from the share of the largest class to 1. A constant prediction is output 0 for everything: equal
probabilities of classes, whose loss is the entropy of guessing, or the mean of the training targets for values; of
reconstructions it is the mean of the training inputs.

A second rule is for a training that was blown apart, so that its units are dead and its loss is small again: the mean
training loss of any epoch was more than 100 times the constant's, and in the last epoch training accuracy cannot be
told from the share of the largest class (binomial test), or, of values, the training loss is not below the constant's.

The validation loss is asked for because the mean over an epoch holds its first updates too, from which a model may have
recovered; accuracy is, because a model of huge margins can be right at a huge loss.
"""

import math
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from dlexp.engine.stack.rows import select_rows
from dlexp.engine.task import Task
from dlexp.statistic.proportion import is_guess

LOSS_FACTOR = 10.0
PEAK_FACTOR = 100.0
MOST_EXAMPLES = 1024  # enough for a constant's loss, and no memory to speak of at 1,000 classes
ASKED = ("train/loss", "val/loss", "train/accuracy")


@torch.no_grad()
def constant_loss(task: Task, loss: Any, row: int) -> float:
    """Return the loss of a constant for one trial's training examples, at most 1,024 of them spread over all."""
    part = task.train[row]
    rows = part[torch.linspace(0, len(part) - 1, min(len(part), MOST_EXAMPLES)).long()]
    targets_1N = task.objective(rows, row)
    alone = select_rows(loss, [row], len(task.train))
    outputs = torch.zeros(1, len(rows), loss.num_outputs, dtype=task.dtype, device=task.targets.device)
    if task.centre is not None:  # (1, D) where all trials share it
        outputs = outputs + task.centre[min(row, len(task.centre) - 1)].to(outputs)
    return float(alone(outputs, targets_1N))


def reason_of_divergence(task: Task, loss: Any, row: int, last: Mapping[str, float], peak: float = 0.0) -> str:
    """Return why a trial that is over counts as diverged, for the user; "" if it does not.

    Args:
        task: What the trials learn from.
        loss: The training loss of all.
        row: The trial's.
        last: Metrics of its last epoch.
        peak: Largest mean training loss of an epoch.
    """
    if not last:
        return ""
    constant = constant_loss(task, loss, row)
    if not constant > 0:  # nothing can be said of a loss that is 0 at rest
        return ""
    if last["train/loss"] > LOSS_FACTOR * constant and not _has_recovered(task, row, last, constant):
        told = f"of the last epoch, {last['train/loss']:.3g}, is more than {LOSS_FACTOR:g} times"
        return f"the training loss {told} that of a constant prediction, {constant:.3g}; try a smaller optimizer.lr"
    if peak > PEAK_FACTOR * constant and _knows_nothing(task, row, last, constant):
        told = f"of an epoch, {peak:.3g}, was more than {PEAK_FACTOR:g} times"
        return (
            f"the training loss {told} that of a constant prediction, {constant:.3g}, and the last epoch is no better "
            "than one; try a smaller optimizer.lr"
        )
    return ""


def _has_recovered(task: Task, row: int, last: Mapping[str, float], constant: float) -> bool:
    if last.get("val/loss", math.inf) < constant:
        return True
    return task.answer.has_accuracy and last["train/accuracy"] >= (1 + _largest_share(task, row)) / 2


def _knows_nothing(task: Task, row: int, last: Mapping[str, float], constant: float) -> bool:
    if not task.answer.has_accuracy:
        return last["train/loss"] >= constant
    return is_guess("accuracy", last["train/accuracy"], _largest_share(task, row), task.num_drawn)


def _largest_share(task: Task, row: int) -> float:
    classes: Tensor = task.targets[task.train[row].to(task.targets.device)]
    return float(torch.bincount(classes).max()) / len(classes)
