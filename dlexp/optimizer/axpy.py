"""a x + y in one kernel, the operation that update rules are made of.

It may round once or twice, by the chip; on one chip it does the same for every element, so that a trial's numbers do
not depend on its place in a stack (tested; holds for torch's AVX-512, AVX2 and plain kernels).
"""

import torch
from torch import Tensor


def axpy(a: float | Tensor, x: Tensor, y: Tensor, out: Tensor | None = None, sign: int = 1) -> Tensor:
    """Return y + sign * a * x.

    Args:
        a: A number or a tensor (T, 1).
        x: Tensor (T, P).
        y: Tensor (T, P).
        out: Where the result goes; may be x or y. None: y.
        sign: 1 or -1.
    """
    out = y if out is None else out
    if isinstance(a, Tensor):
        return torch.addcmul(y, x, a, value=sign, out=out)
    return torch.add(y, x, alpha=sign * a, out=out)
