"""What a data set looks like: what stands in the figure."""

import numpy as np
import pytest
import torch
from matplotlib.patches import Rectangle

from dlexp.data.dataset import Dataset
from dlexp.figure.data import data_figure
from tests.figure.drawn import HARD_NAMES, LONG, assert_is_drawn_whole, texts


def dataset(inputs, targets, names, **more):
    parts = {"train": torch.arange(len(targets)), "val": torch.arange(0), "test": torch.arange(0)}
    task = "multiclass" if names else "regression"
    return Dataset(name="x", task=task, inputs=inputs, targets=targets, class_names=names, **parts, **more)


@pytest.fixture
def pictures():
    return dataset(torch.arange(30 * 16).reshape(30, 4, 4, 1).to(torch.uint8), torch.arange(30) % 2, ["cat", "dog"])


def test_pictures_from_all_over_the_training_part_with_their_class(pictures):
    (axis,) = data_figure(pictures).axes
    sheet = np.asarray(axis.images[0].get_array())
    assert sheet[:4, :4] == pytest.approx(pictures.inputs[0, :, :, 0].numpy() / 255)
    assert sheet[-6:-2, -5:-1] == pytest.approx(pictures.inputs[29, :, :, 0].numpy() / 255)
    labels = [(text.get_text(), text.get_position()) for text in axis.texts]
    assert (len(labels), labels[0], labels[-1][0]) == (25, ("cat", (2.0, 4)), "dog")


def test_few_pictures_fill_the_width():
    data = dataset(torch.zeros(3, 4, 4, 3, dtype=torch.uint8), torch.zeros(3, dtype=torch.int64), ["cat", "dog"])
    (axis,) = data_figure(data).axes
    assert np.asarray(axis.images[0].get_array()).shape[1] == 3 * 5


def test_values_stand_below_their_pictures():
    data = dataset(torch.zeros(2, 4, 4, 1, dtype=torch.uint8), torch.tensor([0.123456, -2.0]), [])
    assert [text.get_text() for text in data_figure(data).axes[0].texts] == ["0.1235", "-2"]


def test_only_the_classes_that_are_shown_have_a_key_under_their_number_in_the_list():
    names = [f"{i}{LONG}" for i in range(300)]
    names[299] = "\U0001f408 " + names[299]
    data = dataset(torch.zeros(2, 4, 4, 1, dtype=torch.uint8), torch.tensor([7, 299]), names)
    key = next(text for text in texts(data_figure(data)) if "A  " in text)
    assert "A  7a_label" in key
    assert "B  #300" in key


def test_a_column_of_gaps_says_so_and_an_infinite_value_is_an_arrow():
    inputs = torch.tensor([[float("nan"), 1.0], [float("nan"), 2.0], [float("nan"), float("inf")]])
    gaps, numbers = data_figure(dataset(inputs, torch.zeros(3), [], feature_names=["a", "b"])).axes
    assert [text.get_text() for text in gaps.texts] == ["gaps only"]
    assert numbers.get_xlim()[1] < 3
    assert [line.get_marker() for line in numbers.get_lines()] == [">"]


def test_columns_under_their_names_without_their_gaps():
    inputs = torch.tensor([[1.0, 5.0], [1.0, 6.0], [3.0, float("nan")]])
    figure = data_figure(dataset(inputs, torch.tensor([0.1, 0.2, 0.3]), [], feature_names=["age", "height_cm"]))
    assert [axis.get_xlabel() for axis in figure.axes] == ["age", "height_cm"]
    counts = [[patch.get_height() for patch in axis.patches if isinstance(patch, Rectangle)] for axis in figure.axes]
    assert [sum(heights) for heights in counts] == [3, 2]
    assert counts[0][0] == 2
    assert "training examples" in texts(figure)


@pytest.mark.parametrize("names", [HARD_NAMES, [f"{i}{LONG}" for i in range(40)], ["one"]])
def test_any_names_are_drawn(names):
    values = torch.randn(5, len(names))
    assert_is_drawn_whole(data_figure(dataset(values, torch.zeros(5), [], feature_names=names)))
    shown = torch.arange(len(names))
    assert_is_drawn_whole(data_figure(dataset(torch.zeros(len(names), 4, 4, 1, dtype=torch.uint8), shown, names)))
