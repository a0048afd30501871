"""Multi-layer perceptron.

Features: any list of widths; images are flattened; each hidden layer is linear, norm, activation, dropout; optional
linear shortcuts around each hidden layer and from the input to the output; optional dropout of the inputs. The
activation defaults to relu with kaiming_normal (He et al. 2015), and batch norm stands before the activation (Ioffe and
Szegedy 2015, section 3.2).
Shapes: N batch, D features in, E features out.
"""

import math

from torch import Tensor, nn

from dlexp.dropout import NoDropout
from dlexp.error import ConfigError
from dlexp.model.layer import Blocks, Factory
from dlexp.type import PerTrial, Probability, Widths


class DenseLayer(nn.Module):
    """One hidden layer: h = dropout(f(norm(W x + b)) [+ Ws x]).

    Args:
        in_features: D.
        out_features: E.
        shortcut: Whether Ws x is added; Ws is a matrix (E, D) without bias.
        blocks: f, norm and dropout; where the norm adds a bias, b is left out.
    """

    def __init__(self, in_features: int, out_features: int, shortcut: bool, blocks: Blocks) -> None:
        super().__init__()
        self.linear = nn.Linear(in_features, out_features, bias=blocks.needs_bias)
        self.norm = blocks.norm(num_features=out_features)
        self.activation = blocks.activation(num_features=out_features)
        self.shortcut = nn.Linear(in_features, out_features, bias=False) if shortcut else None
        self.dropout = blocks.dropout()

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
        output_shortcut: Adds a linear map of the input to the output, z = W h + b + Ws x.
        input_dropout: Probability that an input is zeroed in training, by the kind of dropout in use; null for none.

    References:
        Rumelhart, Hinton, Williams (1986), Learning representations by back-propagating errors, Nature 323.
        Hinton et al. (2012), arXiv:1207.0580 (20 % of the inputs dropped, 50 % of the hidden units).
    """

    def __init__(
        self,
        widths: Widths = [128, 128],
        shortcut: bool = False,
        output_shortcut: bool = False,
        input_dropout: PerTrial[Probability] | None = None,
        *,
        in_shape: tuple[int, ...],
        num_outputs: int,
        activation: Factory,
        norm: Factory,
        dropout: Factory,
    ) -> None:
        super().__init__()
        if input_dropout is not None and dropout.func is NoDropout:
            raise ConfigError(
                f"model.input_dropout: got {input_dropout} with dropout=none; choose dropout=inverted or classic"
            )
        self.input_dropout = None if input_dropout is None else dropout(p=input_dropout)
        blocks = Blocks(norm, activation, dropout)
        sizes = [math.prod(in_shape), *widths]
        self.hidden = nn.Sequential(*(DenseLayer(sizes[i], sizes[i + 1], shortcut, blocks) for i in range(len(widths))))
        self.output = nn.Linear(sizes[-1], num_outputs)
        self.output_shortcut = nn.Linear(sizes[0], num_outputs, bias=False) if output_shortcut else None

    @property
    def output_layers(self) -> list[nn.Module]:
        """The layers that give logits."""
        return [self.output] if self.output_shortcut is None else [self.output, self.output_shortcut]

    def forward(self, x: Tensor) -> Tensor:
        """Return logits (N, num_outputs) of images (N, C, H, W) or vectors (N, D)."""
        x_ND = x.flatten(1) if self.input_dropout is None else self.input_dropout(x.flatten(1))
        logits_NK = self.output(self.hidden(x_ND))
        return logits_NK if self.output_shortcut is None else logits_NK + self.output_shortcut(x_ND)
