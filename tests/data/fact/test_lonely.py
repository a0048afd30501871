"""Classes of one example, and values that were asked for as classes."""

import pytest
import torch

from dlexp.data.fact.lonely import require_two
from dlexp.error import DataError


def test_a_class_of_one_example_is_named_with_the_cure():
    require_two(torch.tensor([0, 0, 2, 2]), ["ash", "oak", "elm"], "data", "why")
    with pytest.raises(DataError) as raised:
        require_two(torch.tensor([0, 0, 1]), ["ash", "oak"], "data", "a stratified split needs two of each")
    assert str(raised.value) == (
        "split: class oak with one example; a stratified split needs two of each: remove it, or set data.stratify=false"
    )


@pytest.mark.parametrize(
    ("names", "classes", "is_told"),
    [
        (["-7", "12", "103"], [0, 1, 2, 2], False),  # half of them are no most
        (["-7", "12", "103"], [0, 1, 2], True),
        (["-7", "a", "103"], [0, 1, 2], False),
        ([], [0, 1, 2], False),
    ],
)
def test_numbers_most_of_which_stand_alone_are_said_to_be_values(names, classes, is_told):
    with pytest.raises(DataError) as raised:
        require_two(torch.tensor(classes), names, "cv", "held out, it cannot be learnt")
    assert (
        "task=regression takes them as values, or remove it, or set cv.stratify=false" in str(raised.value)
    ) == is_told
