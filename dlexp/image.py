"""What a stored image means as numbers."""

import torch
from torch import Tensor


def as_float(x: Tensor) -> Tensor:
    """Return x as floats; bytes are divided by 255, so that images lie in [0, 1]."""
    return x.float().div_(255) if x.dtype == torch.uint8 else x if x.is_floating_point() else x.float()
