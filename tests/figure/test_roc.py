"""ROC curves as a picture: what stands in them."""

from itertools import pairwise

import pytest
import torch
from sklearn.metrics import roc_auc_score

from dlexp.figure.roc import roc_figure
from tests.figure.drawn import HARD_NAMES, LONG, assert_is_drawn_whole, numbers, points, texts

TARGETS = torch.tensor([0, 0, 1, 1, 0, 1])
OUTPUTS = torch.tensor([[2.0, 0, 0], [2, 1, 0], [0, 2, 1], [0, 3, 0], [1, 0, 0], [1, 1.5, 0]])


def named(figure):
    return [text.get_text() for legend in figure.legends for text in legend.get_texts()]


def test_a_curve_for_each_class_that_can_have_one():
    figure = roc_figure(OUTPUTS, TARGETS, ["cat", "dog", "none of them"])
    assert named(figure) == ["cat (1.000)", "dog (1.000)"]
    assert (figure.axes[0].get_xlabel(), figure.axes[0].get_ylabel()) == ("false positive rate", "true positive rate")


def test_two_classes_have_one_curve_through_the_known_points():
    # positives score 0.9 and 0.3, negatives 0.5 and 0.1: three of four pairs are in order
    probability = torch.tensor([0.9, 0.3, 0.5, 0.1])
    figure = roc_figure(probability.logit().unsqueeze(1), torch.tensor([1, 1, 0, 0]), ["no", "yes"])
    _, curve = figure.axes[0].get_lines()
    assert curve.get_label() == "yes (0.750)"
    assert numbers(curve.get_xydata()) == [[0, 0], [0, 0.5], [0.5, 0.5], [0.5, 1], [1, 1]]


def test_the_curve_of_two_classes_is_that_of_the_positive_one():
    # as above with the classes' roles turned: 0.9 and 0.3 are of "no", and what speaks for "no" is 1 - p
    probability = torch.tensor([0.1, 0.7, 0.5, 0.9])
    figure = roc_figure(probability.logit().unsqueeze(1), torch.tensor([0, 0, 1, 1]), ["no", "yes"], positive=0)
    _, curve = figure.axes[0].get_lines()
    assert curve.get_label() == "no (0.750)"
    assert numbers(curve.get_xydata()) == [[0, 0], [0, 0.5], [0.5, 0.5], [0.5, 1], [1, 1]]


def test_many_classes_have_no_names_but_their_mean():
    torch.manual_seed(0)
    targets, outputs = torch.arange(11).repeat(9), torch.randn(99, 11)
    figure = roc_figure(outputs, targets, [str(k) for k in range(11)])
    expected = roc_auc_score(targets, outputs.double().softmax(1), multi_class="ovr")
    (name,) = named(figure)
    assert name.startswith("mean of 11 classes (")
    assert float(name[-6:-1]) == pytest.approx(expected, abs=0.02)
    assert len(figure.axes[0].get_lines()) == 13


def test_the_mean_is_that_of_heights_at_equal_false_positive_rates():
    torch.manual_seed(0)
    targets, outputs = torch.arange(3).repeat(20), torch.randn(60, 3)
    axis = roc_figure(outputs, targets, ["a", "b", "c"]).axes[0]
    (mean,) = [line for line in axis.get_lines() if line.get_gid() == "macro"]
    along = points(mean.get_xydata())
    assert along[0] == [0, 0]
    assert along[-1] == [1, 1]
    area = sum((x1 - x0) * (y0 + y1) / 2 for (x0, y0), (x1, y1) in pairwise(along))
    areas = roc_auc_score(targets, outputs.double().softmax(1), multi_class="ovr")
    assert area == pytest.approx(areas, abs=0.03)


def test_good_curves_are_enlarged_where_they_crowd_and_poor_ones_not():
    torch.manual_seed(0)
    targets = torch.arange(3).repeat(20)
    good = torch.nn.functional.one_hot(targets) * 4 + torch.randn(60, 3)
    axis = roc_figure(good, targets, ["a", "b", "c"]).axes[0]
    (corner,) = axis.child_axes
    assert corner.get_xlim()[1] == pytest.approx(0.2)
    assert corner.get_ylim()[0] == pytest.approx(0.8)
    assert roc_figure(torch.randn(60, 3), targets, ["a", "b", "c"]).axes[0].child_axes == []


def test_a_part_with_one_class_has_no_curve_to_name():
    figure = roc_figure(torch.randn(6, 1), torch.zeros(6, dtype=torch.int64), ["no", "yes"])
    assert named(figure) == []


@pytest.mark.parametrize("names", [HARD_NAMES, [f"{i}{LONG}" for i in range(10)], [str(i) for i in range(40)]])
def test_any_names_are_drawn(names):
    targets = torch.arange(len(names)).repeat(2)
    figure = roc_figure(torch.randn(len(targets), len(names)), targets, names)
    assert_is_drawn_whole(figure)
    assert (LONG not in names[0]) or any("A  0a_label" in text for text in texts(figure))
