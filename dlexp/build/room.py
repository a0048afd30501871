"""Whether a program can fit its device, computed on shapes before anything is allocated."""

import math
from typing import Any

import torch
from torch import nn

from dlexp import device as devices
from dlexp.build.model import build_meta_model
from dlexp.engine.memory import NUM_TRIED, output_bytes
from dlexp.error import ConfigError
from dlexp.type import Config

# Rows of all parameters that live at once, besides the rule's state. On a CPU they were counted: a process that trained
# 81 M parameters took 7.2 rows at most under sgd, 8.3 under momentum (one row of state), 8.9 under adam (two).
# Elsewhere only parameters and gradients are sure to be on the device.
ROWS_CPU, ROWS = 7, 2
LARGE_BATCH = 2**23  # numbers in a batch from which on what layers put out may fill a machine


def require_room(
    config: Config,
    in_shape: tuple[int, ...],
    num_outputs: int,
    optimizer: Any,
    num_trials: int,
    batch_size: int,
    dtype: torch.dtype,
    device: torch.device,
) -> None:
    """Refuse a model whose weights, gradients and update rule's state exceed the free memory of the device.

    What layers put out is counted where a batch is large (`LARGE_BATCH`): each keeps its output for the gradient. A
    user's model whose constructor or forward pass computes with numbers is let through.

    Args:
        config: Checked.
        in_shape: Of one example.
        num_outputs: Of the model.
        optimizer: The update rule; its state is counted by ``init`` on a row without memory.
        num_trials: T.
        batch_size: Examples that a gradient is taken of at once, for each trial.
        dtype: Of the parameters.
        device: Where the program will train.

    Raises:
        ConfigError: It cannot fit, or its sizes are beyond what torch counts.
    """
    try:
        model = build_meta_model(config, in_shape, num_outputs)
    except RuntimeError as error:
        if any(word in str(error) for word in ("overflow", "too large")):
            raise ConfigError("model: got sizes whose product is beyond 2^63 bytes; choose smaller ones") from error
        return
    needed = num_bytes(model, optimizer, num_trials, dtype, ROWS_CPU if device.type == "cpu" else ROWS)
    what = "model: got sizes whose weights, gradients and optimiser state"
    devices.require_bytes(needed, device, what, "choose a smaller model or another device")
    if math.prod(in_shape) * batch_size * num_trials >= LARGE_BATCH:
        needed += num_trials * batch_size * _bytes_of_outputs(model, in_shape)
        what = f"trainer.batch_size: got {batch_size}; the outputs of the model's layers"
        devices.require_bytes(needed, device, what, "choose a smaller batch or smaller examples")


def num_bytes(model: nn.Module, optimizer: Any, num_trials: int, dtype: torch.dtype, rows: int) -> int:
    """Return the bytes of the parameters of all trials in every row that lives at once, and of the rule's state.

    Frozen parameters are there once, in no row.

    Args:
        model: On the meta device.
        optimizer: The update rule.
        num_trials: T.
        dtype: Of the parameters.
        rows: Of all parameters that live at once, the rule's state aside.
    """
    sizes = [(parameter.numel() * num_trials, parameter.requires_grad) for parameter in model.parameters()]
    count = sum(size for size, is_trained in sizes if is_trained)
    fixed = sum(size for size, is_trained in sizes if not is_trained)
    row = torch.empty(1, count, dtype=dtype, device="meta")
    state = optimizer.init(row).values()
    return row.element_size() * (count * rows + fixed) + sum(t.numel() * t.element_size() for t in state)


def _bytes_of_outputs(model: nn.Module, in_shape: tuple[int, ...]) -> int:
    """Return what the layers put out for one example, in float32; 0 for a model that computes with numbers."""
    try:
        with torch.no_grad():
            return output_bytes(model, torch.empty(NUM_TRIED, *in_shape, device="meta")) // NUM_TRIED
    except RuntimeError:
        return 0
