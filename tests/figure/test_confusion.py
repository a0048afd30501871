"""The confusion matrix as a picture: what stands in it."""

import numpy as np
import pytest

from dlexp.figure.confusion import confusion_figure
from dlexp.figure.style.color import MARKED
from tests.figure.drawn import HARD_NAMES, LONG, assert_is_drawn_whole, texts


def test_counts_and_shares_of_their_row():
    figure = confusion_figure(np.array([[6, 2], [0, 0]]), ["cat", "dog"])
    axis = figure.axes[0]
    shares = axis.images[0].get_array()
    assert shares is not None
    assert np.asarray(shares).tolist() == [[0.75, 0.25], [0.0, 0.0]]  # a class without examples has no shares
    assert axis.images[0].get_clim() == (0, 1)
    places = {text.get_text(): text.get_position() for text in axis.texts}
    assert places == {"6": (0, 0), "2": (1, 0)}  # x is the predicted class, y the true one
    assert [tick.get_text() for tick in axis.get_yticklabels()] == ["cat", "dog"]
    assert [tick.get_text() for tick in axis.get_xticklabels()] == ["cat", "dog"]
    assert (axis.get_xlabel(), axis.get_ylabel()) == ("predicted class", "true class")
    assert {text.get_text(): text.get_color() for text in axis.texts} == {"6": "white", "2": MARKED}


def test_a_hundred_classes_have_no_numbers_in_cells():
    axis = confusion_figure(np.eye(100, dtype=int), [str(i) for i in range(100)]).axes[0]
    assert not list(axis.texts)
    assert axis.images[0].get_size() == (100, 100)


def test_long_names_stand_in_a_key():
    figure = confusion_figure(np.eye(2, dtype=int), [LONG, "short"])
    assert [tick.get_text() for tick in figure.axes[0].get_xticklabels()] == ["A", "B"]
    assert any("B  short" in text for text in texts(figure))


@pytest.mark.parametrize("names", [HARD_NAMES, [f"{i}{LONG}" for i in range(40)], [LONG, "b"], ["a"]])
def test_any_names_are_drawn(names):
    assert_is_drawn_whole(confusion_figure(np.eye(len(names), dtype=int) * 12345, names))
