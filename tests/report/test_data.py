"""What a data set looks like: what stands in the figure."""

import numpy as np
import pytest
import torch
from matplotlib.patches import Rectangle

from dlexp.data.dataset import Dataset
from dlexp.report.data import data_figure
from tests.report.drawn import HARD_NAMES, LONG, assert_is_drawn_whole, texts


def dataset(inputs, targets, names, **more):
    parts = {"train": torch.arange(len(targets)), "val": torch.arange(0), "test": torch.arange(0)}
    task = "multiclass" if names else "regression"
    return Dataset(name="x", task=task, inputs=inputs, targets=targets, class_names=names, **parts, **more)


@pytest.fixture
def pictures():
    return dataset(torch.arange(30 * 16).reshape(30, 4, 4, 1).to(torch.uint8), torch.arange(30) % 2, ["cat", "dog"])


def test_pictures_from_all_over_the_training_part_with_their_class(pictures):
    axes = data_figure(pictures).axes
    assert len(axes) == 25
    first, last = (np.asarray(axis.images[0].get_array()) for axis in (axes[0], axes[-1]))
    assert first == pytest.approx(pictures.inputs[0, :, :, 0].numpy() / 255)
    assert last == pytest.approx(pictures.inputs[29, :, :, 0].numpy() / 255)
    assert (axes[0].get_title(), axes[-1].get_title()) == ("cat", "dog")


def test_few_pictures_leave_no_empty_panel():
    data = dataset(torch.zeros(3, 4, 4, 3, dtype=torch.uint8), torch.zeros(3, dtype=torch.int64), ["cat", "dog"])
    assert len(data_figure(data).axes) == 3


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
