"""Pictures as one picture."""

import numpy as np
import torch

from dlexp.figure.style.tile import tile


def test_pictures_lie_in_rows_with_white_between():
    bytes_NHWC = torch.tensor([0, 51, 102]).to(torch.uint8).reshape(3, 1, 1, 1).expand(3, 2, 2, 1)
    sheet = tile(bytes_NHWC, 2, gap=1)
    white = [1.0] * 6
    first = [0.0, 0.0, 1.0, 0.2, 0.2, 1.0]
    last = [0.4, 0.4, 1.0, 1.0, 1.0, 1.0]
    assert np.allclose(sheet, [first, first, white, last, last, white])


def test_of_four_channels_three_are_shown():
    assert tile(torch.zeros(4, 3, 5, 4), 4, gap=2).shape == (5, 24, 3)
    assert tile(torch.zeros(4, 3, 5, 2), 4).shape == (4, 24)
