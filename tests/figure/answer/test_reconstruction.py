import pytest
import torch

from dlexp.data.dataset import Dataset
from dlexp.figure.answer.reconstruction import columns_figure, reconstruction_figure, sheet_figure
from dlexp.normalize import Standard
from tests.figure.drawn import HARD_NAMES, assert_is_drawn_whole


@pytest.mark.parametrize(("num", "shape"), [(16, (8, 8, 1)), (3, (6, 9, 3)), (9, (28, 20, 4))])
def test_each_picture_stands_above_its_reconstruction_with_its_error(num, shape):
    given, errors = torch.rand(num, *shape), [k / 10 for k in range(num)]
    figure = sheet_figure(given, given / 2, errors)
    (axis,) = figure.axes
    sheet = torch.as_tensor(axis.images[0].get_array()).float()
    height, width, _ = shape
    corner = sheet[:height, :width], sheet[height + 1 : 2 * height + 1, :width]
    torch.testing.assert_close(corner[0] / 2, corner[1])
    assert [text.get_text() for text in axis.texts] == [f"{each:.2g}" for each in errors]
    assert_is_drawn_whole(figure)


def test_examples_go_from_the_least_error_to_the_most():
    rows = torch.arange(40)
    pictures = torch.rand(40, 5, 5, 1, generator=torch.Generator().manual_seed(0))
    data = Dataset("x", "reconstruct", pictures, torch.zeros(40), rows[:20], rows[20:], rows[:0])
    affine = Standard().fit(pictures, data.train)
    error_N = torch.arange(20.0).flip(0).numpy()
    taken = []

    def reconstruct(rows):
        taken.extend(rows.tolist())
        x = affine.apply(pictures[rows]).flatten(1)
        return x, x

    figure = reconstruction_figure(data, error_N, affine, reconstruct)
    assert taken[0] == 39  # the last has the least error
    assert taken[-1] == 20
    assert taken == sorted(taken, reverse=True)
    sheet = torch.as_tensor(figure.axes[0].images[0].get_array())
    torch.testing.assert_close(sheet[:5, :5], sheet[6:11, :5], atol=1e-5, rtol=0)


def test_columns_stand_by_their_errors():
    figure = columns_figure([0.1, 0.7, 0.4], ["a", "b", "c"])
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == ["b", "c", "a"]
    assert_is_drawn_whole(figure)
    assert_is_drawn_whole(columns_figure([0.5] * len(HARD_NAMES), HARD_NAMES))
