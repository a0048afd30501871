"""Resizing in the graph against Pillow, which reads the pictures of training. H height, W width."""

import numpy as np
import pytest
import torch
from PIL import Image

from dlexp.data.picture.form import Format, _resize
from dlexp.export.resize import resize

SIZES = [(40, 50), (100, 64), (17, 33), (200, 31), (9, 9), (1, 7)]


@pytest.mark.parametrize("fit", ["crop", "stretch", "pad"])
@pytest.mark.parametrize("size", SIZES)
def test_pixels_are_pillow_s_but_for_its_two_roundings(size, fit):
    pixels_HWC = np.random.default_rng(0).integers(0, 256, (*size, 3), dtype=np.uint8)
    assert Format(32, fit, "rgb").size == 32
    wanted = torch.tensor(np.asarray(_resize(Image.fromarray(pixels_HWC), 32, fit))).movedim(-1, 0)
    got = 255 * resize(torch.tensor(pixels_HWC).movedim(-1, 0)[None].double() / 255, 32, fit)[0]
    assert (got - wanted).abs().max() <= 1.0


@pytest.mark.parametrize("fit", ["crop", "stretch", "pad"])
def test_a_picture_of_the_size_stays_to_the_bit(fit):
    pictures = torch.rand(2, 3, 32, 32)
    assert torch.equal(resize(pictures, 32, fit), pictures)


def test_the_rest_of_a_padded_picture_is_black():
    resized = resize(torch.ones(1, 1, 10, 40), 20, "pad")[0, 0]
    assert resized[:7].sum() + resized[13:].sum() == 0
    assert torch.allclose(resized[8:12], torch.ones(4, 20))
