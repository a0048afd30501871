"""Batch normalisation: torch's kernel for a trial or a stack, and the statistics that evaluation takes.

y = (x - mean) / sqrt(var + eps) * weight + bias, mean and var over the batch and space of each trial.
Vectors of a stack lie side by side as the channels of one batch, which costs a transposition there and back; a channel
then has the bits that it has alone. Only the gradient by the inputs is rounded otherwise for the last channels of a
row, beyond its whole vectors: where a trial's channels are no whole vectors, that is computed trial by trial.
Shapes: T trials, N batch, C channels, P = T * C.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

Mode = Literal["training", "gathering", "evaluation"]
VECTOR_BYTES = 64  # that a CPU's kernel takes at once, at most


@dataclass(frozen=True)
class Rule:
    """What a layer adds to the variance, and how it keeps statistics; see `dlexp.norm.BatchNorm`."""

    eps: float
    momentum: float = 0.1
    statistics: Literal["auto", "moving", "cumulative", "exact"] = "moving"
    variance: Literal["unbiased", "biased"] = "unbiased"


class Running(NamedTuple):
    """What evaluation takes, changed in place.

    Attributes:
        mean: (C,), of a stack (T, C).
        var: As `mean`.
        num_batches: Batches of training so far, of a stack (T,).
        num_values: Values per channel behind gathered statistics, of a stack (T,); None where none are gathered.
    """

    mean: Tensor
    var: Tensor
    num_batches: Tensor
    num_values: Tensor | None = None


def normalise(
    x: Tensor,
    weight: Tensor | None,
    bias: Tensor | None,
    running: Running,
    rule: Rule,
    mode: Mode,
    kernel: Callable[..., Tensor] = F.batch_norm,
    num: int | None = None,
) -> Tensor:
    """Normalise a batch (N, C, ...) per channel; in training and gathering it changes the running statistics.

    Args:
        x: Inputs.
        weight: Scale (C,), None for 1.
        bias: Shift (C,), None for 0.
        running: Of these channels, (C,); the counts of one trial, or of T trials whose channels follow one another.
        rule: How statistics are kept.
        mode: By whose statistics: the batch's in training and gathering.
        kernel: Does as torch's.
        num: Values of a channel that the kernel takes statistics of; None for those of `x`.
    """
    if mode == "evaluation":
        return kernel(x, running.mean, running.var, weight, bias, False, 0.0, rule.eps)
    if mode == "training":
        running.num_batches.add_(1)
        if rule.statistics == "exact":
            return kernel(x, None, None, weight, bias, True, 0.0, rule.eps)
        if rule.statistics != "cumulative" and rule.variance == "unbiased":
            return kernel(x, running.mean, running.var, weight, bias, True, rule.momentum, rule.eps)
    mean, var = torch.zeros_like(running.mean), torch.zeros_like(running.var)  # a momentum of 1: become the batch's
    y = kernel(x, mean, var, weight, bias, True, 1.0, rule.eps)
    num = x.numel() // x.shape[1] if num is None else num
    if mode == "gathering":
        merge(running, int(rule.variance == "unbiased"), mean, var, num)
    else:
        take_in(running, rule, mean, var, num)
    return y


def normalise_stack(
    x_TNC: Tensor, weight_TC: Tensor | None, bias_TC: Tensor | None, running: Running, rule: Rule, mode: Mode
) -> Tensor:
    """Normalise the vectors of a stack; see `normalise`."""
    num_trials, num, num_channels = x_TNC.shape
    flat = Running(running.mean.view(-1), running.var.view(-1), running.num_batches, running.num_values)
    weight_P, bias_P = (None if row is None else row.reshape(-1) for row in (weight_TC, bias_TC))
    kernel = F.batch_norm if is_whole(x_TNC) or mode == "evaluation" else partial(_by_trial, num_trials)
    y_NP = normalise(_Swapped.apply(x_TNC).view(num, -1), weight_P, bias_P, flat, rule, mode, kernel)
    return _Swapped.apply(y_NP.view(num, num_trials, num_channels))


def is_whole(x: Tensor) -> bool:
    """Say whether a trial's channels (..., C) are whole vectors, so that each has the bits that it has alone."""
    return x.device.type != "cpu" or x.shape[-1] * x.element_size() % VECTOR_BYTES == 0


