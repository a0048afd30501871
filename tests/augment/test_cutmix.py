import pytest
import torch

from dlexp.augment.cutmix import CutMix


@pytest.mark.parametrize("dtype", [torch.uint8, torch.float32])
def test_targets_are_the_shares_of_the_pixels(dtype):
    num = 200
    classes = torch.arange(num)
    images = classes.to(dtype).view(-1, 1, 1, 1).expand(num, 2, 12, 10)
    out, targets = CutMix(num_classes=num)(images, classes, torch.Generator().manual_seed(0))
    assert out.dtype == dtype
    for i in range(num):
        share = torch.bincount(out[i, 0].flatten().long(), minlength=num) / 120
        torch.testing.assert_close(share, targets[i])
    weight = targets.diagonal()
    assert weight.min() < 0.2
    assert weight.max() > 0.95


def test_the_pasted_part_is_a_box_of_the_partner():
    images = torch.arange(40.0).view(-1, 1, 1, 1).expand(40, 1, 9, 9)
    out, _ = CutMix(num_classes=40)(images, torch.arange(40), torch.Generator().manual_seed(1))
    for i in range(40):
        pasted = out[i, 0] != i
        height, width = pasted.any(1).sum(), pasted.any(0).sum()
        assert height * width == pasted.sum()
        assert len(out[i].unique()) <= 2
