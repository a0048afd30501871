"""Softmax regression: one linear layer; the loss applies the softmax.

Features: any input, flattened; the baseline that every network must beat.
"""

import math

from torch import Tensor, nn


class Softmax(nn.Module):
    """Softmax (multinomial logistic) regression: logits = W x + b.

    References:
        Bishop (2006), Pattern Recognition and Machine Learning, section 4.3.4.
    """

    def __init__(self, *, in_shape: tuple[int, ...], num_outputs: int) -> None:
        super().__init__()
        self.linear = nn.Linear(math.prod(in_shape), num_outputs)

    def forward(self, x: Tensor) -> Tensor:
        """Return logits (N, num_outputs) of images (N, C, H, W) or vectors (N, D)."""
        return self.linear(x.flatten(1))
