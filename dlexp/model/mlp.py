"""Multi-layer perceptron.

Features: any list of widths; images are flattened; each hidden layer is linear, norm, activation, dropout; optional
linear shortcuts around each hidden layer and from the input to the output; optional dropout of the inputs; as an
autoencoder, the same layers in reverse in the output's place. The activation defaults to relu with kaiming_normal (He
et al. 2015), and batch norm stands before the activation (Ioffe and Szegedy 2015, section 3.2).
Shapes: N batch, D features.
"""

import math

from torch import Tensor, nn

from dlexp.dropout import NoDropout
from dlexp.error import ConfigError
from dlexp.model.decoder import DenseDecoder, make_code
from dlexp.model.layer import Blocks, DenseLayer, Factory
from dlexp.type import RECONSTRUCT, Count, PerTrial, Probability, Widths


class MLP(nn.Module):
    """Multi-layer perceptron: hidden layers h = f(norm(W x + b)), then a linear output.

    As an autoencoder a code c = W h + b follows the hidden layers, and a decoder of the same widths in reverse.

    Args:
        widths: Units of each hidden layer, first to last.
        shortcut: Adds a linear shortcut per hidden layer, h = f(W x + b) + Ws x.
        output_shortcut: Adds a linear map of the input to the output, z = W h + b + Ws x.
        input_dropout: Probability that an input is zeroed in training, by the kind of dropout in use; null for none.
        code: Units of an autoencoder's code, a linear layer; null takes the last hidden layer as the code.

    References:
        Rumelhart, Hinton, Williams (1986), Learning representations by back-propagating errors, Nature 323.
        Hinton et al. (2012), arXiv:1207.0580 (20 % of the inputs dropped, 50 % of the hidden units).
        Hinton and Salakhutdinov (2006), Reducing the Dimensionality of Data with Neural Networks, Science 313 (a linear
        code between mirrored layers).
    """

    def __init__(
        self,
        widths: Widths = [128, 128],
        shortcut: bool = False,
        output_shortcut: bool = False,
        input_dropout: PerTrial[Probability] | None = None,
        code: Count | None = None,
        *,
        in_shape: tuple[int, ...],
        num_outputs: int,
        activation: Factory,
        norm: Factory,
        dropout: Factory,
        task: str = "multiclass",
    ) -> None:
        super().__init__()
        if input_dropout is not None and dropout.func is NoDropout:
            raise ConfigError(
                f"model.input_dropout: got {input_dropout} with dropout=none; choose dropout=inverted or classic"
            )
        if output_shortcut and task == RECONSTRUCT:
            raise ConfigError(
                f"model.output_shortcut: got true with task={RECONSTRUCT}; it leads past the code: set false"
            )
        self.input_dropout = None if input_dropout is None else dropout(p=input_dropout)
        blocks = Blocks(norm, activation, dropout)
        sizes = [math.prod(in_shape), *widths]
        self.hidden = nn.Sequential(*(DenseLayer(sizes[i], sizes[i + 1], shortcut, blocks) for i in range(len(widths))))
        self.code = make_code(sizes[-1], code, task)
        self.decoder: DenseDecoder | None = None
        if task == RECONSTRUCT:
            self.decoder = DenseDecoder([*sizes, *([] if code is None else [code])], shortcut, blocks)
        else:
            self.output = nn.Linear(sizes[-1], num_outputs)
        self.output_shortcut = nn.Linear(sizes[0], num_outputs, bias=False) if output_shortcut else None

    @property
    def output_layers(self) -> list[nn.Module]:
        """The layers that give the outputs."""
        last = self.output if self.decoder is None else self.decoder.output
        return [layer for layer in (last, self.output_shortcut) if layer is not None]

    def forward(self, x: Tensor) -> Tensor:
        """Return outputs (N, num_outputs) of images (N, C, H, W) or vectors (N, D)."""
        x_ND = x.flatten(1) if self.input_dropout is None else self.input_dropout(x.flatten(1))
        h_NE = self.hidden(x_ND)
        if self.decoder is not None:
            return self.decoder(h_NE if self.code is None else self.code(h_NE))
        outputs_NK = self.output(h_NE)
        return outputs_NK if self.output_shortcut is None else outputs_NK + self.output_shortcut(x_ND)
