"""What adaptive rules divide by, in the three forms that are printed. Shapes: T trials, P parameters."""

from typing import Literal

import torch
from torch import Tensor

Form = Literal["outside", "inside", "rootless"]


def denominator(squares_TP: Tensor, eps: float | Tensor, form: Form, out: Tensor | None = None) -> Tensor:
    """Return sqrt(s) + eps, sqrt(s + eps) or s + eps.

    Args:
        squares_TP: s, a sum or mean of squared gradients.
        eps: A number or a tensor (T, 1), > 0.
        form: `outside`, `inside` or `rootless`.
        out: Where the result goes; None: a new tensor.
    """
    if form == "outside":
        return torch.sqrt(squares_TP, out=out).add_(eps)
    total_TP = torch.add(squares_TP, eps, out=out)
    return total_TP.sqrt_() if form == "inside" else total_TP
