"""Input normalisation, fitted on the training part only: y = x * scale + shift per channel or feature.

Vectors are normalised in float64 before they become the model's type: seconds since 1970 keep their differences.

Shapes: N examples, T trials, C channels (the last axis of an image) or features.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from dlexp.device import send, take_rows

_CHUNK_ROWS = 4096
_CHUNK_VALUES = 1 << 22  # 32 MiB of float64: fewer rows of large pictures


@dataclass(frozen=True)
class Affine:
    """A fitted normalisation.

    Attributes:
        scale: (C,) float64, or (T, C) for a stack of trials.
        shift: As `scale`.
        fill: What a missing number (NaN) of a table counts as: the column's training mean, shaped as `scale`;
            None for images.
    """

    scale: Tensor
    shift: Tensor
    fill: Tensor | None = None

    def apply(self, x: Tensor, channel_dim: int = -1, dtype: torch.dtype = torch.float32) -> Tensor:
        """Return x * scale + shift, for vectors computed in float64 and then rounded; bytes are first divided by 255.

        The channels of the result are innermost in memory, whatever they were in x: convolutions choose their kernels,
        and so their rounding, by that.

        Args:
            x: (..., C) in any type, channels last; a stack needs (T, ..., C). Up to three axes are vectors.
            channel_dim: Where the channels are, for example -3 for (N, C, H, W).
            dtype: What is returned, and what images are computed in.
        """
        wide = self.scale.dtype if x.dim() <= 3 else dtype
        # The division of bytes goes into the scale: one pass over the batch less.
        scale = (self.scale / 255 if x.dtype == torch.uint8 else self.scale).to(wide)
        y = x.movedim(channel_dim, -1).to(wide, copy=True, memory_format=torch.contiguous_format)
        if self.fill is not None:
            y = torch.where(y.isnan(), self._spread(self.fill.to(wide), y), y)
        rows, shift = y, self.shift.to(wide)
        if y.dim() >= 4 and y.is_contiguous() and y.device.type == "cpu":
            # An inner axis of three channels defeats the CPU's vector loops: whole image rows are 4 times as fast.
            rows, width = y.flatten(-2), y.shape[-2]
            scale, shift = scale.tile(width), shift.tile(width)
        # Two roundings in any position; a fused multiply-add would differ between a kernel's body and its tail.
        rows.mul_(self._spread(scale, rows)).add_(self._spread(shift, rows))
        return y.to(dtype).movedim(-1, channel_dim)

    def invert(self, y: Tensor, channel_dim: int = -1) -> Tensor:
        """Return the x in [0, 1] (images) or in the column's unit (tables, float64) that `apply` turned into y."""
        inverse = Affine(1 / self.scale, -self.shift / self.scale)
        return inverse.apply(y, channel_dim, self.scale.dtype if y.dim() <= 3 else y.dtype)

    @staticmethod
    def _spread(values: Tensor, x: Tensor) -> Tensor:
        """Give (C,) or (T, C) the axes to meet (..., C) or (T, ..., C)."""
        return values if values.dim() == 1 else values.view(len(values), *[1] * (x.dim() - 2), -1)

    def to(self, device: torch.device | str) -> "Affine":
        """Return the same normalisation on another device."""
        fill = None if self.fill is None else send(self.fill, device)
        return Affine(send(self.scale, device), send(self.shift, device), fill)

    def keep(self, rows: list[int]) -> "Affine":
        """Return the normalisation of some trials of a stack."""
        fill = None if self.fill is None else take_rows(self.fill, rows)
        return Affine(take_rows(self.scale, rows), take_rows(self.shift, rows), fill)

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
        fill, factor = _means_of_present(inputs, rows), _powers_of_two(inputs, rows)
        mean, count = torch.zeros(inputs.shape[-1], dtype=torch.float64, device=inputs.device), 0
        squares = torch.zeros_like(mean)
        low, high = torch.full_like(mean, torch.inf), torch.full_like(mean, -torch.inf)
        for piece in _chunks(inputs, rows, fill):
            chunk = piece * factor
            low, high = torch.minimum(low, chunk.amin(0)), torch.maximum(high, chunk.amax(0))
            # Chan's pairwise update keeps the variance exact where mean and deviation differ by orders of magnitude.
            part_mean, total = chunk.mean(0), count + len(chunk)
            delta = part_mean - mean
            squares += (chunk - part_mean).square().sum(0) + delta.square() * (count * len(chunk) / total)
            mean += delta * (len(chunk) / total)
            count = total
        mean, std = mean / factor, (squares / count).sqrt() / factor
        # Rounding leaves a constant column with a deviation of a few ulp: its range alone tells.
        inverse = 1 / std
        scale = torch.where((high > low) & inverse.isfinite(), inverse, 1.0)
        return Affine(scale, torch.where(high > low, -mean, -low / factor) * scale, fill)


