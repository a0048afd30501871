"""Dropout with a mask that is a pure function of (seed, position).

The program writes the buffer `seed` of every layer before each batch, a stream of its own; the same seed gives the
same mask, alone or under ``torch.func.vmap`` with a seed and a rate per trial. Both kinds have equal expectations in
training and evaluation, in a linear network through any number of layers.
"""

import torch
from torch import Tensor, nn

from dlexp.random import hashed_uniform
from dlexp.type import PerTrial, Probability


class _Dropout(nn.Module):
    """The buffers, 0-dimensional so that they stack per trial; not saved, as the program sets them.

    Attributes:
        first: Place in the batch of the first example here: of a batch that devices share, each draws the mask of its
            examples.
    """

    seed: Tensor
    p: Tensor
    first: int = 0

    def __init__(self, p: float):
        super().__init__()
        self.register_buffer("seed", torch.tensor(0, dtype=torch.int64), persistent=False)
        self.register_buffer("p", torch.tensor(float(p)), persistent=False)

    def _kept(self, x: Tensor) -> Tensor:
        return (hashed_uniform(x.shape, self.seed, self.first * x.shape[1:].numel()) >= self.p).to(x.dtype)


class Inverted(_Dropout):
    """Inverted dropout: x * mask / (1 - p) in training, x in evaluation.

    Args:
        p: Probability that an element is zeroed, in [0, 1).

    References:
        Srivastava, Hinton, Krizhevsky, Sutskever and Salakhutdinov (2014), Dropout, JMLR 15, section 10.
    """

    def __init__(self, p: PerTrial[Probability] = 0.5):
        super().__init__(p)

    def forward(self, x: Tensor) -> Tensor:
        """Return a tensor of the shape of `x`."""
        return x * self.factor(x) if self.training else x

    def factor(self, x: Tensor) -> Tensor:
        """Return what a tensor of this shape is multiplied by in training."""
        return self._kept(x) / (1 - self.p).to(x.dtype)


class Classic(_Dropout):
    """Classic dropout: x * mask in training, x * (1 - p) in evaluation.

    Args:
        p: Probability that an element is zeroed, in [0, 1).

    References:
        Hinton, Srivastava, Krizhevsky, Sutskever and Salakhutdinov (2012), arXiv:1207.0580.
    """

    def __init__(self, p: PerTrial[Probability] = 0.5):
        super().__init__(p)

    def forward(self, x: Tensor) -> Tensor:
        """Return a tensor of the shape of `x`."""
        return x * (self.factor(x) if self.training else (1 - self.p).to(x.dtype))

    def factor(self, x: Tensor) -> Tensor:
        """Return what a tensor of this shape is multiplied by in training."""
        return self._kept(x)


class NoDropout(nn.Identity):
    """Pass inputs on unchanged."""

    def __init__(self):
        super().__init__()


def stack_factor(x_TN: Tensor, seed_T: Tensor, p_T: Tensor, is_inverted: bool) -> Tensor:
    """Return what inputs (T, N, ...) are multiplied by in training, each trial's by its own seed and rate."""
    p = p_T.view(-1, *[1] * (x_TN.dim() - 1))
    mask = (hashed_uniform(x_TN.shape[1:], seed_T) >= p).to(x_TN.dtype)
    return mask / (1 - p).to(x_TN.dtype) if is_inverted else mask
