"""Input normalisation, fitted on the training part only: y = x * scale + shift per channel or feature.

Shapes: N examples, T trials, C channels (the last axis of an image) or features.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

_CHUNK_ROWS = 4096


@dataclass(frozen=True)
class Affine:
    """A fitted normalisation.

    Attributes:
        scale: (C,) float32, or (T, C) for a stack of trials.
        shift: As `scale`.
        fill: What a missing number (NaN) of a table counts as: the column's training mean, shaped as `scale`;
            None where nothing is missing.
    """

    scale: Tensor
    shift: Tensor
    fill: Tensor | None = None

    def apply(self, x: Tensor, channel_dim: int = -1) -> Tensor:
        """Return x * scale + shift in float32; bytes are first divided by 255.

        Args:
            x: (..., C) in any type, channels last; a stack needs (T, ..., C).
            channel_dim: Where the channels are, for example -3 for (N, C, H, W).
        """
        # The division of bytes goes into the scale: one pass over the batch less.
        scale = self.scale / 255 if x.dtype == torch.uint8 else self.scale
        y = x.movedim(channel_dim, -1).to(torch.float32, copy=True)
        if self.fill is not None:
            y = torch.where(y.isnan(), self._spread(self.fill, y), y)
        rows, shift = y, self.shift
        if y.dim() >= 4 and y.is_contiguous() and y.device.type == "cpu":
            # An inner axis of three channels defeats the CPU's vector loops: whole image rows are 4 times as fast.
            rows, width = y.flatten(-2), y.shape[-2]
            scale, shift = scale.tile(width), shift.tile(width)
        # Two roundings in any position; a fused multiply-add would differ between a kernel's body and its tail.
        rows.mul_(self._spread(scale, rows)).add_(self._spread(shift, rows))
        return y.movedim(-1, channel_dim)

    def invert(self, y: Tensor, channel_dim: int = -1) -> Tensor:
        """Return the x in [0, 1] (images) or in the column's unit (tables) that `apply` turned into y."""
        inverse = Affine(1 / self.scale, -self.shift / self.scale)
        return inverse.apply(y, channel_dim)

    @staticmethod
    def _spread(values: Tensor, x: Tensor) -> Tensor:
        """Give (C,) or (T, C) the axes to meet (..., C) or (T, ..., C)."""
        return values if values.dim() == 1 else values.view(len(values), *[1] * (x.dim() - 2), -1)

    def to(self, device: torch.device | str) -> "Affine":
        """Return the same normalisation on another device."""
        fill = None if self.fill is None else self.fill.to(device)
        return Affine(self.scale.to(device), self.shift.to(device), fill)

    def keep(self, rows: list[int]) -> "Affine":
        """Return the normalisation of some trials of a stack."""
        return Affine(self.scale[rows], self.shift[rows], None if self.fill is None else self.fill[rows])

    @staticmethod
    def stack(fits: Sequence["Affine"]) -> "Affine":
        """Return one normalisation for a stack of trials, row t that of trial t."""
        fill = None
        if any(fit.fill is not None for fit in fits):
            fill = torch.stack([torch.zeros_like(fit.scale) if fit.fill is None else fit.fill for fit in fits])
        return Affine(torch.stack([fit.scale for fit in fits]), torch.stack([fit.shift for fit in fits]), fill)


class Standard:
    """Mean 0 and standard deviation 1: y = (x - mean) / std; a constant channel or feature is only centred.

    References:
        Y. LeCun, L. Bottou, G. Orr, K.-R. Mueller (1998), Efficient BackProp, section 4.3.
    """

    def __init__(self):
        pass

    def fit(self, inputs: Tensor, rows: Tensor | None = None) -> Affine:
        """Return the normalisation of inputs (N, H, W, C) or (N, C); `rows` picks the training part without a copy."""
        fill = _means_of_present(inputs, rows)
        mean, count = torch.zeros(inputs.shape[-1], dtype=torch.float64, device=inputs.device), 0
        squares = torch.zeros_like(mean)
        for chunk in _chunks(inputs, rows, fill):
            # Chan's pairwise update keeps the variance exact where mean and deviation differ by orders of magnitude.
            part_mean, total = chunk.mean(0), count + len(chunk)
            delta = part_mean - mean
            squares += (chunk - part_mean).square().sum(0) + delta.square() * (count * len(chunk) / total)
            mean += delta * (len(chunk) / total)
            count = total
        std = (squares / count).sqrt()
        # Rounding leaves a constant column with a deviation of a few ulp instead of zero.
        is_constant = std <= 1e-12 * mean.abs().clamp(min=1)
        scale = torch.where(is_constant, 1.0, 1 / std.where(~is_constant, 1.0))
        return Affine(scale.float(), (-mean * scale).float(), fill)


class MinMax:
    """Range [0, 1]: y = (x - min) / (max - min); a constant channel or feature is only shifted to 0."""

    def __init__(self):
        pass

    def fit(self, inputs: Tensor, rows: Tensor | None = None) -> Affine:
        """Return the normalisation of inputs (N, H, W, C) or (N, C); `rows` picks the training part without a copy."""
        fill = _means_of_present(inputs, rows)
        low = torch.stack([chunk.amin(0) for chunk in _chunks(inputs, rows, fill)]).amin(0)
        high = torch.stack([chunk.amax(0) for chunk in _chunks(inputs, rows, fill)]).amax(0)
        scale = torch.where(high > low, 1 / (high - low).where(high > low, 1.0), 1.0)
        return Affine(scale.float(), (-low * scale).float(), fill)


class NoNormalize:
    """Inputs as they are; bytes become [0, 1]."""

    def __init__(self):
        pass

    def fit(self, inputs: Tensor, rows: Tensor | None = None) -> Affine:
        """Return the identity."""
        ones = torch.ones(inputs.shape[-1], device=inputs.device)
        return Affine(ones, torch.zeros_like(ones), _means_of_present(inputs, rows))


def _means_of_present(inputs: Tensor, rows: Tensor | None) -> Tensor | None:
    """Return each column's mean without missing numbers (0 if all are), or None when a table misses none."""
    if inputs.dim() != 2 or not inputs.is_floating_point():
        return None
    table = inputs if rows is None else inputs[rows]
    # Asked of all rows: a validation row may miss what no training row does.
    return table.double().nanmean(0).nan_to_num(0).float() if inputs.isnan().any() else None


def _chunks(inputs: Tensor, rows: Tensor | None, fill: Tensor | None) -> Iterator[Tensor]:
    """Yield float64 (rows, C) pieces, so that a large set of bytes is never held as floats."""
    pieces = inputs.split(_CHUNK_ROWS) if rows is None else (inputs[some] for some in rows.split(_CHUNK_ROWS))
    for piece in pieces:
        flat = piece.reshape(-1, inputs.shape[-1]).double()
        if fill is not None:
            flat = torch.where(flat.isnan(), fill.double(), flat)
        yield flat.div_(255) if inputs.dtype == torch.uint8 else flat
