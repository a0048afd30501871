import numpy as np
import pytest
import torch
from PIL import Image

from dlexp.augment.none import NoAugment
from dlexp.augment.photometric import Photometric
from dlexp.report.augment import contact_sheet


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("num", [20, 5])
def test_before_and_after(tmp_path, channels, num):
    images = torch.full((num, 9, 7, channels), 100, dtype=torch.uint8)
    path = tmp_path / "figures" / "augment.png"
    contact_sheet(images, torch.zeros(num), NoAugment(), path, torch.Generator())
    with Image.open(path) as sheet:
        pixels = np.asarray(sheet.convert("L"))
    left, right = np.array_split(pixels, 2, axis=1)
    assert ((left > 95) & (left < 105)).mean() == pytest.approx(((right > 95) & (right < 105)).mean(), abs=0.02)
    assert ((left > 95) & (left < 105)).any()


def test_difference_is_shown(tmp_path):
    images = torch.full((16, 9, 9, 1), 100, dtype=torch.uint8)
    path = tmp_path / "augment.png"
    contact_sheet(images, torch.zeros(16), Photometric(1.0, 0.0), path, torch.Generator().manual_seed(0))
    with Image.open(path) as sheet:
        left, right = np.array_split(np.asarray(sheet.convert("L")), 2, axis=1)
    assert (np.bincount(left.ravel(), minlength=256) > 500).sum() == 2  # one grey, and white
    assert (np.bincount(right.ravel(), minlength=256) > 500).sum() > 8
