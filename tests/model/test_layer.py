import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from dlexp.error import ConfigError
from dlexp.model.layer import choose_stem, image_shape, side_after, smallest_side

WINDOW = st.integers(1, 5).flatmap(
    lambda kernel: st.tuples(st.just(kernel), st.integers(1, 3), st.integers(0, kernel // 2))
)


@given(st.lists(WINDOW, min_size=1, max_size=4))
def test_smallest_side_is_the_first_that_leaves_a_pixel(windows):
    def leaves_a_pixel(side):
        for kernel, stride, padding in windows:
            if side + 2 * padding < kernel:
                return False
            side = side_after(side, [(kernel, stride, padding)])
        return side >= 1

    smallest = smallest_side(windows)
    assert leaves_a_pixel(smallest)
    assert smallest == 1 or not leaves_a_pixel(smallest - 1)


@given(st.lists(WINDOW, max_size=3))
def test_side_after_is_what_convolutions_leave(windows):
    side = smallest_side(windows) + 7
    x = torch.empty(1, 1, side, side, device="meta")
    for kernel, stride, padding in windows:
        x = nn.Conv2d(1, 1, kernel, stride, padding, device="meta")(x)
    assert side_after(side, windows) == x.shape[2]


def test_image_shape_says_what_is_needed():
    with pytest.raises(ConfigError, match="cnn needs images; the data has vectors of 13 features"):
        image_shape((13,), "cnn")
    with pytest.raises(ConfigError, match="got images of 7x9 pixels; vgg needs at least 8x8"):
        image_shape((3, 7, 9), "vgg", 8)


@pytest.mark.parametrize(
    ("stem", "side", "form"), [("auto", 64, "small"), ("auto", 65, "imagenet"), ("small", 224, "small")]
)
def test_auto_is_small_up_to_64_pixels(stem, side, form):
    assert choose_stem(stem, side, side) == form
