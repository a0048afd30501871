"""Multi-layer perceptron.

Features: any list of widths; images are flattened; each hidden layer is linear, norm, activation, dropout; an optional
linear shortcut around each hidden layer. The activation defaults to relu with kaiming_normal (He et al. 2015), and
batch norm stands before the activation (Ioffe and Szegedy 2015, section 3.2).
Shapes: N batch, D features in, E features out.
"""

import math

from torch import Tensor, nn

from dlexp.model.layer import Blocks, Factory
from dlexp.type import Widths


class DenseLayer(nn.Module):
    """One hidden layer: h = dropout(f(norm(W x + b)) [+ Ws x]).

    Args:
        in_features: D.
        out_features: E.
        shortcut: Whether Ws x is added; Ws is a matrix (E, D) without bias.
        parts: f, norm and dropout; where the norm adds a bias, b is left out.
    """

    def __init__(self, in_features: int, out_features: int, shortcut: bool, parts: Blocks) -> None:
        super().__init__()
        self.linear = nn.Linear(in_features, out_features, bias=parts.needs_bias)
        self.norm = parts.norm(num_features=out_features)
        self.activation = parts.activation(num_features=out_features)
        self.shortcut = nn.Linear(in_features, out_features, bias=False) if shortcut else None
        self.dropout = parts.dropout()

    def forward(self, x_ND: Tensor) -> Tensor:
        """Return hidden values (N, E)."""
        h_NE = self.activation(self.norm(self.linear(x_ND)))
        if self.shortcut is not None:
            h_NE = h_NE + self.shortcut(x_ND)
        return self.dropout(h_NE)


class MLP(nn.Module):
    """Multi-layer perceptron: hidden layers h = f(norm(W x + b)), then a linear output.

    Args:
        widths: Units of each hidden layer, first to last.
        shortcut: Adds a linear shortcut per hidden layer, h = f(W x + b) + Ws x.

    References:
        Rumelhart, Hinton, Williams (1986), Learning representations by back-propagating errors, Nature 323.
    """

    def __init__(
        self,
        widths: Widths = [128, 128],
        shortcut: bool = False,
        *,
        in_shape: tuple[int, ...],
        num_outputs: int,
        activation: Factory,
        norm: Factory,
        dropout: Factory,
    ) -> None:
        super().__init__()
        parts = Blocks(norm, activation, dropout)
        sizes = [math.prod(in_shape), *widths]
        self.hidden = nn.Sequential(*(DenseLayer(sizes[i], sizes[i + 1], shortcut, parts) for i in range(len(widths))))
        self.output = nn.Linear(sizes[-1], num_outputs)

    def forward(self, x: Tensor) -> Tensor:
        """Return logits (N, num_outputs) of images (N, C, H, W) or vectors (N, D)."""
        return self.output(self.hidden(x.flatten(1)))
