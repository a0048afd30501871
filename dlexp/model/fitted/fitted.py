"""What a model without gradients has: one step that fits it, and buffers that keep what it was fitted to.

The buffers are what a checkpoint holds; their sizes are those of the training part, so that loading sets them.
Shapes: N examples, D features, K outputs.
"""

import torch
from torch import Tensor, nn

from dlexp.error import ConfigError

SMALLEST = torch.finfo(torch.float64).eps  # that scikit-learn's log_loss puts in the place of probability 0


class Fitted(nn.Module):
    """A model that `fit` makes of the training part; outputs are 0 before.

    Attributes:
        evaluated_at_once: Examples of an evaluation; the search for neighbours divides its work itself.
    """

    evaluated_at_once = 1024

    def __init__(self, num_outputs: int) -> None:
        super().__init__()
        self.num_outputs = num_outputs
        self.empty = nn.Parameter(torch.empty(0))  # a module's device and type are those of its parameters
        self.register_load_state_dict_pre_hook(_make_room)

    @property
    def has_classes(self) -> bool:
        """Whether outputs are log-probabilities of classes, and not a value."""
        return self.num_outputs > 1

    def require(self, num_train: int) -> None:
        """Check that so many training examples suffice.

        Raises:
            ConfigError: They do not.
        """

    def fit(self, x: Tensor, targets_N: Tensor) -> None:
        """Fit to the training part.

        Args:
            x: Inputs as the model takes them, images (N, C, H, W) or vectors (N, D).
            targets_N: Classes, or values.
        """
        raise NotImplementedError

    def predict(self, x: Tensor) -> Tensor:
        """Return the probabilities (N, K) of classes in float64, or values (N, 1)."""
        raise NotImplementedError

    @property
    def is_fitted(self) -> bool:
        """Whether there is anything to predict with."""
        raise NotImplementedError

    def forward(self, x: Tensor) -> Tensor:
        """Return logarithms of probabilities (N, K), that of 0 as of 2.2e-16, or values (N, 1), in float64.

        Equal votes then stay equal: float32 logarithms do not add up to 1 closely enough for examples to tie.
        """
        if not self.is_fitted:
            return x.new_zeros(len(x), self.num_outputs, dtype=torch.float64)
        predicted = self.predict(x)
        return predicted.clamp(min=SMALLEST).log() if self.has_classes else predicted


def _make_room(module: nn.Module, state_dict: dict[str, Tensor], prefix: str, *_: object) -> None:
    """Give the buffers the sizes of the stored ones, which are then copied into them."""
    for name, buffer in module.named_buffers(recurse=False):
        if f"{prefix}{name}" in state_dict:
            setattr(module, name, buffer.new_empty(state_dict[f"{prefix}{name}"].shape))


def require_smoothing(smoothing: float, *, has_classes: bool) -> None:
    """Refuse pseudo-votes where there are no votes.

    Raises:
        ConfigError: Values are predicted.
    """
    if smoothing and not has_classes:
        raise ConfigError(f"model.smoothing: got {smoothing:g}; the data have values, which get no votes: leave it out")


def smooth(share_NK: Tensor, votes: float, smoothing: float) -> Tensor:
    """Return (votes * share + s) / (votes + s * K), each class given s pseudo-votes.

    Args:
        share_NK: Of the votes.
        votes: Number of all.
        smoothing: s, >= 0.

    References:
        Lidstone (1920), Note on the general case of the Bayes-Laplace formula, Transactions of the Faculty of
        Actuaries 8.
    """
    if not smoothing:
        return share_NK
    return (votes * share_NK + smoothing) / (votes + smoothing * share_NK.shape[-1])