class MinMax:
    """Range [0, 1]: y = (x - min) / (max - min); a constant channel or feature is only shifted to 0."""

    def __init__(self):
        pass

    def fit(self, inputs: Tensor, rows: Tensor | None = None) -> Affine:
        """Return the normalisation of inputs (N, H, W, C) or (N, C); `rows` picks the training part without a copy."""
        fill = _means_of_present(inputs, rows)
        low = torch.stack([chunk.amin(0) for chunk in _chunks(inputs, rows, fill)]).amin(0)
        high = torch.stack([chunk.amax(0) for chunk in _chunks(inputs, rows, fill)]).amax(0)
        # Halved first: the difference of two finite numbers may be none.
        inverse = 0.5 / (high / 2 - low / 2)
        scale = torch.where((high > low) & inverse.isfinite(), inverse, 1.0)
        return Affine(scale, -low * scale, fill)


class NoNormalize:
    """Inputs as they are; bytes become [0, 1]."""

    def __init__(self):
        pass

    def fit(self, inputs: Tensor, rows: Tensor | None = None) -> Affine:
        """Return the identity."""
        ones = torch.ones(inputs.shape[-1], dtype=torch.float64, device=inputs.device)
        return Affine(ones, torch.zeros_like(ones), _means_of_present(inputs, rows))


def _means_of_present(inputs: Tensor, rows: Tensor | None) -> Tensor | None:
    """Return each column's mean without missing numbers (0 if all are), None for images.

    It is there for a table without gaps too: an example to predict may have the first.
    """
    if inputs.dim() != 2 or not inputs.is_floating_point():
        return None
    total = torch.zeros(inputs.shape[-1], dtype=torch.float64, device=inputs.device)
    count, factor = torch.zeros_like(total), _powers_of_two(inputs, rows)
    for piece in _chunks(inputs, rows, None):
        total += (piece * factor).nansum(0)
        count += (~piece.isnan()).sum(0)
    return total / count.clamp(min=1) / factor


def _powers_of_two(inputs: Tensor, rows: Tensor | None) -> Tensor:
    """Return (C,) factors that bring each column below 1 exactly, so that no square is beyond float64."""
    largest = torch.zeros(inputs.shape[-1], dtype=torch.float64, device=inputs.device)
    if inputs.dim() != 2 or not inputs.is_floating_point():
        return largest + 1
    for piece in _chunks(inputs, rows, None):
        largest = torch.maximum(largest, piece.nan_to_num(0).abs().amax(0))
    return torch.ldexp(torch.ones_like(largest), -largest.frexp().exponent.clamp(-1000, 1000))


def _chunks(inputs: Tensor, rows: Tensor | None, fill: Tensor | None) -> Iterator[Tensor]:
    """Yield float64 (rows, C) pieces, so that a large set of bytes is never held as floats."""
    num = max(1, min(_CHUNK_ROWS, _CHUNK_VALUES // inputs[0].numel()))
    pieces = inputs.split(num) if rows is None else (inputs[chunk] for chunk in rows.split(num))
    for piece in pieces:
        flat = piece.reshape(-1, inputs.shape[-1]).double()
        if fill is not None:
            flat = torch.where(flat.isnan(), fill.double(), flat)
        yield flat.div_(255) if inputs.dtype == torch.uint8 else flat
