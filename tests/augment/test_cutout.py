import pytest
import torch

from dlexp.augment.cutout import Cutout


@pytest.mark.parametrize("dtype", [torch.uint8, torch.float32])
def test_one_clipped_square(dtype):
    images = torch.ones(500, 2, 9, 9, dtype=dtype) * (255 if dtype == torch.uint8 else 1)
    out, _ = Cutout(4, fill=0.0)(images, torch.zeros(500), torch.Generator().manual_seed(0))
    blank = out == 0
    assert blank[:, 0].equal(blank[:, 1])
    height, width = blank[:, 0].any(2).sum(1), blank[:, 0].any(1).sum(1)
    assert (height * width).equal(blank[:, 0].sum((1, 2)))  # a filled rectangle
    assert height.max() == 4
    assert height.min() == 2  # the centre on the border
    share = blank.float().mean((0, 1))
    assert share.min() > 0  # every pixel may be blanked


def test_share_and_value():
    images = torch.zeros(1000, 1, 8, 8, dtype=torch.uint8)
    out, _ = Cutout(2, p=0.25, fill=0.5)(images, torch.zeros(1000), torch.Generator().manual_seed(0))
    assert set(out.unique().tolist()) == {0, 128}
    assert (out > 0).flatten(1).any(1).float().mean().item() == pytest.approx(0.25, abs=0.05)
