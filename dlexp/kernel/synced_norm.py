"""Batch normalisation by the statistics of a batch whose examples are divided over devices.

One exchange forward: each device's means and sums of squares about them, merged as in Chan, Golub and LeVeque (1983);
one backward: the sums that every value's gradient needs. Shapes: N examples here, C channels, W devices.

    y = (x - mean) / sqrt(var + eps) * weight + bias
    dx = weight / sqrt(var + eps) * (dy - sum(dy) / n - x^ sum(dy x^) / n),  sums over all n values of a channel
"""

from typing import Any, Protocol

import torch
from torch import Tensor
from torch.nn import functional as F


class Across(Protocol):
    """What a norm needs of the other devices.

    Attributes:
        counts: Inputs of each device in the batch in hand.
    """

    counts: list[int]

    def sum(self, tensor: Tensor) -> Tensor:
        """Replace a tensor by the sum of those of all devices; return it."""
        ...

    def stack(self, tensor: Tensor) -> Tensor:
        """Return the tensors of all devices (W, ...)."""
        ...


def batch_norm(
    across: Across,
    x: Tensor,
    mean: Tensor | None,
    var: Tensor | None,
    weight: Tensor | None,
    bias: Tensor | None,
    training: bool,
    momentum: float,
    eps: float,
) -> Tensor:
    """Do as `torch.nn.functional.batch_norm`, in training by the statistics of all devices.

    Args:
        across: To the other devices.
        x: Inputs (N, C, ...).
        mean: Running mean (C,), changed in place; None for none.
        var: Running unbiased variance (C,), as `mean`.
        weight: Scale (C,), None for 1.
        bias: Shift (C,), None for 0.
        training: Whether to normalise by the batch.
        momentum: Weight of the batch in the running statistics.
        eps: Added to the variance.
    """
    if not training:
        return F.batch_norm(x, mean, var, weight, bias, False, 0.0, eps)
    num = sum(across.counts) * space_of(x)
    scale = x.new_ones(x.shape[1]) if weight is None else weight
    shift = torch.zeros_like(scale) if bias is None else bias
    y, mean_C, var_C = _Synced.apply(x, scale, shift, eps, across)
    if mean is not None and var is not None:
        mean.lerp_(mean_C, momentum)
        var.lerp_(var_C * (num / max(num - 1, 1)), momentum)
    return y


def space_of(x: Tensor) -> int:
    """Return the values of an example in a channel."""
    return x.shape[2:].numel()


class _Synced(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, x: Tensor, weight_C: Tensor, bias_C: Tensor, eps: float, across: Across
    ) -> tuple[Tensor, Tensor, Tensor]:
        axes, view = [0, *range(2, x.dim())], [1, -1, *[1] * (x.dim() - 2)]
        values = x.to(weight_C.dtype)  # of half precision, sums are not
        nums_W = values.new_tensor([count * space_of(x) for count in across.counts])
        num = sum(across.counts) * space_of(x)
        own_C = values.sum(axes) / max(values.numel() // x.shape[1], 1)
        squares_C = (values - own_C.view(view)).square().sum(axes)
        means_WC, squares_WC = across.stack(torch.stack([own_C, squares_C])).unbind(1)
        mean_C = (nums_W @ means_WC) / num
        var_C = (squares_WC.sum(0) + nums_W @ (means_WC - mean_C).square()) / num
        root_C = (var_C + eps).rsqrt()
        normed = (values - mean_C.view(view)) * root_C.view(view)
        ctx.save_for_backward(normed, weight_C, root_C)
        ctx.axes, ctx.view, ctx.num, ctx.across, ctx.dtype = axes, view, num, across, x.dtype
        ctx.mark_non_differentiable(mean_C, var_C)
        return (normed * weight_C.view(view) + bias_C.view(view)).to(x.dtype), mean_C, var_C

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        normed, weight_C, root_C = ctx.saved_tensors
        grad = grads[0].to(weight_C.dtype)
        by_bias_C, by_weight_C = grad.sum(ctx.axes), (grad * normed).sum(ctx.axes)
        mean_C, slope_C = (ctx.across.sum(torch.stack([by_bias_C, by_weight_C])) / ctx.num).unbind(0)
        centred = grad - mean_C.view(ctx.view) - normed * slope_C.view(ctx.view)
        by_x = (centred * (weight_C * root_C).view(ctx.view)).to(ctx.dtype)
        return by_x, by_weight_C, by_bias_C, None, None  # the parameters' gradients are summed with all others
