"""The forward pass of a program of T trials. Only this differs between solo and fused training.

Shapes: T trials, N batch, K outputs.
"""

from typing import Protocol

import torch
from torch import Tensor, nn

from dlexp.dropout import Classic, Inverted
from dlexp.engine.flat import Flat
from dlexp.random import derive


class Forward(Protocol):
    """What the engine needs of a program.

    Attributes:
        flat: The parameters of all trials.
        grads: Gradients (T, P), which a backward pass adds to.
    """

    flat: Flat
    grads: Tensor

    def __call__(self, x: Tensor) -> Tensor | list[Tensor]:
        """Return outputs (T, N, K), or a list of them when the model has auxiliary heads."""
        ...

    def set_training(self, is_training: bool) -> None:
        """Switch between training and evaluation behaviour."""
        ...

    def seed_dropout(self, seeds: list[int], step: int) -> None:
        """Name the dropout stream of each trial for one step."""
        ...

    def weights(self, trial: int) -> dict[str, Tensor]:
        """Return copies of one trial's parameters and persistent buffers by their module names."""
        ...

    def load_weights(self, trial: int, weights: dict[str, Tensor]) -> None:
        """Write one trial's parameters and persistent buffers."""
        ...


class Solo:
    """One trial: the plain module, its parameters views of the flat tensor's only row."""

    def __init__(self, model: nn.Module, *, device: torch.device, channels_last: bool, compile: bool = False) -> None:
        """Move an initialised model's parameters into the flat tensor."""
        self.model = model.to(device)
        dtype = next(model.parameters()).dtype
        self.flat = Flat(model, 1, dtype=dtype, device=device, channels_last=channels_last)
        self.grads = torch.zeros_like(self.flat.tensor)
        trained = [p for p in model.parameters() if p.requires_grad]
        for parameter, view, grad in zip(trained, self.flat.views, self.flat.split(self.grads), strict=True):
            view[0].copy_(parameter.detach())
            parameter.data, parameter.grad = view[0], grad[0]
        self._call = torch.compile(model) if compile else model
        droppers = [m for m in model.modules() if isinstance(m, Inverted | Classic)]
        self._dropout_seeds = torch.zeros(len(droppers), dtype=torch.int64, device=device)
        self._layer_numbers = torch.arange(len(droppers), dtype=torch.int64, device=device)
        self._has_dropout = bool(droppers)
        for number, dropper in enumerate(droppers):
            dropper.seed = self._dropout_seeds[number]

    def __call__(self, x: Tensor) -> Tensor | list[Tensor]:
        """See `Forward`; x is (N, ...)."""
        outputs = self._call(x)
        if isinstance(outputs, list):
            return [output.unsqueeze(0) for output in outputs]
        return outputs.unsqueeze(0)

    def set_training(self, is_training: bool) -> None:
        """See `Forward`."""
        self.model.train(is_training)

    def seed_dropout(self, seeds: list[int], step: int) -> None:
        """See `Forward`; layer l draws from the stream that is l after the step's."""
        if self._has_dropout:
            torch.add(self._layer_numbers, derive(seeds[0], "dropout", step) >> 8, out=self._dropout_seeds)

    def weights(self, trial: int) -> dict[str, Tensor]:
        """See `Forward`."""
        assert trial == 0
        return {name: value.detach().clone() for name, value in self.model.state_dict().items()}

    def load_weights(self, trial: int, weights: dict[str, Tensor]) -> None:
        """See `Forward`."""
        assert trial == 0
        self.model.load_state_dict(weights)
