"""Drawn pairs: laws, and what is refused. N examples, M pairs."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from dlexp.data.dataset import Dataset
from dlexp.data.pair.draw import Pairs, draw_distinct
from dlexp.error import ConfigError, DataError
from dlexp.random import generator

PARTS = ("train", "val", "test")


def examples(num=60, num_classes=3, seed=0, sizes=(30, 15, 15)):
    draw = torch.Generator().manual_seed(seed)
    targets = torch.arange(num) % num_classes
    train, val, test = (part.sort().values for part in torch.randperm(num, generator=draw).split(list(sizes)))
    names = [str(k) for k in range(num_classes)]
    return Dataset("e", "multiclass", torch.rand(num, 4, generator=draw), targets, train, val, test, class_names=names)


@settings(max_examples=40, deadline=None)
@given(num_classes=st.integers(2, 6), wanted=st.integers(2, 80), seed=st.integers(0, 5))
def test_every_part_has_different_pairs_of_both_kinds_of_its_own_examples(num_classes, wanted, seed):
    data = examples(num_classes=num_classes, seed=seed)
    pairs = Pairs(train=wanted, held_out=wanted).draw(data, seed)
    assert pairs.pairs is not None
    for part in PARTS:
        rows, members = getattr(pairs, part), set(getattr(data, part).tolist())
        chosen = pairs.pairs[rows]
        assert set(chosen.flatten().tolist()) <= members
        assert (chosen[:, 0] < chosen[:, 1]).all()
        assert len(chosen.unique(dim=0)) == len(chosen)
        same = data.targets[chosen[:, 0]] == data.targets[chosen[:, 1]]
        assert torch.equal(same.long(), pairs.targets[rows])
        assert int(same.sum()) * 2 == len(rows) > 0
        assert len(rows) <= wanted
    assert pairs.class_names == ["different", "same"]
    assert (pairs.task, pairs.fingerprint) == ("pairs", data.fingerprint)


def test_a_part_with_fewer_pairs_has_all_of_the_rarer_kind_and_says_so():
    data = examples()  # 15 of 3 classes each in val: at most 3 * C(5 or so, 2) of one class
    pairs = Pairs(train=40, held_out=5000).draw(data, 0)
    classes = data.targets[data.val]
    num_same = sum(int((classes == k).sum()) * (int((classes == k).sum()) - 1) // 2 for k in range(3))
    assert len(pairs.val) == 2 * num_same
    assert len(pairs.train) == 40
    assert f"val: {2 * num_same} pairs instead of 5,000: its 15 examples have no more of one kind" in pairs.notes


def test_held_out_pairs_depend_on_their_own_examples_and_the_split_seed_alone():
    data = examples()
    few, many = (Pairs(train=train, held_out=20).draw(data, 3) for train in (10, 40))
    assert few.sample_ids(few.val) == many.sample_ids(many.val)
    assert few.validated_on == many.validated_on
    other = Pairs(train=10, held_out=20).draw(data, 4)
    assert other.sample_ids(other.val) != few.sample_ids(few.val)
    again = Pairs(train=10, held_out=20).draw(data, 3)
    assert again.sample_ids(again.train) == few.sample_ids(few.train)


def test_every_pair_of_a_kind_is_drawn_equally_often():
    data = examples(num=6, num_classes=2, sizes=(6, 0, 0))
    counts: dict[str, int] = {}
    for seed in range(600):
        pairs = Pairs(train=4, held_out=2).draw(data, seed)
        for name in pairs.sample_ids(pairs.train):
            counts[name] = counts.get(name, 0) + 1
    same = {f"{a} | {b}" for a in range(6) for b in range(a + 1, 6) if (a - b) % 2 == 0}
    assert len(counts) == 15
    for name, count in counts.items():
        expected = 600 * 2 / (6 if name in same else 9)
        assert abs(count - expected) < 5 * expected**0.5, name


def test_parts_of_a_fold_are_of_the_examples_and_pairs_are_drawn_anew():
    pairs = Pairs(train=20, held_out=10).draw(examples(), 0)
    assert pairs.dealt.pairs is None
    fold = pairs.with_parts(pairs.dealt.val, pairs.dealt.train)
    assert set(fold.members(fold.train).tolist()) <= set(pairs.dealt.val.tolist())
    assert set(fold.members(fold.val).tolist()) <= set(pairs.dealt.train.tolist())
    assert torch.equal(fold.dealt.train, pairs.dealt.val)


@pytest.mark.parametrize(
    ("targets", "lacks"),
    [([0, 1, 2, 3], "two examples of one class"), ([0, 0, 0, 0], "examples of two classes"), ([0], "two examples")],
)
def test_a_part_without_both_kinds_is_refused_with_the_cure(targets, lacks):
    classes = torch.tensor([*targets, 0, 0, 1, 1])
    num, none = len(targets), torch.tensor([], dtype=torch.int64)
    names = [str(k) for k in range(4)]
    held_out = torch.arange(num), torch.arange(num, num + 4)
    data = Dataset(
        "e", "multiclass", torch.rand(num + 4, 2), classes, held_out[1], held_out[0], none, class_names=names
    )
    with pytest.raises(DataError, match=rf"val part: got {num} example.* without {lacks}.*data.val_fraction"):
        Pairs().draw(data, 0)


def test_values_and_numbers_below_two_are_refused():
    data = examples()
    values = Dataset("v", "regression", data.inputs, torch.rand(60), data.train, data.val, data.test)
    with pytest.raises(ConfigError, match="task: got pairs; the data have values"):
        Pairs().draw(values, 0)
    with pytest.raises(ConfigError, match=r"pairs.held_out: got 1; at least 2"):
        Pairs(held_out=1).draw(data, 0)


@given(total=st.integers(1, 200), share=st.floats(0, 1), seed=st.integers(0, 3))
def test_distinct_numbers_are_distinct_and_in_range(total, share, seed):
    count = round(share * total)
    drawn = draw_distinct(total, count, generator(seed, "test"))
    assert len(drawn.unique()) == len(drawn) == count
    assert count == 0 or (int(drawn.min()) >= 0 and int(drawn.max()) < total)


def test_distinct_numbers_of_a_huge_range_cost_no_list_of_it():
    drawn = draw_distinct(10**15, 1000, generator(0, "test"))
    assert len(drawn.unique()) == 1000
