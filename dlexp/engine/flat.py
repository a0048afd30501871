"""All trainable parameters of T trials in one tensor (T, P), so that an update is a few kernels whatever the model.

Shapes: T trials, P elements of a trial with each parameter padded to 64 bytes; pads are zero and stay so.
"""

from collections.abc import Iterable

import torch
from torch import Tensor, nn

from dlexp.engine.freeze.mark import late_names

ALIGNMENT = 16  # elements; kernels on views that begin at odd addresses are slower


class Flat:
    """The layout of a model's trainable parameters in a row, and the tensor that holds them.

    Attributes:
        names: Names of the parameters in the model's order; those that were frozen before come last.
        tensor: Parameters (T, P).
        views: One view (T, *shape) of `tensor` for each parameter.
    """

    def __init__(
        self, model: nn.Module, num_trials: int, *, dtype: torch.dtype, device: torch.device, channels_last: bool
    ) -> None:
        """Lay out the model's parameters that require a gradient, late ones last; values start at zero."""
        late = late_names(model)
        named = [(name, p) for name, p in model.named_parameters() if p.requires_grad]
        named.sort(key=lambda pair: pair[0] in late)
        self.names = [name for name, _ in named]
        self.shapes = [p.shape for _, p in named]
        self.channels_last = channels_last
        self.offsets, end = [], 0
        for shape in self.shapes:
            self.offsets.append(end)
            end += shape.numel() + -shape.numel() % ALIGNMENT
        self.tensor = torch.zeros(num_trials, end, dtype=dtype, device=device)
        self.views = self.split(self.tensor)

    def split(self, tensor_TP: Tensor) -> list[Tensor]:
        """Return one view (T, *shape) a parameter of a tensor with this layout."""
        return [
            self.shape_view(tensor_TP[:, start : start + shape.numel()], shape)
            for start, shape in zip(self.offsets, self.shapes, strict=True)
        ]

    def pads(self, tensor_TP: Tensor) -> list[Tensor]:
        """Return the columns of a tensor with this layout that belong to no parameter."""
        starts = [start + shape.numel() for start, shape in zip(self.offsets, self.shapes, strict=True)]
        ends = [*self.offsets[1:], tensor_TP.shape[1]]
        return [tensor_TP[:, start:end] for start, end in zip(starts, ends, strict=True) if end > start]

    def shape_view(self, columns: Tensor, shape: torch.Size) -> Tensor:
        """Return a parameter's columns (T, n) in its shape (T, *shape)."""
        num_trials = columns.shape[0]
        if self.channels_last and len(shape) == 4:
            out, inner, height, width = shape
            return columns.view(num_trials, out, height, width, inner).permute(0, 1, 4, 2, 3)
        return columns.view(num_trials, *shape)

    def mask(self, chosen: Iterable[str]) -> Tensor:
        """Return a (P,) tensor with 1 at the elements of the chosen parameters, 0 elsewhere."""
        mask = torch.zeros_like(self.tensor[0])
        wanted = set(chosen)
        for name, start, shape in zip(self.names, self.offsets, self.shapes, strict=True):
            if name in wanted:
                mask[start : start + shape.numel()] = 1
        return mask


def matrix_names(model: nn.Module) -> list[str]:
    """Return the names of the weights proper: parameters of two or more dimensions, so no bias and no norm's."""
    return [name for name, p in model.named_parameters() if p.requires_grad and p.dim() >= 2]
