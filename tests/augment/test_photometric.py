import torch

from dlexp.augment.photometric import Photometric

IMAGES = 0.25 + 0.5 * torch.rand(300, 3, 4, 4, generator=torch.Generator().manual_seed(0))


def ratios(values):
    return values.flatten(1).max(1).values, values.flatten(1).min(1).values


def test_brightness_is_a_factor_of_each_image():
    out, _ = Photometric(0.3, 0.0)(IMAGES, torch.zeros(300), torch.Generator().manual_seed(0))
    high, low = ratios(out / IMAGES)
    torch.testing.assert_close(high, low)
    assert 0.7 <= low.min() < 0.72
    assert 1.28 < high.max() <= 1.3001


def test_contrast_keeps_the_mean():
    out, _ = Photometric(0.0, 0.3)(IMAGES, torch.zeros(300), torch.Generator().manual_seed(0))
    mean = IMAGES.mean((1, 2, 3), keepdim=True)
    torch.testing.assert_close(out.mean((1, 2, 3), keepdim=True), mean)
    factor = (out - mean).flatten(1).norm(dim=1) / (IMAGES - mean).flatten(1).norm(dim=1)
    assert 0.7 <= factor.min() < 0.72
    assert 1.28 < factor.max() <= 1.3001
