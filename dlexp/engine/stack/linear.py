"""Linear layers of a stack, with the products in the order in which a module alone takes them.

y = x W^T + b. Left to itself, autograd takes the weight's gradient as (x^T g)^T, a product of another shape, and so of
other roundings, than the module's g^T x; it also leaves a transposed gradient to be copied.
Shapes: T trials, N batch, D inputs, E outputs.
"""

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F


def linear(x_TND: Tensor, weight_TED: Tensor, bias_TE: Tensor | None) -> Tensor:
    """Return x W^T + b (T, N, E)."""
    if torch.is_autocast_enabled(x_TND.device.type):
        dtype = torch.get_autocast_dtype(x_TND.device.type)
        x_TND, weight_TED = x_TND.to(dtype), weight_TED.to(dtype)
        bias_TE = None if bias_TE is None else bias_TE.to(dtype)
    return _Linear.apply(x_TND, weight_TED, bias_TE)


def runs_apart(device: torch.device) -> bool:
    """Whether MKL computes: its batched product takes another way for many trials than for one, of some shapes."""
    return device.type == "cpu"


class _Linear(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x_TND: Tensor, weight_TED: Tensor, bias_TE: Tensor | None) -> Tensor:
        ctx.save_for_backward(x_TND, weight_TED)
        if weight_TED.shape[1] == 1 and runs_apart(x_TND.device):
            biases = [None] * len(weight_TED) if bias_TE is None else bias_TE.unbind()
            return torch.stack([F.linear(*operands) for operands in zip(x_TND, weight_TED, biases, strict=True)])
        if weight_TED.shape[1] == 1 and x_TND.device.type == "cuda":
            # torch 2.14 and later compile products with a side of 1 by Triton, for seconds: a sum of products instead.
            y_TN1 = (x_TND * weight_TED).sum(2, keepdim=True)
            return y_TN1 if bias_TE is None else y_TN1 + bias_TE.unsqueeze(1)
        if bias_TE is None:
            return torch.bmm(x_TND, weight_TED.transpose(1, 2))
        return torch.baddbmm(bias_TE.unsqueeze(1), x_TND, weight_TED.transpose(1, 2))

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, Tensor | None, Tensor | None]:
        grad_TNE = grads[0]
        x_TND, weight_TED = ctx.saved_tensors
        needs_x, needs_weight, needs_bias = ctx.needs_input_grad
        if weight_TED.shape[1] == 1 and x_TND.device.type == "cuda":
            return (
                grad_TNE * weight_TED if needs_x else None,
                (grad_TNE * x_TND).sum(1, keepdim=True) if needs_weight else None,
                grad_TNE.sum(1) if needs_bias else None,
            )
        return (
            torch.bmm(grad_TNE, weight_TED) if needs_x else None,
            torch.bmm(grad_TNE.transpose(1, 2), x_TND) if needs_weight else None,
            grad_TNE.sum(1) if needs_bias else None,
        )
