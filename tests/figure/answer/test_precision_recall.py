"""Precision over recall against scikit-learn, which steps through the same thresholds. N examples, K classes."""

import numpy as np
import pytest
import torch
from sklearn.metrics import average_precision_score, precision_recall_curve

from dlexp.figure.answer.precision_recall import precision_recall, precision_recall_figure
from tests.figure.drawn import HARD_NAMES, assert_is_drawn_whole, numbers, texts

DRAW = np.random.default_rng(0)


@pytest.mark.parametrize("digits", [0, 1, 6])
def test_points_are_those_of_scikit_learn_ties_included(digits):
    scores, is_positive = DRAW.normal(size=200).round(digits), DRAW.random(200) < 0.3
    recall, precision = precision_recall(scores, is_positive)
    wanted_precision, wanted_recall, _ = precision_recall_curve(is_positive, scores)
    assert recall[::-1] == pytest.approx(wanted_recall)
    assert precision[::-1] == pytest.approx(wanted_precision)
    area = float((np.diff(recall) * precision[1:]).sum())
    assert area == pytest.approx(average_precision_score(is_positive, scores))


def test_two_classes_are_one_curve_and_a_class_without_examples_none():
    outputs, targets = torch.randn(50, 2), torch.arange(50) % 2
    (line,) = precision_recall_figure(outputs, targets, ["no", "yes"]).axes[0].lines
    assert numbers(line.get_xdata())[0] == 0
    figure = precision_recall_figure(torch.randn(50, 4), torch.arange(50) % 3, list("abcd"))
    assert len(figure.axes[0].lines) == 3
    assert any("mean" in text for text in texts(figure))


@pytest.mark.parametrize("num", [2, 9, 30])
def test_any_number_of_classes_with_any_names_is_drawn(num):
    names = (HARD_NAMES * 4)[:num]
    assert_is_drawn_whole(precision_recall_figure(torch.randn(99, num), torch.arange(99) % num, names))
