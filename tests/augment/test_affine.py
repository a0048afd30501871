import math

import pytest
import torch
from torch.nn import functional as F
from torchvision.transforms.v2.functional import InterpolationMode, affine

from dlexp.augment.affine import RandomAffine, inverse_map

IMAGES = F.interpolate(torch.rand(3, 2, 6, 8, generator=torch.Generator().manual_seed(0)), (24, 40), mode="bilinear")


def test_nothing_to_do_is_the_identity():
    out, _ = RandomAffine(0.0, 0.0, 0.0)(IMAGES, torch.zeros(3), torch.Generator())
    torch.testing.assert_close(out, IMAGES, atol=1e-5, rtol=0)


@pytest.mark.parametrize(
    ("degrees", "scale", "right", "down"),
    [(0, 1, 5, -3), (25, 1, 0, 0), (-90, 1, 0, 0), (0, 1.3, 0, 0), (40, 0.8, 4, 2)],
)
def test_equals_torchvision(degrees, scale, right, down):
    height, width = IMAGES.shape[-2:]
    numbers = [math.radians(degrees), scale, 2 * right / width, 2 * down / height]
    angle, size, right_of_1, down_of_1 = (torch.tensor([value]) for value in numbers)
    theta = inverse_map(angle, size, right_of_1, down_of_1, width / height).expand(3, -1, -1)
    grid = F.affine_grid(theta, list(IMAGES.shape), align_corners=False)
    warped = F.grid_sample(IMAGES, grid, align_corners=False)
    bilinear = InterpolationMode.BILINEAR
    expected = affine(IMAGES, degrees, [right, down], scale, [0.0, 0.0], interpolation=bilinear)
    inside = (slice(None), slice(None), slice(6, -6), slice(8, -8))  # borders are interpolated differently
    torch.testing.assert_close(warped[inside], expected[inside], atol=2e-3, rtol=0)


def test_translation_stays_in_range():
    dots = torch.zeros(400, 1, 21, 21)
    dots[..., 10, 10] = 1
    out, _ = RandomAffine(0.0, 0.0, 0.2)(dots, torch.zeros(400), torch.Generator().manual_seed(0))
    position = torch.arange(21.0)
    mass = out.sum((1, 2, 3))
    for axis in (2, 3):
        centre = (out.sum(5 - axis)[:, 0] * position).sum(-1) / mass
        assert (centre - 10).abs().max() <= 4.2 + 1e-3
        assert centre.min() < 7
        assert centre.max() > 13
