import pytest
import torch
from torchvision.transforms.v2.functional import gaussian_blur

from dlexp.augment.blur import Blur, _smooth

IMAGES = torch.rand(50, 2, 15, 17, generator=torch.Generator().manual_seed(0))


def test_taps_equal_torchvision():
    offsets = torch.arange(-3, 4)
    taps = torch.softmax(-offsets.square() / (2 * 1.2**2), dim=0).expand(50, -1)
    blurred = _smooth(_smooth(IMAGES, taps, -1), taps, -2)
    expected = gaussian_blur(IMAGES, [7, 7], [1.2, 1.2])
    torch.testing.assert_close(blurred[..., 3:-3, 3:-3], expected[..., 3:-3, 3:-3], atol=1e-5, rtol=0)


def test_share_of_blurred_images():
    out, _ = Blur(2.0, 0.3)(IMAGES.repeat(8, 1, 1, 1), torch.zeros(400), torch.Generator().manual_seed(0))
    is_blurred = (out != IMAGES.repeat(8, 1, 1, 1)).flatten(1).any(1)
    assert is_blurred.float().mean().item() == pytest.approx(0.3, abs=0.08)


def test_constant_images_stay_and_noise_shrinks():
    flat = torch.full((4, 1, 9, 9), 0.7)
    torch.testing.assert_close(Blur(2.0, 1.0)(flat, torch.zeros(4), torch.Generator().manual_seed(0))[0], flat)
    out, _ = Blur(3.0, 1.0)(IMAGES, torch.zeros(50), torch.Generator().manual_seed(0))
    assert out.std() < 0.7 * IMAGES.std()
