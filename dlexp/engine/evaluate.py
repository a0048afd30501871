"""Outputs and metrics of a program on a part of the data.

Shapes: T trials, N examples, K outputs.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from dlexp import metric
from dlexp.data.target_scale import TargetScale
from dlexp.engine.forward import Forward
from dlexp.engine.stack.rows import select_rows
from dlexp.engine.task import Task, are_equal


@torch.no_grad()
def predict(forward: Forward, task: Task, parts: list[Tensor], batch_size: int) -> Tensor:
    """Return the outputs (T, N, K) of a part in evaluation mode, in float32 (float64 for such a model) on the device.

    Values are in the target's own unit, in float64.

    Args:
        forward: The program; its mode is training again afterwards.
        task: Data and normalisation.
        parts: Row numbers of each trial's part; where lengths differ, N is the longest.
        batch_size: Examples at once.
    """
    forward.set_training(False)
    if are_equal(parts):
        found = _outputs(forward, task, parts[0], None, batch_size)
    else:
        # Each length by itself: how many examples a product has may change its rounding.
        lengths = [len(part) for part in parts]
        found = None
        for length in sorted(set(lengths)):
            chosen = [row for row, own in enumerate(lengths) if own == length]
            rows = chosen if len(chosen) < len(parts) else None
            outputs = _outputs(forward, task, torch.stack([parts[row] for row in chosen]), rows, batch_size)
            if found is None:
                found = outputs.new_zeros(len(parts), max(lengths), outputs.shape[-1])
            found[chosen, :length] = outputs
        assert found is not None
    forward.set_training(True)
    return found if task.unit is None else task.unit.unscale(found)


def _outputs(forward: Forward, task: Task, part: Tensor, rows: list[int] | None, batch_size: int) -> Tensor:
    """Return outputs (R, N, K) of chosen trials for a part that they share (N,) or one each (R, N)."""
    pieces = []
    for x, _ in task.feed.batches(list(part.split(batch_size, dim=-1))):
        outputs = forward(task.prepare(x, rows), is_shared=part.dim() == 1, rows=rows)
        assert isinstance(outputs, Tensor)
        pieces.append(outputs if outputs.dtype == torch.float64 else outputs.float())
    return torch.cat(pieces, dim=1)


@torch.no_grad()
def score_trials(outputs: Tensor, task: Task, parts: list[Tensor], loss: Any, also: str = "") -> dict[str, list[float]]:
    """Return the loss and the task's metrics of each trial from the outputs of `predict`.

    Args:
        outputs: (T, N, K).
        task: Targets and their unit.
        parts: Row numbers of each trial's part.
        loss: The training loss.
        also: A metric of `report` that is wanted too.
    """
    lengths, num_classes = [len(part) for part in parts], task.num_classes
    if len(set(lengths)) == 1:
        targets = torch.stack([task.targets[part.to(outputs.device)] for part in parts])
        scored = score(outputs, targets, loss, num_classes, task.unit, also)
        return {name: value.tolist() for name, value in scored.items()}
    found: dict[str, list[float]] = {}
    for row, part in enumerate(parts):
        own, unit = select_rows(loss, [row], len(parts)), None if task.unit is None else task.unit.keep([row])
        targets = task.targets[part.to(outputs.device)].unsqueeze(0)
        scored = score(outputs[row : row + 1, : len(part)], targets, own, num_classes, unit, also)
        for name, value in scored.items():
            found.setdefault(name, []).append(float(value))
    return found


@torch.no_grad()
def score(
    outputs: Tensor, targets: Tensor, loss: Any, num_classes: int, unit: TargetScale | None = None, also: str = ""
) -> dict[str, Tensor]:
    """Return the loss and the task's metrics of every epoch, a tensor (T,) each.

    Args:
        outputs: (T, N, K), values in the target's own unit.
        targets: (T, N).
        loss: The training loss.
        num_classes: 0 for regression.
        unit: What the loss measures values in; None leaves them as they are.
        also: A metric of `report` that is wanted too; "" for none.
    """
    measure = metric.classification if num_classes else metric.regression
    found = _loss(outputs, targets, loss, unit) | _measure(measure, outputs, targets, num_classes)
    if also and also not in found:
        found[also] = report(outputs, targets, loss, num_classes, unit)[also]
    return found


@torch.no_grad()
def report(
    outputs: Tensor, targets: Tensor, loss: Any, num_classes: int, unit: TargetScale | None = None
) -> dict[str, Tensor]:
    """Return the loss and everything else that is known of stored outputs: (T,), by class (T, K) or (T, K, K)."""
    measure = metric.classification_report if num_classes else metric.regression_report
    return _loss(outputs, targets, loss, unit) | _measure(measure, outputs, targets, num_classes)


def _loss(outputs: Tensor, targets: Tensor, loss: Any, unit: TargetScale | None) -> dict[str, Tensor]:
    return {"loss": loss(outputs, targets) if unit is None else loss(unit.scale(outputs), unit.scale(targets))}


def _measure(measure: Callable[..., Any], outputs: Tensor, targets: Tensor, num_classes: int) -> dict[str, Tensor]:
    return measure(outputs, targets, num_classes) if num_classes else measure(outputs, targets)
