"""Linear layers of a stack, with the products in the order in which a module alone takes them.

y = x W^T + b. Left to itself, autograd takes the weight's gradient as (x^T g)^T, a product of another shape, and so of
other roundings, than the module's g^T x; it also leaves a transposed gradient to be copied.
Shapes: T trials, N batch, D inputs, E outputs.
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

LINE = 64  # bytes: where memory of its own begins, and what a product's rounding may depend on


def linear(x_TND: Tensor, weight_TED: Tensor, bias_TE: Tensor | None) -> Tensor:
    """Return x W^T + b (T, N, E)."""
    if torch.is_autocast_enabled(x_TND.device.type):
        dtype = torch.get_autocast_dtype(x_TND.device.type)
        x_TND, weight_TED = x_TND.to(dtype), weight_TED.to(dtype)
        bias_TE = None if bias_TE is None else bias_TE.to(dtype)
    return _Linear.apply(x_TND, weight_TED, bias_TE)


def alone(x_ND: Tensor, weight_ED: Tensor, bias_E: Tensor | None) -> Tensor:
    """Return x W^T + b of one of many trials: its examples begin a line of memory, as those of a trial alone do."""
    is_in_line = x_ND.storage_offset() * x_ND.element_size() % LINE == 0
    return F.linear(x_ND if is_in_line else x_ND.clone(), weight_ED, bias_E)


class _Linear(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x_TND: Tensor, weight_TED: Tensor, bias_TE: Tensor | None) -> Tensor:
        ctx.save_for_backward(x_TND, weight_TED)
        return outputs(x_TND, weight_TED, bias_TE)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, Tensor | None, Tensor | None]:
        x_TND, weight_TED = ctx.saved_tensors
        return gradients(grads[0], x_TND, weight_TED, ctx.needs_input_grad)


def outputs(x_TND: Tensor, weight_TED: Tensor, bias_TE: Tensor | None) -> Tensor:
    """Return x W^T + b (T, N, E), whatever autograd is to know of it."""
    if _rounds_otherwise(x_TND, weight_TED):
        biases = [None] * len(weight_TED) if bias_TE is None else bias_TE.unbind()
        operands = zip(_apart(x_TND), weight_TED, biases, strict=True)
        return torch.stack([F.linear(*each) for each in operands])
    if _is_a_sum(x_TND, weight_TED):
        y_TN1 = (x_TND * weight_TED).sum(2, keepdim=True)
        return y_TN1 if bias_TE is None else y_TN1 + bias_TE.unsqueeze(1)
    if bias_TE is None:
        return torch.bmm(x_TND, weight_TED.transpose(1, 2))
    return torch.baddbmm(bias_TE.unsqueeze(1), x_TND, weight_TED.transpose(1, 2))


def gradients(
    grad_TNE: Tensor, x_TND: Tensor, weight_TED: Tensor, needs: Sequence[bool]
) -> tuple[Tensor | None, Tensor | None, Tensor | None]:
    """Return the gradients by x (T, N, D), W (T, E, D) and b (T, E).

    Args:
        grad_TNE: By the outputs.
        x_TND: Inputs.
        weight_TED: W.
        needs: Which of the three are wanted; the others are None.
    """
    needs_x, needs_weight, needs_bias = needs
    if _is_a_sum(x_TND, weight_TED):
        return (
            grad_TNE * weight_TED if needs_x else None,
            (grad_TNE * x_TND).sum(1, keepdim=True) if needs_weight else None,
            grad_TNE.sum(1) if needs_bias else None,
        )
    product = _in_turn if _rounds_otherwise(x_TND, weight_TED) else torch.bmm
    return (
        product(grad_TNE, weight_TED) if needs_x else None,
        product(grad_TNE.transpose(1, 2), x_TND) if needs_weight else None,
        grad_TNE.sum(1) if needs_bias else None,
    )


def _is_a_sum(x_TND: Tensor, weight_TED: Tensor) -> bool:
    """Whether one output is summed: torch 2.14 and later compile such products for CUDA by Triton, for seconds."""
    return weight_TED.shape[1] == 1 and x_TND.device.type == "cuda"


def _rounds_otherwise(x_TND: Tensor, weight_TED: Tensor) -> bool:
    """Whether MKL takes another way in a batched product: one output, one example, or rows out of line."""
    if x_TND.device.type != "cpu":
        return False
    num, (num_outputs, num_inputs) = x_TND.shape[1], weight_TED.shape[1:]
    widths = [num * width * x_TND.element_size() for width in (num_inputs, num_outputs)]
    return num_outputs == 1 or num == 1 or any(width % LINE for width in widths)


def _apart(x_TND: Tensor) -> list[Tensor]:
    """Return each trial's examples where memory begins anew, as those of a trial alone do."""
    return [row.clone(memory_format=torch.preserve_format) for row in x_TND]


def _in_turn(a_TNM: Tensor, b_TMK: Tensor) -> Tensor:
    """Return the products of each trial, taken alone."""
    return torch.stack([torch.mm(a, b) for a, b in zip(_apart(a_TNM), _apart(b_TMK), strict=True)])
