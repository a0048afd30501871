"""What pairs must be: a planted leak and lonely kinds are refused."""

from dataclasses import replace

import pytest
import torch

from dlexp.data.dataset import Dataset
from dlexp.data.pair.require import describe_pairs, require_sound
from dlexp.error import DataError


def pairs(table, targets, train, val, test=()):
    parts = [torch.tensor(part, dtype=torch.int64) for part in (train, val, test)]
    inputs = torch.arange(16.0).view(8, 2)
    names = ["different", "same"]
    return Dataset("p", "pairs", inputs, torch.tensor(targets), *parts, class_names=names, pairs=torch.tensor(table))


SOUND = pairs([[0, 1], [0, 2], [3, 4], [3, 5]], [1, 0, 1, 0], [0, 1], [2, 3])


def test_parts_that_share_no_input_and_have_both_kinds_pass():
    require_sound(SOUND)
    require_sound(SOUND.dealt)
    assert describe_pairs(SOUND).startswith("of 3 train, 3 val inputs, none in two parts")


def test_an_input_in_pairs_of_two_parts_is_refused_by_name():
    leak = pairs([[0, 1], [0, 2], [3, 1], [3, 5]], [1, 0, 1, 0], [0, 1], [2, 3])
    with pytest.raises(DataError, match=r"p, input 1: got pairs of the train and of the val part.*one group"):
        require_sound(leak)
    named = replace(leak, ids=[f"{k}.png" for k in range(8)])
    with pytest.raises(DataError, match=r"input 1\.png"):
        require_sound(named)


def test_a_part_of_one_kind_is_refused():
    with pytest.raises(DataError, match="a val part whose pairs are all same; both kinds are needed"):
        require_sound(replace(SOUND, val=torch.tensor([2]), test=torch.tensor([3])))
