"""Outputs and metrics of a program on a part of the data.

Shapes: T trials, N examples, K outputs.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from dlexp import metric
from dlexp.engine.forward import Forward


@torch.no_grad()
def predict(
    forward: Forward, feed: Any, prepare: Callable[[Tensor], Tensor], indices: Tensor, batch_size: int
) -> Tensor:
    """Return the outputs (T, N, K) of a part in evaluation mode, in float32 on the device.

    Args:
        forward: The program; its mode is training again afterwards.
        feed: Where batches come from.
        prepare: Raw batch to the model's input.
        indices: Rows of the part (N,).
        batch_size: Examples at once.
    """
    forward.set_training(False)
    pieces = []
    for x, _ in feed.batches(list(indices.split(batch_size))):
        outputs = forward(prepare(x))
        assert isinstance(outputs, Tensor)
        pieces.append(outputs.float() if outputs.dtype != torch.float64 else outputs)
    forward.set_training(True)
    return torch.cat(pieces, dim=1)


@torch.no_grad()
def score(outputs: Tensor, targets: Tensor, loss: Any, num_classes: int) -> dict[str, Tensor]:
    """Return the loss and the task's metrics of stored outputs, a tensor (T,) each.

    Args:
        outputs: (T, N, K).
        targets: (T, N).
        loss: The training loss.
        num_classes: 0 for regression.
    """
    found = {"loss": loss(outputs, targets)}
    more = metric.classification(outputs, targets, num_classes) if num_classes else metric.regression(outputs, targets)
    return {name: value for name, value in (found | more).items()}
