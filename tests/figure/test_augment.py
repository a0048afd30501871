"""What an augmentation does, before and after: what stands in the figure."""

import numpy as np
import pytest
import torch

from dlexp.augment.none import NoAugment
from dlexp.augment.photometric import Photometric
from dlexp.figure.augment import augment_figure
from tests.figure.drawn import assert_is_drawn_whole


def sheets(images, augment):
    figure = augment_figure(images, torch.zeros(len(images)), augment, torch.Generator().manual_seed(0))
    assert [axis.get_title() for axis in figure.axes] == ["before", "after"]
    assert_is_drawn_whole(figure)
    return [np.asarray(axis.images[0].get_array()) for axis in figure.axes]


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("num", [20, 5])
def test_the_first_sixteen_before_and_after(channels, num):
    images = (torch.arange(num * 9 * 7 * channels) % 251).reshape(num, 9, 7, channels).to(torch.uint8)
    before, after = sheets(images, NoAugment())
    assert (before == after).all()
    assert before.shape[:2] == ((4 if num == 20 else 2) * 10, 4 * 8)
    second = before[:9, 8:15].reshape(9, 7, channels)
    assert second == pytest.approx(images[1].numpy() / 255)
    assert (before[9] == 1).all()  # a white line below the first row
    assert (before[-10:, 24:] == 1).all() == (num == 5)  # the last of the last row, where there is one


def test_a_difference_is_shown():
    before, after = sheets(torch.full((16, 9, 9, 1), 100, dtype=torch.uint8), Photometric(1.0, 0.0))
    assert len(np.unique(before)) == 2  # one grey, and white
    assert len(np.unique(after)) > 8
