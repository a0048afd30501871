"""Outputs and metrics of a program on a part of the data.

Shapes: T trials, N examples, K outputs.
"""

from typing import Any

import torch
from torch import Tensor

from dlexp import metric
from dlexp.engine.forward import Forward
from dlexp.engine.stack.rows import select_rows
from dlexp.engine.task import Task, are_equal


@torch.no_grad()
def predict(forward: Forward, task: Task, parts: list[Tensor], batch_size: int) -> Tensor:
    """Return the outputs (T, N, K) of a part in evaluation mode, in float32 (float64 for such a model) on the device.

    Args:
        forward: The program; its mode is training again afterwards.
        task: Data and normalisation.
        parts: Row numbers of each trial's part; where lengths differ, shorter ones are filled up and N is the longest.
        batch_size: Examples at once.
    """
    forward.set_training(False)
    is_shared = are_equal(parts)
    rows = parts[0] if is_shared else torch.stack(_filled(parts))
    pieces = []
    for x, _ in task.feed.batches(list(rows.split(batch_size, dim=-1))):
        outputs = forward(task.prepare(x), is_shared=is_shared)
        assert isinstance(outputs, Tensor)
        pieces.append(outputs if outputs.dtype == torch.float64 else outputs.float())
    forward.set_training(True)
    return torch.cat(pieces, dim=1)


def _filled(parts: list[Tensor]) -> list[Tensor]:
    longest = max(len(part) for part in parts)
    return [torch.cat([part, part[:1].expand(longest - len(part))]) for part in parts]


@torch.no_grad()
def score_trials(outputs: Tensor, task: Task, parts: list[Tensor], loss: Any) -> dict[str, list[float]]:
    """Return the loss and the task's metrics of each trial from the outputs of `predict`."""
    lengths = [len(part) for part in parts]
    if len(set(lengths)) == 1:
        targets = torch.stack([task.targets[part.to(outputs.device)] for part in parts])
        return {name: value.tolist() for name, value in score(outputs, targets, loss, task.num_classes).items()}
    found: dict[str, list[float]] = {}
    for row, part in enumerate(parts):
        own = select_rows(loss, [row], len(parts))
        targets = task.targets[part.to(outputs.device)].unsqueeze(0)
        for name, value in score(outputs[row : row + 1, : len(part)], targets, own, task.num_classes).items():
            found.setdefault(name, []).append(float(value))
    return found


@torch.no_grad()
def score(outputs: Tensor, targets: Tensor, loss: Any, num_classes: int) -> dict[str, Tensor]:
    """Return the loss and the task's metrics of stored outputs, a tensor (T,) each.

    Args:
        outputs: (T, N, K).
        targets: (T, N).
        loss: The training loss.
        num_classes: 0 for regression.
    """
    measured = (
        metric.classification(outputs, targets, num_classes) if num_classes else metric.regression(outputs, targets)
    )
    return {"loss": loss(outputs, targets), **measured}
