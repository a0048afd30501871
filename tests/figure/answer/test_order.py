import numpy as np

from dlexp.figure.answer.order import least_sure, most_wrong

OUTPUTS = np.array([[5.0, 0, 0], [0, 3.0, 0], [0, 0.1, 0], [9.0, 0, 0]])
TARGETS = np.array([0, 0, 0, 1])


def test_most_wrong_is_where_the_true_class_had_the_least_probability():
    assert most_wrong(OUTPUTS, TARGETS, "softmax", 9) == [3, 1, 2]
    assert most_wrong(OUTPUTS, TARGETS, "softmax", 2) == [3, 1]


def test_least_sure_is_where_two_classes_are_closest():
    assert least_sure(OUTPUTS, "softmax", 2) == [2, 1]
