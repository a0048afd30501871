"""No augmentation."""

import torch
from torch import Tensor


class NoAugment:
    """Images as they are."""

    def __init__(self):
        pass

    def __call__(self, images: Tensor, targets: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Return both unchanged, without a draw."""
        return images, targets