class _Swapped(torch.autograd.Function):
    """The first two axes swapped, in memory too: products of outputs and gradients then have the order of a trial."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        return x.transpose(0, 1).contiguous()

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> Tensor:
        return grads[0].transpose(0, 1).contiguous()


def _by_trial(
    num_trials: int,
    x_NP: Tensor,
    mean_P: Tensor | None,
    var_P: Tensor | None,
    weight_P: Tensor | None,
    bias_P: Tensor | None,
    training: bool,
    momentum: float,
    eps: float,
) -> Tensor:
    """Do as `torch.nn.functional.batch_norm` in training, with the gradient of each trial alone."""
    assert training
    weight_P = x_NP.new_ones(x_NP.shape[1]) if weight_P is None else weight_P
    bias_P = torch.zeros_like(weight_P) if bias_P is None else bias_P
    return _ByTrial.apply(x_NP, weight_P, bias_P, mean_P, var_P, num_trials, momentum, eps)


class _ByTrial(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        x_NP: Tensor,
        weight_P: Tensor,
        bias_P: Tensor,
        mean_P: Tensor | None,
        var_P: Tensor | None,
        num_trials: int,
        momentum: float,
        eps: float,
    ) -> Tensor:
        y_NP, *saved = torch.native_batch_norm(x_NP, weight_P, bias_P, mean_P, var_P, True, momentum, eps)
        ctx.save_for_backward(x_NP, weight_P, *saved)
        ctx.num_trials, ctx.eps = num_trials, eps
        return y_NP

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        chunks = [
            [chunk.contiguous() for chunk in tensor.chunk(ctx.num_trials, dim=-1)]
            for tensor in (*grads, *ctx.saved_tensors)
        ]
        made = [
            torch.ops.aten.native_batch_norm_backward(
                grad, x, weight, None, None, mean, root, True, ctx.eps, [True, True, True]
            )
            for grad, x, weight, mean, root in zip(*chunks, strict=True)
        ]
        return *(torch.cat(of_trials, dim=-1) for of_trials in zip(*made, strict=True)), None, None, None, None, None


def take_in(running: Running, rule: Rule, mean: Tensor, var: Tensor, num: int) -> None:
    """Change the running statistics by those of a batch.

    moving, auto: r += momentum * (b - r). cumulative: r += (b - r) / t with the batch's number t, the mean of all.

    Args:
        running: As in `normalise`.
        rule: How they are kept.
        mean: The batch's (C,).
        var: The batch's unbiased variance (C,).
        num: Values per channel of the batch.
    """
    if rule.variance == "biased":
        var = var * ((num - 1) / num)
    share = 1 / _per_channel(running.num_batches, mean) if rule.statistics == "cumulative" else rule.momentum
    running.mean.add_((mean - running.mean) * share)
    running.var.add_((var - running.var) * share)


def merge(running: Running, correction: int, mean: Tensor, var: Tensor, num: int) -> None:
    """Add a batch's values to those that mean and variance are of (Chan, Golub and LeVeque 1983, equation 2.1).

    Args:
        running: As in `normalise`.
        correction: 1 for the variance divided by n - 1, 0 by n.
        mean: The batch's (C,).
        var: The batch's unbiased variance (C,).
        num: Values per channel of the batch.
    """
    assert running.num_values is not None
    before = _per_channel(running.num_values, mean)
    total = before + num
    apart = mean - running.mean
    squares = (
        running.var * (before - correction).clamp(min=0) + var * (num - 1) + apart.square() * (before * num / total)
    )
    running.mean.add_(apart * (num / total))
    running.var.copy_(squares / (total - correction).clamp(min=1))
    running.num_values.add_(num)


def _per_channel(count: Tensor, like: Tensor) -> Tensor:
    """Return a trial's count, or T of them, for each channel (C,)."""
    count = count.reshape(-1, 1).to(like.dtype)
    return count.expand(-1, like.numel() // count.numel()).reshape(like.shape)


def reset(buffers: dict[str, Tensor], path: str) -> None:
    """Forget the statistics of the layer at a path among a program's buffers, to gather them anew."""
    for name in ("running_mean", "running_var", "num_values"):
        buffers[f"{path}.{name}" if path else name].zero_()
