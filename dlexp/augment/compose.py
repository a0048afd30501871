"""Several augmentations in turn."""

from typing import Any

import torch
from torch import Tensor


class Compose:
    """Applies a list of augmentations, each to what the one before gave.

    Args:
        steps: Augmentations in order, each as its own option is written; null = none.
    """

    def __init__(self, steps: list[Any] | None = None):
        self.steps = steps or []

    def __call__(self, images: Tensor, targets: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Return what the last step gives."""
        for step in self.steps:
            images, targets = step(images, targets, generator)
        return images, targets
