"""What an epoch's evaluation says of each example, as small as the monitored metric needs it to be recomputed.

The best epoch is picked by the monitored metric on the validation part; how far that flatters it can be told
afterwards from these alone. Right or wrong takes a bit an example, a loss four bytes,
a predicted value eight.
Shapes: T trials, N examples, K outputs.
"""

from typing import Any

import numpy as np
import torch
from torch import Tensor

from dlexp.engine.evaluate import Reading
from dlexp.engine.stack.rows import select_rows
from dlexp.engine.task import Task
from dlexp.metric.classification import log_losses, predict_class
from dlexp.metric.loss_error import losses
from dlexp.metric.probability import log_weights

Record = tuple[str, bytes]
RIGHT = ("accuracy", "precision_micro", "recall_micro", "f1_micro")  # equal where each example has one class
_TYPES = {"losses": "<f4", "values": "<f8"}  # an error is a difference of values: it would lose its digits


def kind_of(monitor: str, num_classes: int) -> str | None:
    """Return what is kept of each example for a metric: bits, losses, values; None where it needs more than these.

    Args:
        monitor: For example val/accuracy.
        num_classes: 0 for regression.
    """
    split, _, name = monitor.partition("/")
    if split != "val":
        return None
    if not num_classes:
        return "values"
    return "bits" if name in RIGHT else "losses" if name in ("loss", "log_loss") else None


@torch.no_grad()
def records(monitor: str, outputs_TNK: Tensor, task: Task, loss: Any) -> list[Record | None]:
    """Return each trial's record of an epoch; None where nothing is kept.

    Args:
        monitor: The metric that picks the best epoch.
        outputs_TNK: From `predict`; rows beyond a trial's part are left out.
        task: Targets and parts.
        loss: The training loss of all trials.
    """
    kind, num_trials = kind_of(monitor, task.num_classes), len(task.val)
    if kind is None:
        return [None] * num_trials
    link = Reading.of(task, loss).link
    made = []
    for row, part in enumerate(task.val):
        outputs_NK, targets_N = outputs_TNK[row, : len(part)], task.targets[part.to(outputs_TNK.device)]
        if kind == "bits":
            made.append(predict_class(outputs_NK) == targets_N)
        elif kind == "values":
            made.append(outputs_NK[:, 0])
        elif monitor == "val/log_loss":
            made.append(log_losses(log_weights(outputs_NK, link), targets_N))
        else:
            made.append(losses(select_rows(loss, [row], num_trials), outputs_NK, targets_N))
    sizes = [len(part) for part in task.val]
    together = torch.cat(made).cpu().numpy().reshape(-1)  # one wait for the device
    return [(kind, pack(kind, each)) for each in np.split(together, np.cumsum(sizes)[:-1])]


def pack(kind: str, values_N: np.ndarray) -> bytes:
    """Return the bytes of a record."""
    return np.packbits(values_N).tobytes() if kind == "bits" else values_N.astype(_TYPES[kind]).tobytes()


def unpack(kind: str, record: bytes, num: int) -> np.ndarray:
    """Return the values (N,) of a record, in float64."""
    if kind == "bits":
        return np.unpackbits(np.frombuffer(record, np.uint8), count=num).astype(np.float64)
    return np.frombuffer(record, _TYPES[kind]).astype(np.float64)
