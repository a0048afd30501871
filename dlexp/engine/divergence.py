"""Whether a training that came to its end has diverged all the same: finite numbers can be as useless as NaN.

The rule, asked of the last epoch: the mean training loss is more than 10 times the loss of a constant prediction; the
validation loss, where there is one, is not below that of the constant; and, of classes, training accuracy has not come
half the way from the share of the largest class to 1. A constant prediction is output 0 for everything: equal
probabilities of classes, the mean of the training targets for values.

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

LOSS_FACTOR = 10.0
MOST_EXAMPLES = 1024  # enough for a constant's loss, and no memory to speak of at 1,000 classes
ASKED = ("train/loss", "val/loss", "train/accuracy")


@torch.no_grad()
def constant_loss(task: Task, loss: Any, row: int) -> float:
    """Return the loss of output 0 for one trial's training examples, at most 1,024 of them spread over all."""
    part = task.train[row]
    rows = part[torch.linspace(0, len(part) - 1, min(len(part), MOST_EXAMPLES)).long()]
    targets_1N = task.targets[rows.to(task.targets.device)].unsqueeze(0)
    if task.unit is not None:
        targets_1N = task.unit.keep([row]).scale(targets_1N)
    alone = select_rows(loss, [row], len(task.train))
    outputs = torch.zeros(1, len(rows), loss.num_outputs, dtype=task.dtype, device=task.targets.device)
    return float(alone(outputs, targets_1N))


def reason_of_divergence(task: Task, loss: Any, row: int, last: Mapping[str, float]) -> str:
    """Return why a trial counts as diverged, for the user; "" if it does not.

    Args:
        task: What the trials learn from.
        loss: The training loss of all.
        row: The trial's.
        last: Metrics of its last epoch.
    """
    if not last:
        return ""
    constant, value = constant_loss(task, loss, row), last["train/loss"]
    is_bounded = not constant > 0 or value <= LOSS_FACTOR * constant  # nothing can be said of a loss that is 0 at rest
    if is_bounded or last.get("val/loss", math.inf) < constant:
        return ""
    if task.num_classes and last["train/accuracy"] >= (1 + _largest_share(task, row)) / 2:
        return ""
    return (
        f"the training loss of the last epoch, {value:.3g}, is more than {LOSS_FACTOR:g} times that of a constant "
        f"prediction, {constant:.3g}; try a smaller optimizer.lr"
    )


def _largest_share(task: Task, row: int) -> float:
    classes: Tensor = task.targets[task.train[row].to(task.targets.device)]
    return float(torch.bincount(classes).max()) / len(classes)
