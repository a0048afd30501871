"""Linear layers of a stack, with the products in the order in which a module alone takes them.

y = x W^T + b. Left to itself, autograd takes the weight's gradient as (x^T g)^T, a product of another shape, and so of
other roundings, than the module's g^T x; it also leaves a transposed gradient to be copied.
Shapes: T trials, N batch, D inputs, E outputs.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Literal

import torch
from torch import Tensor
from torch.nn import functional as F

Way = Literal["at once", "in turn", "sum"]
OWN_LOOP = 400  # terms of a product, below which torch's batched one is no call of MKL
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
    way = _way(x_TND, weight_TED)
    if way == "in turn":
        biases = [None] * len(weight_TED) if bias_TE is None else bias_TE.unbind()
        operands = zip(_apart(x_TND), weight_TED, biases, strict=True)
        return torch.stack([F.linear(*each) for each in operands])
    if way == "sum":
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
    way = _way(x_TND, weight_TED)
    if way == "sum":
        return (
            grad_TNE * weight_TED if needs_x else None,
            (grad_TNE * x_TND).sum(1, keepdim=True) if needs_weight else None,
            grad_TNE.sum(1) if needs_bias else None,
        )
    product = _in_turn if way == "in turn" else torch.bmm
    return (
        product(grad_TNE, weight_TED) if needs_x else None,
        product(grad_TNE.transpose(1, 2), x_TND) if needs_weight else None,
        grad_TNE.contiguous().sum(1) if needs_bias else None,  # rounded by the order in memory
    )


def _way(x_TND: Tensor, weight_TED: Tensor) -> Way:
    return _way_of(x_TND.device.type, x_TND.shape[1], weight_TED.shape, x_TND.element_size())


@lru_cache(maxsize=256)
def _way_of(device: str, num: int, shape: torch.Size, size: int) -> Way:
    """Return how products are taken.

    "sum" on CUDA for one output: torch 2.14 and later compile such products by Triton, for seconds. "in turn" where
    batched products take another way on a CPU: one output, one example, rows out of line, or few enough terms for
    torch's own loop in MKL's place.
    """
    _, num_outputs, num_inputs = shape
    if device != "cpu":
        return "sum" if num_outputs == 1 and device == "cuda" else "at once"
    is_out_of_line = any(num * width * size % LINE for width in (num_inputs, num_outputs))
    is_tiny = num_outputs == 1 or num == 1 or num * num_outputs * num_inputs < OWN_LOOP
    return "in turn" if is_tiny or is_out_of_line else "at once"


def _apart(x_TND: Tensor) -> list[Tensor]:
    """Return each trial's examples where memory begins anew, as those of a trial alone do."""
    return [row.clone(memory_format=torch.preserve_format) for row in x_TND]


def _in_turn(a_TNM: Tensor, b_TMK: Tensor) -> Tensor:
    """Return the products of each trial, taken alone."""
    return torch.stack([torch.mm(a, b) for a, b in zip(_apart(a_TNM), _apart(b_TMK), strict=True)])
