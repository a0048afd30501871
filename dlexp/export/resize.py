"""Pictures of any size brought to a model's, as `dlexp.data.picture.form` does, in functions that every exporter knows.

Pillow's bilinear filter is linear in the pixels, rows and columns apart: y = A x B^T. A weighs pixel j of a side for
pixel i of the result by the triangle max(0, 1 - |j + 1/2 - c_i| / s), divided by its sum, with the step
r = (pixels taken) / (pixels given), centre c_i = start + (i + 1/2) r and half-width s = max(1, r). Of a picture that
has the size already A is the identity. Pillow rounds to bytes after either pass, which this does not: pixels of bytes
differ by less than 1 of 255.
Shapes: N pictures, C channels, H height, W width, S side of the result, L side of the picture.

References:
    Pillow's Resample.c; A. Clark and contributors, the Python Imaging Library, version 11.
"""

from typing import Literal

import torch
from torch import Tensor

Fit = Literal["crop", "stretch", "pad"]


def resize(x_NCHW: Tensor, side: int, fit: Fit) -> Tensor:
    """Return pictures (N, C, S, S).

    Args:
        x_NCHW: Floats; H and W may be symbols of an exporter.
        side: S.
        fit: crop: shorter side to S, the middle kept; stretch: both sides to S; pad: longer side to S, the rest 0.
    """
    rows_H, columns_W = (torch.arange(x_NCHW.shape[axis], dtype=torch.float64, device=x_NCHW.device) for axis in (2, 3))
    height, width = torch.ones_like(rows_H).sum(), torch.ones_like(columns_W).sum()
    shorter, longer = torch.minimum(height, width), torch.maximum(height, width)
    matrices = [
        _weights(at_L, length, shorter if fit == "crop" else longer, side, fit).to(x_NCHW.dtype)
        for at_L, length in ((rows_H, height), (columns_W, width))
    ]
    return matrices[0] @ x_NCHW @ matrices[1].T


def _weights(at_L: Tensor, length: Tensor, common: Tensor, side: int, fit: Fit) -> Tensor:
    """Return A (S, L) of one side.

    Args:
        at_L: 0, 1, ..., L - 1.
        length: L.
        common: The side that decides: the shorter of both, or the longer.
        side: S.
        fit: See `resize`.
    """
    taken, given = (common if fit == "crop" else length), torch.full_like(length, side)
    if fit == "pad":
        given = torch.round(length / common * side)
    first, start = torch.round((side - given) / 2), (length - taken) / 2
    place_S = torch.arange(side, dtype=at_L.dtype, device=at_L.device) - first
    step = taken / given.clamp(min=1)
    centre_S1 = (start + (place_S + 0.5) * step)[:, None]
    weight_SL = (1 - (at_L + 0.5 - centre_S1).abs() / step.clamp(min=1)).clamp(min=0)
    weight_SL = weight_SL / weight_SL.sum(1, keepdim=True).clamp(min=1e-12)
    return weight_SL * ((place_S >= 0) & (place_S < given)).to(at_L.dtype)[:, None]
