"""Counts by hand."""

from dlexp.claim.measure.structure import parameter_ratio, receptive_field, stack_ratio


def test_weights_of_stacks():
    assert stack_ratio(0, [[2, 3, 3]], [[4, 5, 1]]) == (2 * 3 * 9) / (4 * 5)


def test_receptive_field_grows_by_the_kernel_less_one():
    assert receptive_field(0, [3, 5, 7]) == 1 + 2 + 4 + 6


def test_parameters_of_models():
    wide, narrow = ["model=softmax"], ["model.widths=[2]", "norm=none"]
    assert parameter_ratio(0, wide, narrow, [4], 3) == (4 * 3 + 3) / (4 * 2 + 2 + 2 * 3 + 3)
