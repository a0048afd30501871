"""Batch normalisation of a stack: statistics per trial and channel, with a gradient written out.

y = (x - mean) / sqrt(var + eps) * weight + bias, mean and var over the batch and space of each trial.
torch's kernel would need the trials beside the channels, a transposition of every activation there and back.
Shapes: T trials, N batch, C channels; x is (T, N, C) or (T, N, C, H, W).
"""

from typing import Any

import torch
from torch import Tensor

Statistics = tuple[Tensor, Tensor]


def batch_norm(
    x: Tensor, weight_TC: Tensor | None, bias_TC: Tensor | None, eps: float, running: Statistics | None
) -> tuple[Tensor, Tensor, Tensor]:
    """Normalise a stack.

    Args:
        x: Inputs.
        weight_TC: Scale, None for 1.
        bias_TC: Shift, None for 0.
        eps: Added to the variance.
        running: Mean and variance (T, C) for evaluation; None takes the batch's.

    Returns:
        The outputs in the type of x, and the batch's mean and unbiased variance (T, C).
    """
    dtype = x.dtype
    x = x.float() if dtype in (torch.bfloat16, torch.float16) else x
    shape = _per_channel(x)
    per_channel = x.shape[0], x.shape[2]
    weight = x.new_ones(per_channel) if weight_TC is None else weight_TC
    bias = x.new_zeros(per_channel) if bias_TC is None else bias_TC
    if running is None:
        y, mean, var = _BatchStatistics.apply(x, weight, bias, eps)
        count = x.numel() // weight.numel()
        return y.to(dtype), mean, var * (count / max(count - 1, 1))
    mean, var = running
    scale = weight / (var + eps).sqrt()
    y = torch.addcmul((bias - mean * scale).view(shape), x, scale.view(shape))
    return y.to(dtype), mean, var


def _per_channel(x: Tensor) -> list[int]:
    return [x.shape[0], 1, x.shape[2], *[1] * (x.dim() - 3)]


class _BatchStatistics(torch.autograd.Function):
    """Forward and backward pass with the batch's own statistics."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight_TC: Tensor, bias_TC: Tensor, eps: float) -> tuple[Tensor, Tensor, Tensor]:
        dims, shape = [1, *range(3, x.dim())], _per_channel(x)
        count = x.numel() // weight_TC.numel()
        mean = x.sum(dims).div_(count)
        centred = x - mean.view(shape)
        # Two passes: the mean of squares minus the squared mean would cancel where the mean is large.
        var = centred.square().sum(dims).div_(count)
        root = (var + eps).rsqrt_()
        normed = centred.mul_(root.view(shape))
        ctx.save_for_backward(normed, weight_TC, root)
        ctx.dims, ctx.view, ctx.count = dims, shape, count
        ctx.mark_non_differentiable(mean, var)
        return torch.addcmul(bias_TC.view(shape), normed, weight_TC.view(shape)), mean, var

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, Tensor, Tensor, None]:
        normed, weight_TC, root = ctx.saved_tensors
        grad = grads[0]
        grad_bias = grad.sum(ctx.dims)
        grad_weight = (grad * normed).sum(ctx.dims)
        # dx = weight * root * (dy - mean(dy) - normed * mean(dy * normed))
        centred = grad - (grad_bias / ctx.count).view(ctx.view)
        centred.addcmul_(normed, (grad_weight / ctx.count).view(ctx.view), value=-1)
        return centred.mul_((weight_TC * root).view(ctx.view)), grad_weight, grad_bias, None
