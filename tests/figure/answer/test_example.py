import pytest
import torch

from dlexp.figure.answer.example import MOST, example_figure
from tests.figure.drawn import HARD_NAMES, assert_is_drawn_whole, texts


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_each_picture_has_what_it_is_and_what_it_was_called(channels):
    figure = example_figure(torch.zeros(7, 4, 5, channels, dtype=torch.uint8), ["cat"] * 7, ["dog"] * 7, "most wrong")
    assert texts(figure).count("is cat\nsaid dog") == 7
    assert sum(len(axis.images) for axis in figure.axes) == 7
    assert_is_drawn_whole(figure)


def test_names_that_are_hard_to_draw_are_drawn():
    names = (HARD_NAMES * 3)[:MOST]
    figure = example_figure(torch.rand(MOST, 3, 3, 1), names, names, "least sure")
    assert_is_drawn_whole(figure)
