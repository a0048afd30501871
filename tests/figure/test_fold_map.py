import numpy as np
import pytest

from dlexp.figure.fold_map import fold_map_figure, ranks
from tests.figure.drawn import LONG, assert_is_drawn_whole

VALUES = [[0.9, 0.7, None], [0.8, 0.7, 0.6]]


def test_the_best_of_a_fold_is_first_equal_ones_share_the_better_rank():
    values_SF = np.array([[0.9, 0.7, np.nan], [0.8, 0.7, 0.6]])
    assert np.nan_to_num(ranks(values_SF, is_high_better=True), nan=-1).tolist() == [[0, 0, -1], [1, 0, 0]]
    assert np.nan_to_num(ranks(values_SF, is_high_better=False), nan=-1).tolist() == [[1, 0, -1], [0, 0, 0]]


def test_cells_hold_their_values():
    (axis,) = fold_map_figure(["a", "b"], VALUES, "val/accuracy").axes
    places = {text.get_text(): text.get_position() for text in axis.texts}
    assert places["0.9"] == (0, 0)
    assert places["0.6"] == (2, 1)
    assert len(axis.texts) == 5


@pytest.mark.parametrize("names", [["a", "b"], [f"{LONG}1", f"{LONG}2"]])
def test_any_names_are_drawn(names):
    assert_is_drawn_whole(fold_map_figure(names, VALUES, "val/loss"))
