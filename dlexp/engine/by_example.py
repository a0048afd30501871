"""What an epoch's evaluation says of each example, as small as the monitored metric needs it to be recomputed.

The best epoch is picked by the monitored metric on the validation part; how far that flatters it can be told
afterwards from these alone; `dlexp.engine.answer` says what is kept of which.
Shapes: T trials, N examples, K outputs.
"""

from typing import Any

import numpy as np
import torch
from torch import Tensor

from dlexp.engine.answer.answer import Reading
from dlexp.engine.stack.rows import select_rows
from dlexp.engine.task import Task

Record = tuple[str, bytes]
_TYPES = {"losses": "<f4", "values": "<f8"}  # an error is a difference of values: it would lose its digits


@torch.no_grad()
def records(monitor: str, outputs_TNK: Tensor, task: Task, loss: Any) -> list[Record | None]:
    """Return each trial's record of an epoch; None where nothing is kept.

    Args:
        monitor: The metric that picks the best epoch.
        outputs_TNK: From `predict`; rows beyond a trial's part are left out.
        task: Targets and parts.
        loss: The training loss of all trials.
    """
    split, _, name = monitor.partition("/")
    kind, num_trials = task.answer.record_kind(name), len(task.val)
    if split != "val" or kind is None:
        return [None] * num_trials
    link = Reading.of(task, loss).link
    made = []
    for row, part in enumerate(task.val):
        outputs_NK, targets_N = outputs_TNK[row, : len(part)], task.targets[part.to(outputs_TNK.device)]
        if kind == "losses" and task.unit is not None:
            unit = task.unit.keep([row])
            outputs_NK, targets_N = unit.scale(outputs_NK[None])[0], unit.scale(targets_N[None])[0]
        alone = select_rows(loss, [row], num_trials)
        made.append(task.answer.by_example(name, outputs_NK, targets_N, alone, link))
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
