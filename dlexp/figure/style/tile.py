"""Pictures laid out in rows, as one picture."""

import numpy as np
import torch
from torch import Tensor

from dlexp.image import as_float


def tile(x_NHWC: Tensor, columns: int, gap: int = 1) -> np.ndarray:
    """Return pictures in rows with white between them: (rows (H + gap), columns (W + 1)[, 3]) in [0, 1].

    Args:
        x_NHWC: Bytes, or floats in [0, 1]; of more than three channels the first three are shown, of two the first.
        columns: Pictures a row.
        gap: White lines below each row.
    """
    num, height, width, channels = x_NHWC.shape
    rows = -(-num // columns)
    sheet = torch.ones(rows * (height + gap), columns * (width + 1), channels)
    for place, picture_HWC in enumerate(as_float(x_NHWC).cpu()):
        top, left = place // columns * (height + gap), place % columns * (width + 1)
        sheet[top : top + height, left : left + width] = picture_HWC
    return (sheet[:, :, :3] if channels >= 3 else sheet[:, :, 0]).numpy()
